"""An entry of `accounts` in `realms/<realm>/tokens.yaml`: what a realm grants an account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.access.scope import Scope, environment_glob, key_glob, read_globs
from arcan_gitops.names import AccountName, KubeCluster, Namespace, ObjectName
from arcan_gitops.yamlio import Fields

_UID: Final = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One entry. `environments` and `keys` are globs, None for all; `uid` pins one life of the account."""

    cluster: str
    namespace: str
    service_account: str
    environments: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None
    uid: str | None = None

    @property
    def name(self) -> AccountName:
        """Whose entry it is."""
        return AccountName(
            KubeCluster(self.cluster), Namespace(self.namespace), ObjectName(self.service_account)
        )

    @property
    def scope(self) -> Scope:
        """What the account may read; compiled anew each time, so a server keeps it."""
        return Scope(self.environments, self.keys)

    def to_plain(self) -> dict[str, Any]:
        """The entry as texts and lists of texts, named and ordered as in the file; for JSON and YAML."""
        plain = {
            "cluster": str(self.cluster),
            "namespace": str(self.namespace),
            "serviceAccount": str(self.service_account),
            "environments": None if self.environments is None else list(map(str, self.environments)),
            "keys": None if self.keys is None else list(map(str, self.keys)),
            "uid": self.uid,
        }
        return {field: value for field, value in plain.items() if value is not None}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> AccountRecord:
        """What `to_plain` gave, trusted as it is."""
        environments, keys = (plain.get(field) for field in ("environments", "keys"))
        return cls(
            plain["cluster"],
            plain["namespace"],
            plain["serviceAccount"],
            None if environments is None else tuple(environments),
            None if keys is None else tuple(keys),
            plain.get("uid"),
        )

    @classmethod
    def parse(cls, entry: Fields) -> AccountRecord:
        """Raises `InvalidFile`, with the line."""
        for field in ("cluster", "namespace", "serviceAccount", "uid"):
            entry.optional_text(field)  # all are asked for before `done`, so that a misspelt one is named
        environments = read_globs(entry, "environments", environment_glob, "account")
        keys = read_globs(entry, "keys", key_glob, "account")
        entry.done()
        uid = entry.optional_text("uid")
        if uid is not None and _UID.fullmatch(uid) is None:
            entry.fail(
                "'uid' is not that of a service account",
                field="uid",
                hint="read it with kubectl get serviceaccount NAME -o jsonpath={.metadata.uid}, "
                "or leave it out",
            )
        return cls(
            entry.parse("cluster", KubeCluster, entry.text("cluster")),
            entry.parse("namespace", Namespace, entry.text("namespace")),
            entry.parse("serviceAccount", ObjectName, entry.text("serviceAccount")),
            environments,
            keys,
            uid,
        )
