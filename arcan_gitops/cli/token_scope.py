"""`arcan token scope`: what a token may read, and when it ends, changed in its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from arcan_gitops.access import (
    READ_ONLY,
    TokenRecord,
    edit_file,
    environment_glob,
    key_glob,
    newest,
    parse_expiry,
    rescope,
    with_keys,
)
from arcan_gitops.cli.in_use import confirm_unused, in_use_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed, each_once
from arcan_gitops.cli.token_files import environments_of, life, locate, now, one_realm_option, say_if_endless
from arcan_gitops.cli.token_globs import warn_of_globs
from arcan_gitops.names import RealmName
from arcan_gitops.overlay import App, Settings, TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import uses_out_of_scope
from arcan_gitops.overlay.uses import Use
from arcan_gitops.realms.tree import RealmTree

_NEVER = "never"


def _expiry(text: str) -> datetime | str:
    return text if text == _NEVER else parse_expiry(text, now())


@click.command()
@click.argument("name_or_id", metavar="NAME|ID")
@click.option("--add-key", "added", type=Parsed("glob", key_glob), multiple=True, callback=each_once,
              help="A key it may read too, or a glob; repeatable.")  # fmt: skip
@click.option("--remove-key", "removed", type=Parsed("glob", key_glob), multiple=True, callback=each_once,
              help="A key, or glob, of its list that goes; repeatable.")  # fmt: skip
@click.option("--key", "keys", type=Parsed("glob", key_glob), multiple=True, callback=each_once,
              help="The keys it may read, in place of those of before; repeatable. '*' is all.")  # fmt: skip
@click.option("--env", "environments", type=Parsed("glob", environment_glob), multiple=True,
              callback=each_once,
              help="The environments, in place of those of before; repeatable. '*' is all.")  # fmt: skip
@click.option("--expires", type=Parsed("duration|date", _expiry),
              help="When it ends: 90d, 12h, 2027-01-31, or never.")  # fmt: skip
@one_realm_option
@in_use_options
@realms_option
def scope(
    name_or_id: str,
    added: tuple[str, ...],
    removed: tuple[str, ...],
    keys: tuple[str, ...],
    environments: tuple[str, ...],
    expires: datetime | str | None,
    realm: RealmName | None,
    kustomize_dir: Path,
    yes: bool,
    realms: Path,
) -> None:
    """Change what a token may read, and when it ends; its text stays.

    The old token of a rotation gets the same scope, and keeps its end. If declared apps would
    lose something that they read now, it is named and confirmation is asked for, unless --yes is given.

    \b
      arcan token scope shop --realm production --env prod --key DATABASE_URL
      arcan token scope shop --realm production --add-key SMTP_PASSWORD
    """
    if not (added or removed or keys or environments or expires):
        raise click.UsageError("nothing to change: --add-key, --remove-key, --key, --env or --expires")
    if keys and (added or removed):
        raise click.UsageError("--key names all keys: --add-key and --remove-key do not go with it")
    tree = RealmTree(realms)
    owner, path, found = locate(tree, realm, name_or_id)
    if (keys or added or removed) and any(record.policy != READ_ONLY for record in found):
        raise click.UsageError(f"token '{name_or_id}' reads no key: its policy is not {READ_ONLY}")

    def changed(record: TokenRecord, *, stands: bool) -> TokenRecord:
        record = replace(record, keys=keys) if keys else with_keys(record, added, removed)
        if environments:
            record = replace(record, environments=environments)
        if expires is not None and stands:
            record = replace(record, expires=expires if isinstance(expires, datetime) else None)
        return record

    current = newest(found, found[0].name) or found[0]
    _confirm(
        Credential(owner, current.name), current, changed(current, stands=True), kustomize_dir, tree, yes=yes
    )

    def change(data: bytes | None) -> tuple[bytes, tuple[TokenRecord, ...]]:
        return rescope(data or b"", str(path), name_or_id, changed, now=now())

    before = {record.id: record for record in found}
    for record in edit_file(path, change):
        if before.get(record.id) == record:
            say(f"unchanged: token '{record.name}' (id {record.id}) in {path}")
            continue
        say(f"{path}: token '{record.name}' (id {record.id}) reads {_scope(record)}, {life(record)}")
        if record.id == current.id:
            say_if_endless(tree, owner, record)
            warn_of_globs(tree, owner, record.scope)
    say(f"commit {path}: a server goes by it once it has read that file")


def _confirm(
    credential: Credential,
    before: TokenRecord,
    after: TokenRecord,
    kustomize_dir: Path,
    tree: RealmTree,
    *,
    yes: bool,
) -> None:
    old, new = (TokenScope(each.environments, each.keys) for each in (before, after))

    def uses(apps: Sequence[App], settings: Settings) -> Sequence[Use]:
        environments = () if settings.lists_overlays else environments_of(tree)
        return uses_out_of_scope(apps, settings.overlays(environments), credential, old, new)

    confirm_unused(f"narrowing token '{credential.token}'", kustomize_dir, uses, yes=yes)


def _scope(record: TokenRecord) -> str:
    keys = "all keys" if record.keys is None else ", ".join(record.keys)
    environments = "all environments" if record.environments is None else ", ".join(record.environments)
    return f"{keys} of {environments}"
