"""HashiCorp Vault and OpenBao, KV version 1 and 2.

Source: ESO apis/externalsecrets/v1/secretstore_vault_types.go; every field is in the CRDs of v0.16 to v2.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from arcan_gitops.eso_version import EsoVersion, Feature
from arcan_gitops.names import EnvironmentName, InvalidName, Namespace
from arcan_gitops.overlay.ca import CaReader, CertificateAuthority, PublicCa, parse_ca
from arcan_gitops.overlay.needs import Need, account_need, secret_need
from arcan_gitops.overlay.references import (
    SecretKey,
    ServiceAccount,
    mapping,
    secret_key,
    service_account,
)
from arcan_gitops.overlay.stores.endpoint import http_warnings, needs_ca, plain_endpoint
from arcan_gitops.overlay.stores.store import Backend
from arcan_gitops.yamlio import Fields, one_of

_KEY: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._@:=+-]*(?:/[A-Za-z0-9._@:=+-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """A token that somebody put into a Kubernetes Secret."""

    token: SecretKey

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """`auth` of the provider."""
        return {"tokenSecretRef": self.token.ref(home)}

    def needs(self) -> Iterator[Need]:
        """The objects that it refers to."""
        yield secret_need(self.token, "a Vault token")


@dataclass(frozen=True, slots=True)
class KubernetesAuth:
    """Vault's Kubernetes auth method, by the token of a ServiceAccount (without one: ESO's own)."""

    mount_path: str
    role: str
    account: ServiceAccount | None

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """`auth` of the provider."""
        account = {} if self.account is None else {"serviceAccountRef": self.account.ref(home)}
        return {"kubernetes": {"mountPath": self.mount_path, "role": self.role, **account}}

    def needs(self) -> Iterator[Need]:
        """The objects that it refers to."""
        if self.account is not None:
            yield account_need(self.account, f"Vault's role '{self.role}' must be bound to it")


@dataclass(frozen=True, slots=True)
class AppRoleAuth:
    """Vault's AppRole auth method: the role's id, in clear or in a Secret, and its secret id in one."""

    path: str
    role: str | SecretKey
    secret: SecretKey

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """`auth` of the provider."""
        role = {"roleId": self.role} if isinstance(self.role, str) else {"roleRef": self.role.ref(home)}
        return {"appRole": {"path": self.path, **role, "secretRef": self.secret.ref(home)}}

    def needs(self) -> Iterator[Need]:
        """The objects that it refers to."""
        if not isinstance(self.role, str):
            yield secret_need(self.role, "the AppRole's role id")
        yield secret_need(self.secret, "the AppRole's secret id")


Auth = TokenAuth | KubernetesAuth | AppRoleAuth


@dataclass(frozen=True, slots=True)
class Vault:
    """A KV mount of one Vault."""

    server: str
    path: str
    version: str
    namespace: str | None  # Vault Enterprise's, not Kubernetes's
    ca: CertificateAuthority
    auth: Auth

    @classmethod
    def parse(cls, fields: Fields, base: Self | None, read_ca: CaReader) -> Self:
        """As `DeclaredBackend.parse`."""
        fields.only("scope", "server", "path", "version", "namespace", "ca", "auth")
        auth = base.auth if base is not None and "auth" not in fields else _auth(fields)
        version = fields.text("version", base.version if base else "v2")
        namespace = fields.optional_text("namespace")
        return cls(
            server=plain_endpoint(fields, "server", base.server if base else None),
            path=fields.text("path", base.path if base else None).strip("/"),
            version=one_of(fields, "version", version, ("v1", "v2")),
            namespace=namespace if namespace is not None or base is None else base.namespace,
            ca=parse_ca(fields, base.ca if base else PublicCa(), read_ca),
            auth=auth,
        )

    def at(self, environment: EnvironmentName, version: EsoVersion) -> Backend:
        """As `DeclaredBackend.at`: the same everywhere."""
        return self

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """As `Backend.spec`."""
        namespace = {} if self.namespace is None else {"namespace": self.namespace}
        return {
            "vault": {
                "server": self.server,
                "path": self.path,
                "version": self.version,
                **namespace,
                "auth": self.auth.spec(home),
                **self.ca.store_fields(home),
            }
        }

    def check_key(self, key: str) -> None:
        """A path below the mount. Raises `InvalidName`."""
        if len(key) > 512 or _KEY.fullmatch(key) is None:
            raise InvalidName(
                f"{key[:80]!r} is not a path in Vault", hint="write the path below the mount: prod/myapp"
            )

    def ignored(self) -> frozenset[str]:
        """As `DeclaredBackend.ignored`."""
        return frozenset()

    def features(self) -> Iterator[Feature]:
        """As `DeclaredBackend.features`: every version has all of it."""
        yield from ()

    def needs(self) -> Iterator[Need]:
        """As `DeclaredBackend.needs`."""
        yield from self.auth.needs()
        yield from needs_ca(self.ca)

    def warnings(self) -> Iterator[str]:
        """As `DeclaredBackend.warnings`."""
        yield from http_warnings(self.server)


def _auth(fields: Fields) -> Auth:
    ways = "{tokenSecretRef: {name, key}}, {kubernetes: {role, ...}} or {appRole: {roleId, secretRef, ...}}"
    auth = mapping(fields, "auth", ways)
    auth.only("tokenSecretRef", "kubernetes", "appRole")
    if len(auth.names()) != 1:
        auth.fail("'auth' must have exactly one way", hint=ways)
    if "tokenSecretRef" in auth:
        return TokenAuth(secret_key(auth, "tokenSecretRef"))
    if "kubernetes" in auth:
        kubernetes = mapping(auth, "kubernetes", "{mountPath: kubernetes, role: eso}")
        kubernetes.only("mountPath", "role", "serviceAccountRef")
        account = (
            service_account(kubernetes, "serviceAccountRef") if "serviceAccountRef" in kubernetes else None
        )
        return KubernetesAuth(kubernetes.text("mountPath", "kubernetes"), kubernetes.text("role"), account)
    role = mapping(auth, "appRole", "{path: approle, roleId: ..., secretRef: {name, key}}")
    role.only("path", "roleId", "roleRef", "secretRef")
    if ("roleId" in role) == ("roleRef" in role):
        role.fail("'appRole' needs either 'roleId' or 'roleRef'", hint="roleId: ID, or roleRef: {name, key}")
    return AppRoleAuth(
        role.text("path", "approle"),
        role.text("roleId") if "roleId" in role else secret_key(role, "roleRef"),
        secret_key(role, "secretRef"),
    )
