"""What stores and token Secrets are called where apps with different tokens meet.

A store is bound to one realm and one token. Where all apps of a namespace (of the cluster, for cluster-wide
stores) use the same, the names are those of the settings: `arcan`, `arcan-bulk`, `arcan-credentials`. Where
they do not, every name there ends in the realm and the token: `arcan.production.shop`. All of them, and not
all but the first: which app owns the plain name must not depend on the order of files. With `full_names` they
always do, so that another app renames nothing. With dots, which a
realm cannot hold, because `-` would let `a-b` + `c` and `a` + `b-c` be one name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from arcan_gitops.names import ObjectName, RealmName
from arcan_gitops.overlay.settings import StoreSettings


@dataclass(frozen=True, slots=True, order=True)
class Credential:
    """A token of a realm, by name."""

    realm: RealmName
    token: str


@dataclass(frozen=True, slots=True)
class StoreNames:
    """The names that go with one credential."""

    single: ObjectName
    bulk: ObjectName
    token_secret: ObjectName


def plain_names(settings: StoreSettings) -> StoreNames:
    """The names of the settings, as they are."""
    return StoreNames(settings.store_name, settings.bulk_store_name, settings.token_secret.name)


def store_names(
    settings: StoreSettings, credentials: Collection[Credential]
) -> Mapping[Credential, StoreNames]:
    """The names for each of the credentials that are used in one place.

    Raises `InvalidName` where a name that has to end in a token's name is none for Kubernetes.
    """
    if len(set(credentials)) == 1 and not settings.full_names:
        return dict.fromkeys(credentials, plain_names(settings))
    return {
        credential: StoreNames(
            single=_ending(settings.store_name, credential),
            bulk=_ending(settings.bulk_store_name, credential),
            token_secret=_ending(settings.token_secret.name, credential),
        )
        for credential in credentials
    }


def _ending(name: ObjectName, credential: Credential) -> ObjectName:
    return ObjectName.parse(f"{name}.{credential.realm}.{credential.token}")
