"""Finding accounts in the files of the realms, and saying what one of them may read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from arcan_gitops.access import AccountRecord, read_tokens_file
from arcan_gitops.access.edit import changed_keys
from arcan_gitops.access.edit_accounts import no_such_account
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.token_declared import Declared
from arcan_gitops.cli.token_files import paths
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName, RealmName
from arcan_gitops.overlay import TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import needed_scope
from arcan_gitops.realms.clusters import SUFFIX
from arcan_gitops.realms.tree import RealmTree, read_file

ACCOUNT: Final = Parsed("cluster/namespace/account", AccountName.parse)


def account_files(
    tree: RealmTree, realm: RealmName | None
) -> Iterator[tuple[RealmName, Path, tuple[AccountRecord, ...]]]:
    """The accounts in the tokens file of each realm that has one, or of the one realm."""
    for name, path in paths(tree, realm):
        yield name, path, read_tokens_file(read_file(path), str(path)).accounts


def locate_account(
    tree: RealmTree, realm: RealmName | None, name: AccountName
) -> tuple[RealmName, Path, AccountRecord]:
    """The one realm that has the account, its file and its entry. Raises `ArcanError`."""
    files = list(account_files(tree, realm))
    found = [(owner, path, each) for owner, path, records in files for each in records if each.name == name]
    if not found:
        where = f"realm '{realm}'" if realm is not None else f"the realms in {tree.root}"
        raise no_such_account(where, {each.name for _, _, records in files for each in records}, name)
    if len(found) > 1:
        owners = ", ".join(f"'{owner}'" for owner, _, _ in found)
        raise ArcanError(
            f"account '{name}' is in several realms: {owners}", hint="name one of them with --realm"
        )
    return found[0]


def declared_need(tree: RealmTree, kustomize_dir: Path, credential: Credential) -> TokenScope | None:
    """What the declared apps read by an account, or None where none does."""
    declared = Declared.read(kustomize_dir, tree)
    return needed_scope(declared.apps, declared.overlays, credential)


def with_account_keys(record: AccountRecord, add: Sequence[str], remove: Sequence[str]) -> AccountRecord:
    """The entry with more keys, and without some of its list. Raises `ArcanError` for what leaves nothing."""
    if not add and not remove:
        return record
    hint = f"arcan account remove {record.name}"
    return replace(record, keys=changed_keys(f"account '{record.name}'", record.keys, add, remove, hint))


def scope_text(record: AccountRecord) -> str:
    """What it may read, as a part of a sentence."""
    keys = "all keys" if record.keys is None else ", ".join(record.keys)
    environments = "all environments" if record.environments is None else ", ".join(record.environments)
    return f"{keys} of {environments}"


def warn_of_cluster(clusters: Path, name: AccountName) -> None:
    """Say what is missing for the account's tokens to be verified."""
    if not (clusters / f"{name.cluster}{SUFFIX}").exists():
        warn(f"there is no {clusters / name.cluster}{SUFFIX}: no server knows that cluster's keys yet")
        say(f"next: arcan cluster add {name.cluster}")
