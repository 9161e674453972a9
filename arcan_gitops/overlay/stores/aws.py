"""AWS Secrets Manager and Systems Manager Parameter Store.

Source: ESO apis/externalsecrets/v1/secretstore_aws_types.go; the CRDs of v0.16 to v2.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from arcan_gitops.eso_version import AWS_SESSION_TAGS, EsoVersion, Feature
from arcan_gitops.names import EnvironmentName, InvalidName, Namespace
from arcan_gitops.overlay.ca import CaReader
from arcan_gitops.overlay.needs import Need, account_need, secret_need
from arcan_gitops.overlay.references import (
    SecretKey,
    ServiceAccount,
    mapping,
    secret_key,
    service_account,
)
from arcan_gitops.overlay.stores.store import Backend
from arcan_gitops.yamlio import Fields, one_of

_SERVICES: Final = ("SecretsManager", "ParameterStore")
_REGION: Final = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
_ARN: Final = r"arn:aws[a-z-]*:(?:secretsmanager|ssm):[a-z0-9-]+:[0-9]{12}:(?:secret:|parameter/)"
_KEY: Final = re.compile(rf"(?:{_ARN})?[A-Za-z0-9/_+=.@-]{{1,1011}}", re.ASCII)
# Fields that guides name and ESO has not: what to write in their place.
_NEVER: Final = {
    "authType": "the way to authenticate is what 'auth' holds; without 'auth' ESO's own identity is used",
    "secretSmEndpoint": "ESO finds the endpoint by 'region'; another is AWS_SECRETSMANAGER_ENDPOINT in the "
    "environment of ESO's own Deployment",
    "roleArn": "write role: ARN",
}


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """Static credentials of an IAM user, or temporary ones with a session token."""

    key_id: SecretKey
    secret: SecretKey
    session: SecretKey | None

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """`auth` of the provider."""
        session = {} if self.session is None else {"sessionTokenSecretRef": self.session.ref(home)}
        keys = {
            "accessKeyIDSecretRef": self.key_id.ref(home),
            "secretAccessKeySecretRef": self.secret.ref(home),
            **session,
        }
        return {"auth": {"secretRef": keys}}

    def needs(self) -> Iterator[Need]:
        """The objects that it refers to."""
        yield secret_need(self.key_id, "an AWS access key id")
        yield secret_need(self.secret, "its secret access key")
        if self.session is not None:
            yield secret_need(self.session, "its session token")


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """IAM roles for service accounts: the role is in the ServiceAccount's own annotation."""

    account: ServiceAccount

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """`auth` of the provider."""
        return {"auth": {"jwt": {"serviceAccountRef": self.account.ref(home)}}}

    def needs(self) -> Iterator[Need]:
        """The objects that it refers to."""
        yield account_need(self.account, "with the annotation eks.amazonaws.com/role-arn")


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """Whatever identity ESO's own pod has."""

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """No `auth`."""
        return {}

    def needs(self) -> Iterator[Need]:
        """Nothing."""
        yield from ()


Auth = AccessKeys | WebIdentity | OwnIdentity


@dataclass(frozen=True, slots=True)
class Aws:
    """One service in one region; `role` is assumed after `auth`."""

    service: str
    region: str
    role: str | None
    external_id: str | None
    prefix: str | None
    auth: Auth
    session_tags: bool = False  # whether ESO's version has a policy for them, whose default is written

    @classmethod
    def parse(cls, fields: Fields, base: Self | None, read_ca: CaReader) -> Self:
        """As `DeclaredBackend.parse`."""
        for name, hint in _NEVER.items():
            if name in fields:
                fields.fail(f"unknown field '{name}'", field=name, hint=hint)
        fields.only("scope", "service", "region", "role", "externalID", "prefix", "auth")
        region = fields.text("region", base.region if base else None)
        if _REGION.fullmatch(region) is None:
            fields.fail("'region' is not an AWS region", field="region", hint="write it as eu-central-1")
        role = _inherited(fields, "role", base.role if base else None)
        if role is not None and _ROLE.fullmatch(role) is None:
            hint = "write it as arn:aws:iam::123456789012:role/NAME"
            fields.fail("'role' is not the ARN of an IAM role", field="role", hint=hint)
        service = fields.text("service", base.service if base else "SecretsManager")
        return cls(
            service=one_of(fields, "service", service, _SERVICES),
            region=region,
            role=role,
            external_id=_inherited(fields, "externalID", base.external_id if base else None),
            prefix=_inherited(fields, "prefix", base.prefix if base else None),
            auth=base.auth if base is not None and "auth" not in fields else _auth(fields),
        )

    def at(self, environment: EnvironmentName, version: EsoVersion) -> Backend:
        """As `DeclaredBackend.at`."""
        return replace(self, session_tags=not AWS_SESSION_TAGS.missing_in(version))

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """As `Backend.spec`."""
        optional = {"role": self.role, "externalID": self.external_id, "prefix": self.prefix}
        return {
            "aws": {
                "service": self.service,
                "region": self.region,
                **{name: text for name, text in optional.items() if text is not None},
                **self.auth.spec(home),
                **({"sessionTagsPolicy": "None"} if self.session_tags else {}),
            }
        }

    def check_key(self, key: str) -> None:
        """A secret's or parameter's name, or its ARN. Raises `InvalidName`."""
        if _KEY.fullmatch(key) is None:
            raise InvalidName(
                f"{key[:80]!r} is not a name in AWS {self.service}",
                hint="a name is letters, digits and /_+=.@-; an ARN is taken too",
            )

    def ignored(self) -> frozenset[str]:
        """As `DeclaredBackend.ignored`."""
        return frozenset()

    def features(self) -> Iterator[Feature]:
        """As `DeclaredBackend.features`: every version has all that can be asked for."""
        yield from ()

    def needs(self) -> Iterator[Need]:
        """As `DeclaredBackend.needs`."""
        yield from self.auth.needs()

    def warnings(self) -> Iterator[str]:
        """As `DeclaredBackend.warnings`."""
        if isinstance(self.auth, AccessKeys) and self.auth.session is None:
            yield "uses access keys that do not expire: a role for a ServiceAccount ('auth: {jwt: ...}') does"


def _inherited(fields: Fields, field: str, base: str | None) -> str | None:
    text = fields.optional_text(field)
    return base if text is None else text


def _auth(fields: Fields) -> Auth:
    if "auth" not in fields:
        return OwnIdentity()
    form = "{jwt: {serviceAccountRef: {name}}}, or {secretRef: {accessKeyIDSecretRef: {name, key}, ...}}"
    auth = mapping(fields, "auth", form)
    auth.only("jwt", "secretRef")
    if len(auth.names()) != 1:
        auth.fail("'auth' must have exactly one way", hint=f"write {form}")
    if "jwt" in auth:
        jwt = mapping(auth, "jwt", "{serviceAccountRef: {name: ...}}")
        jwt.only("serviceAccountRef")
        return WebIdentity(service_account(jwt, "serviceAccountRef"))
    keys = mapping(auth, "secretRef", "{accessKeyIDSecretRef: {name, key}, secretAccessKeySecretRef: ...}")
    keys.only("accessKeyIDSecretRef", "secretAccessKeySecretRef", "sessionTokenSecretRef")
    return AccessKeys(
        secret_key(keys, "accessKeyIDSecretRef"),
        secret_key(keys, "secretAccessKeySecretRef"),
        secret_key(keys, "sessionTokenSecretRef") if "sessionTokenSecretRef" in keys else None,
    )
