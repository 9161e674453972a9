"""Infisical, by Universal Auth.

Source: ESO apis/externalsecrets/v1/secretstore_infisical_types.go; the CRDs of v0.16 to v2.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from arcan_gitops.eso_version import INFISICAL_CA, EsoVersion, Feature
from arcan_gitops.names import EnvironmentName, InvalidName, Namespace
from arcan_gitops.overlay.ca import CaReader, CertificateAuthority, PublicCa, parse_ca
from arcan_gitops.overlay.needs import Need, secret_need
from arcan_gitops.overlay.references import SecretKey, mapping, secret_key
from arcan_gitops.overlay.stores.endpoint import http_warnings, needs_ca, plain_endpoint
from arcan_gitops.overlay.stores.store import Backend
from arcan_gitops.yamlio import Fields

_CLOUD: Final = "https://app.infisical.com/api"
_KEY: Final = re.compile(r"(?:/(?:[A-Za-z0-9_-]+/)*)?[A-Za-z0-9_.-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SecretsScope:
    """Which secrets of Infisical the store sees; the environment is the overlay's own where None."""

    project: str
    environment: str | None = None
    path: str = "/"
    recursive: bool = False
    expand_references: bool = True

    @classmethod
    def parse(cls, fields: Fields, base: SecretsScope | None) -> SecretsScope:
        """Raises `InvalidFile`."""
        fields.only("projectSlug", "environmentSlug", "secretsPath", "recursive", "expandSecretReferences")
        environment = fields.optional_text("environmentSlug")
        path = fields.text("secretsPath", base.path if base else "/")
        if not path.startswith("/"):
            hint = f"write it as /{path[:80]}"
            fields.fail("'secretsPath' must start with '/'", field="secretsPath", hint=hint)
        return cls(
            project=fields.text("projectSlug", base.project if base else None),
            environment=environment if environment is not None or base is None else base.environment,
            path=path,
            recursive=fields.flag("recursive", base.recursive if base else False),
            expand_references=fields.flag("expandSecretReferences", base.expand_references if base else True),
        )


@dataclass(frozen=True, slots=True)
class Infisical:
    """A scope of one Infisical."""

    host_api: str
    client_id: SecretKey
    client_secret: SecretKey
    scope: SecretsScope
    ca: CertificateAuthority

    @classmethod
    def parse(cls, fields: Fields, base: Self | None, read_ca: CaReader) -> Self:
        """As `DeclaredBackend.parse`."""
        fields.only("scope", "hostAPI", "auth", "secretsScope", "ca")
        if base is None or "auth" in fields:
            client_id, client_secret = _universal_auth(fields)
        else:
            client_id, client_secret = base.client_id, base.client_secret
        if base is None or "secretsScope" in fields:
            form = "{projectSlug: PROJECT, environmentSlug: prod, secretsPath: /}"
            scope = SecretsScope.parse(mapping(fields, "secretsScope", form), base.scope if base else None)
        else:
            scope = base.scope
        return cls(
            host_api=plain_endpoint(fields, "hostAPI", base.host_api if base else _CLOUD),
            client_id=client_id,
            client_secret=client_secret,
            scope=scope,
            ca=parse_ca(fields, base.ca if base else PublicCa(), read_ca),
        )

    def at(self, environment: EnvironmentName, version: EsoVersion) -> Backend:
        """As `DeclaredBackend.at`: where no environment is named, the overlay's."""
        return replace(
            self, scope=replace(self.scope, environment=self.scope.environment or str(environment))
        )

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """As `Backend.spec`."""
        return {
            "infisical": {
                "hostAPI": self.host_api,
                "auth": {
                    "universalAuthCredentials": {
                        "clientId": self.client_id.ref(home),
                        "clientSecret": self.client_secret.ref(home),
                    }
                },
                "secretsScope": {
                    "projectSlug": self.scope.project,
                    "environmentSlug": self.scope.environment,
                    "secretsPath": self.scope.path,
                    "recursive": self.scope.recursive,
                    "expandSecretReferences": self.scope.expand_references,
                },
                **self.ca.store_fields(home),
            }
        }

    def check_key(self, key: str) -> None:
        """A secret's name, or its whole path. Raises `InvalidName`."""
        if _KEY.fullmatch(key) is None:
            raise InvalidName(
                f"{key[:80]!r} is not the name of a secret in Infisical",
                hint="write its name, or its whole path from '/': MY_APP_API_KEY, /backend/API_KEY",
            )

    def ignored(self) -> frozenset[str]:
        """As `DeclaredBackend.ignored`."""
        return frozenset()

    def features(self) -> Iterator[Feature]:
        """As `DeclaredBackend.features`."""
        if not isinstance(self.ca, PublicCa):
            yield INFISICAL_CA

    def needs(self) -> Iterator[Need]:
        """As `DeclaredBackend.needs`."""
        yield secret_need(self.client_id, "the machine identity's client id")
        yield secret_need(self.client_secret, "the machine identity's client secret")
        yield from needs_ca(self.ca)

    def warnings(self) -> Iterator[str]:
        """As `DeclaredBackend.warnings`."""
        yield from http_warnings(self.host_api)


def _universal_auth(fields: Fields) -> tuple[SecretKey, SecretKey]:
    form = "{universalAuthCredentials: {clientId: {name, key}, clientSecret: {name, key}}}"
    auth = mapping(fields, "auth", form)
    auth.only("universalAuthCredentials")
    credentials = mapping(auth, "universalAuthCredentials", "{clientId: {name, key}, clientSecret: ...}")
    credentials.only("clientId", "clientSecret")
    return secret_key(credentials, "clientId"), secret_key(credentials, "clientSecret")
