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

from arcan_gitops.names import AccountName, KeyName, ObjectName
from arcan_gitops.overlay.credentials import ACCOUNT_KEY, Credential
from arcan_gitops.overlay.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class StoreNames:
    """The names that go with one credential."""

    single: ObjectName
    bulk: ObjectName
    token_secret: ObjectName
    token_key: KeyName


def plain_names(settings: StoreSettings, account: AccountName | None = None) -> StoreNames:
    """The names of the settings, as they are; the Secret is that of the account, where there is one."""
    return _named(
        settings, settings.store_name, settings.bulk_store_name, account, settings.token_secret.name
    )


def store_names(
    settings: StoreSettings, credentials: Collection[Credential]
) -> Mapping[Credential, StoreNames]:
    """The names for each of the credentials that are used in one place.

    Raises `InvalidName` where a name that has to end in a token's name is none for Kubernetes.
    """
    if len(set(credentials)) == 1 and not settings.full_names:
        return {credential: plain_names(settings, credential.account) for credential in credentials}
    return {
        credential: _named(
            settings,
            _ending(settings.store_name, credential),
            _ending(settings.bulk_store_name, credential),
            credential.account,
            _ending(settings.token_secret.name, credential),
        )
        for credential in credentials
    }


def _named(
    settings: StoreSettings,
    single: ObjectName,
    bulk: ObjectName,
    account: AccountName | None,
    token_secret: ObjectName,
) -> StoreNames:
    """An account has one Secret, whatever its stores are called."""
    if account is not None:
        return StoreNames(single, bulk, account.service_account, ACCOUNT_KEY)
    return StoreNames(single, bulk, token_secret, settings.token_secret.key)


def _ending(name: ObjectName, credential: Credential) -> ObjectName:
    parts = [name, credential.realm, *([credential.token] if credential.account is None else [])]
    return ObjectName.parse(".".join(parts))
