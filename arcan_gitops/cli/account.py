"""`arcan account`: the service accounts that may read a realm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from arcan_gitops.access import AccountRecord, edit_file, environment_glob, key_glob
from arcan_gitops.access.edit_accounts import add_account, remove_account, rescope_account
from arcan_gitops.cli.account_files import (
    ACCOUNT,
    account_files,
    declared_need,
    locate_account,
    scope_text,
    warn_of_cluster,
    with_account_keys,
)
from arcan_gitops.cli.in_use import confirm_unused, in_use_options
from arcan_gitops.cli.options import clusters_option, kustomize_option, realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.token_files import REALM, environments_of, one_realm_option
from arcan_gitops.cli.token_globs import warn_of_globs
from arcan_gitops.deploy.revocation import account_revocation_command
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName, RealmName
from arcan_gitops.overlay import App, Settings, TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import uses_out_of_scope
from arcan_gitops.overlay.uses import Use
from arcan_gitops.realms.tree import TOKENS_FILE, RealmTree


@click.group()
def account() -> None:
    """Grant reads of a realm to service accounts of Kubernetes clusters.

    The entries stand in REALMS/REALM/tokens.yaml, and hold nothing secret: Kubernetes makes the credential.
    An account is named CLUSTER/NAMESPACE/ACCOUNT; 'arcan cluster add' makes a cluster known.
    """


@account.command()
@click.argument("name", type=ACCOUNT)
@click.option("--realm", type=REALM, required=True, help="The realm that it may read.")
@click.option("--env", "environments", type=Parsed("glob", environment_glob), multiple=True,
              help="An environment it may read, or a glob; repeatable.")  # fmt: skip
@click.option("--key", "keys", type=Parsed("glob", key_glob), multiple=True,
              help="A key it may read, or a glob such as 'DB_*'; repeatable.")  # fmt: skip
@click.option("--uid", help="Only this life of the account: it breaks when the account is made again.")
@kustomize_option
@clusters_option
@realms_option
def add(
    name: AccountName,
    realm: RealmName,
    environments: tuple[str, ...],
    keys: tuple[str, ...],
    uid: str | None,
    kustomize_dir: Path,
    clusters: Path,
    realms: Path,
) -> None:
    """Grant an account reads of a realm.

    Without --env and --key, just what the declared apps read by it. With --env alone, all keys there.
    """
    tree = RealmTree(realms)
    path = tree.folder(realm) / TOKENS_FILE
    if not environments and not keys:
        needed = declared_need(tree, kustomize_dir, Credential(realm, account=name))
        if needed is None:
            raise ArcanError(
                f"no declared app reads realm '{realm}' by account '{name}'",
                hint="say what it may read: --env ENVIRONMENT, and --key KEY for each key",
            )
        environments, keys = needed.environments or (), needed.keys or ()
    record = AccountRecord(
        name.cluster, name.namespace, name.service_account, environments or None, keys or None, uid
    )
    edit_file(path, lambda data: (add_account(data, str(path), record), None))
    say(f"{path}: account '{name}' reads {scope_text(record)}")
    if uid is not None:
        say(f"it is refused from the moment that account is made again: "
            f"arcan account scope {name} --realm={realm} --any-uid")  # fmt: skip
    warn_of_globs(tree, realm, record.scope)
    warn_of_cluster(clusters, name)
    say(f"commit {path}: a server goes by it once it has read that file")


@account.command("list")
@one_realm_option
@realms_option
def list_accounts(realm: RealmName | None, realms: Path) -> None:
    """List the accounts of a realm, or of all."""
    rows = [("REALM", "ACCOUNT", "ENVIRONMENTS", "KEYS", "UID")]
    for owner, _, records in account_files(RealmTree(realms), realm):
        rows += [
            (owner, str(each.name), _globs(each.environments), _globs(each.keys), each.uid or "any")
            for each in records
        ]
    if len(rows) == 1:
        say("there are no accounts; 'arcan account add --help' says how to grant one")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@account.command()
@click.argument("name", type=ACCOUNT)
@click.option("--now", "at_once", is_flag=True,
              help="Print the command that has servers in a cluster refuse it before a rollout.")  # fmt: skip
@one_realm_option
@in_use_options
@realms_option
def remove(
    name: AccountName, at_once: bool, realm: RealmName | None, kustomize_dir: Path, yes: bool, realms: Path
) -> None:
    """Take an account's entry out: its tokens are refused from then on.

    Declared apps that read by it are named first, and then it takes an answer at the terminal, or --yes.
    With --now, standard output is a command for kubectl, as of 'arcan token revoke --now'; it is for all
    realms.
    """
    tree = RealmTree(realms)
    owner, path, record = locate_account(tree, realm, name)
    nothing = TokenScope((), ())
    _confirm(f"removing account '{name}'", tree, owner, record, nothing, kustomize_dir, yes=yes)
    edit_file(path, lambda data: remove_account(data or b"", str(path), name))
    say(f"{path}: removed account '{name}'")
    if at_once:
        click.echo(account_revocation_command(name))
        say("run the printed command for each cluster: its servers refuse it within a minute or two")
    say(f"commit {path}: a server refuses its tokens from the moment it reads that file")


@account.command()
@click.argument("name", type=ACCOUNT)
@click.option("--add-key", "added", type=Parsed("glob", key_glob), multiple=True,
              help="A key it may read too, or a glob; repeatable.")  # fmt: skip
@click.option("--remove-key", "removed", type=Parsed("glob", key_glob), multiple=True,
              help="A key, or glob, of its list that goes; repeatable.")  # fmt: skip
@click.option("--key", "keys", type=Parsed("glob", key_glob), multiple=True,
              help="The keys it may read, in place of those of before; repeatable. '*' is all.")  # fmt: skip
@click.option("--env", "environments", type=Parsed("glob", environment_glob), multiple=True,
              help="The environments, in place of those of before; repeatable. '*' is all.")  # fmt: skip
@click.option("--uid", help="Only this life of the account.")
@click.option("--any-uid", is_flag=True, help="Any life of the account.")
@one_realm_option
@in_use_options
@realms_option
def scope(
    name: AccountName,
    added: tuple[str, ...],
    removed: tuple[str, ...],
    keys: tuple[str, ...],
    environments: tuple[str, ...],
    uid: str | None,
    any_uid: bool,
    realm: RealmName | None,
    kustomize_dir: Path,
    yes: bool,
    realms: Path,
) -> None:
    """Change what an account may read.

    What declared apps read now, and could not read any more, is named first, and then it takes an answer at
    the terminal, or --yes.
    """
    if not (added or removed or keys or environments or uid or any_uid):
        raise click.UsageError("nothing to change: --add-key, --remove-key, --key, --env, --uid or --any-uid")
    if keys and (added or removed):
        raise click.UsageError("--key names all keys: --add-key and --remove-key do not go with it")
    if uid and any_uid:
        raise click.UsageError("--uid and --any-uid exclude each other")
    tree = RealmTree(realms)
    owner, path, record = locate_account(tree, realm, name)

    def changed(before: AccountRecord) -> AccountRecord:
        after = replace(before, keys=keys) if keys else with_account_keys(before, added, removed)
        if environments:
            after = replace(after, environments=environments)
        return replace(after, uid=None if any_uid else uid or after.uid)

    after = changed(record)
    scoped = TokenScope(after.environments, after.keys)
    _confirm(f"narrowing account '{name}'", tree, owner, record, scoped, kustomize_dir, yes=yes)
    done = edit_file(path, lambda data: rescope_account(data or b"", str(path), name, changed))
    if done == record:
        say(f"unchanged: account '{name}' in {path}")
        return
    say(f"{path}: account '{name}' reads {scope_text(done)}")
    warn_of_globs(tree, owner, done.scope)
    say(f"commit {path}: a server goes by it once it has read that file")


def _confirm(
    what: str,
    tree: RealmTree,
    realm: RealmName,
    before: AccountRecord,
    after: TokenScope,
    kustomize_dir: Path,
    *,
    yes: bool,
) -> None:
    read, old = Credential(realm, account=before.name), TokenScope(before.environments, before.keys)

    def uses(apps: Sequence[App], settings: Settings) -> Sequence[Use]:
        environments = () if settings.declared else environments_of(tree)
        return uses_out_of_scope(apps, settings.overlays(environments), read, old, after)

    confirm_unused(what, kustomize_dir, uses, yes=yes)


def _globs(globs: tuple[str, ...] | None) -> str:
    return "all" if globs is None else ",".join(globs)
