"""By what the stores of an overlay read realms: tokens that somebody makes, or accounts of the cluster.

An account is a ServiceAccount without any rights, and a Secret that Kubernetes fills with its token: both
stand in Git, and no value does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from arcan_gitops.names import (
    AccountName,
    AppName,
    InvalidName,
    KeyName,
    KubeCluster,
    Namespace,
    ObjectName,
    OverlayName,
    RealmName,
    TokenName,
)
from arcan_gitops.overlay.manifest import Manifest, metadata
from arcan_gitops.overlay.references import mapping
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import Fields, one_of

FIELDS: Final = ("credentials", "clusterKeys", "tokens")
ACCOUNT: Final = ObjectName("arcan-reader")
ACCOUNT_KEY: Final = KeyName("token")  # where Kubernetes puts the token
ACCOUNT_ANNOTATION: Final = "kubernetes.io/service-account.name"
ACCOUNT_TYPE: Final = "kubernetes.io/service-account-token"
_PATTERN: Final = re.compile(r"(?:[A-Za-z0-9._-]|\{app\}|\{overlay\})+", re.ASCII)


class Kind(StrEnum):
    """What apps without a token of their own have."""

    TOKEN = "token"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The fields `credentials`, `clusterKeys` and `tokens` of arcan.yaml.

    `cluster` is the one that signs for accounts, by the name of its file in clusters/; `pattern` is how the
    tokens of apps are called that name none.
    """

    kind: Kind = Kind.TOKEN
    cluster: KubeCluster | None = None
    pattern: str | None = None

    @classmethod
    def parse(cls, fields: Fields, base: Credentials) -> Credentials:
        """What the mapping sets, over `base`. Raises `InvalidFile`."""
        kind = one_of(fields, "credentials", fields.text("credentials", base.kind), tuple(map(str, Kind)))
        found = replace(base, kind=Kind(kind))
        if (cluster := fields.optional_text("clusterKeys")) is not None:
            found = replace(found, cluster=fields.parse("clusterKeys", KubeCluster, cluster))
        if "tokens" in fields:
            tokens = mapping(fields, "tokens", "{name: '{app}.{overlay}'}")
            tokens.only("name")
            pattern = tokens.text("name")
            if _PATTERN.fullmatch(pattern) is None:
                hint = "write it with {app} and {overlay}, as in '{app}.{overlay}'"
                tokens.fail(f"{pattern[:80]!r} gives no names of tokens", field="name", hint=hint)
            between = re.search(r"\{(?:app|overlay)\}(.*)\{(?:app|overlay)\}", pattern)
            if between is not None and "." not in between[1]:
                hint = "put a '.' between them, which no app and no overlay has"
                tokens.fail("two apps could get one token", field="name", hint=hint)
            found = replace(found, pattern=pattern)
        return found

    def token_for(self, app: AppName, overlay: OverlayName) -> TokenName | None:
        """The token of an app that names none; None where there is no such. Raises `InvalidName`."""
        if self.kind is Kind.ACCOUNT or self.pattern is None:
            return None
        try:
            return TokenName.parse(self.pattern.replace("{app}", app).replace("{overlay}", overlay))
        except InvalidName as error:
            error.hint = f"{error.hint}: name the token of app '{app}' in its file"
            raise

    def account_in(self, namespace: Namespace, overlay: OverlayName | None) -> AccountName | None:
        """The account of a namespace; of the cluster-wide stores of `overlay`, where it is given."""
        if self.kind is not Kind.ACCOUNT or self.cluster is None:
            return None
        name = ACCOUNT if overlay is None else ObjectName(f"{ACCOUNT}.{overlay}")
        return AccountName(self.cluster, namespace, name)


@dataclass(frozen=True, slots=True, order=True)
class Credential:
    """What opens a realm: a token of it, by name, or (then `token` is empty) an account."""

    realm: RealmName
    token: str = ""
    account: AccountName | None = None

    def __str__(self) -> str:
        return f"token '{self.token}'" if self.account is None else f"account '{self.account}'"


def account_manifests(account: AccountName) -> list[Manifest]:
    """The ServiceAccount and its Secret, which must come after it: without its account, Kubernetes deletes
    the Secret. No pod gets the account's token: it is for ESO alone.
    """
    place: Mapping[str, object] = metadata(account.service_account, account.namespace)
    secret = metadata(
        account.service_account,
        account.namespace,
        labels={SECRET_LABEL_NAME: SECRET_LABEL_VALUE},
        annotations={ACCOUNT_ANNOTATION: str(account.service_account)},
    )
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": dict(place),
            "automountServiceAccountToken": False,
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "type": ACCOUNT_TYPE},
    ]
