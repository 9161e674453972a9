"""`arcan token`: create, list, narrow, rotate and revoke the tokens of a realm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from arcan_gitops.access import (
    POLICIES,
    POLICY_RULE,
    READ_ONLY,
    STATUS,
    TokenRecord,
    add,
    edit_file,
    environment_glob,
    format_time,
    key_glob,
    mint,
    newest,
    parse_expiry,
    read_tokens,
    revoke,
    shown,
    token_name,
)
from arcan_gitops.cli.in_use import confirm_unused, in_use_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed, each_once
from arcan_gitops.cli.token_declared import secret_places
from arcan_gitops.cli.token_files import (
    REALM,
    environments_of,
    expiry_of,
    life,
    locate,
    now,
    one_realm_option,
    say_if_endless,
    token_files,
)
from arcan_gitops.cli.token_globs import warn_of_globs
from arcan_gitops.cli.token_output import Asked, output_options, token_printer
from arcan_gitops.cli.token_rotate import rotate_token
from arcan_gitops.cli.token_scope import scope
from arcan_gitops.cli.token_sync import sync
from arcan_gitops.deploy.revocation import revocation_command
from arcan_gitops.names import InvalidName, RealmName, TokenName
from arcan_gitops.overlay import App, Settings
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.uses import Use, uses_of_token
from arcan_gitops.realms.tree import TOKENS_FILE, RealmTree, read_file


def _policy(text: str) -> str:
    if text not in POLICIES:
        raise InvalidName(f"{shown(text)} is not a policy", hint=POLICY_RULE)
    return text


@click.group()
def token() -> None:
    """Create, list, narrow, rotate and revoke the tokens of a realm.

    They are recorded in REALMS/REALM/tokens.yaml as digests; commit that file. The text of a token is
    printed once, and kept nowhere.
    """


@token.command()
@click.option("--realm", type=REALM, required=True, help="The realm that the token opens.")
@click.option("--name", type=Parsed("name", token_name), required=True, help="Who uses it: eso-operator.")
@click.option(
    "--policy",
    type=Parsed("policy", _policy),
    default=READ_ONLY,
    show_default=True,
    help="What it may do: read secrets (read-only), or ask how the server is and read none (status).",
)
@click.option(
    "--env",
    "environments",
    type=Parsed("glob", environment_glob),
    multiple=True,
    callback=each_once,
    help="An environment it may read, or a glob; repeatable. [default: all]",
)
@click.option(
    "--key",
    "keys",
    type=Parsed("glob", key_glob),
    multiple=True,
    callback=each_once,
    help="A key it may read, or a glob such as 'DB_*'; repeatable. [default: all]",
)
@click.option(
    "--expires",
    type=Parsed("duration|date", lambda text: parse_expiry(text, now())),
    help="90d, 12h, 1h30m, or 2027-01-31. [default: never]",
)
@output_options()
@realms_option
def create(
    realm: RealmName,
    name: str,
    policy: str,
    environments: tuple[str, ...],
    keys: tuple[str, ...],
    expires: datetime | None,
    realms: Path,
    **output: Any,
) -> None:
    """Create a token, record its digest, and print it once.

    `arcan generate overlays` and `arcan bootstrap` print this command with just the environments and keys
    that the declared apps need of a token.
    """
    if policy == STATUS and keys:
        raise click.UsageError(f"a token of policy {STATUS} reads no key: leave --key out")
    asked, tree = Asked.of(output), RealmTree(realms)
    path = tree.folder(realm) / TOKENS_FILE
    places = secret_places(asked, tree, Credential(realm, name))
    expiry_of(tree, realm)  # a realm.yaml that cannot be read is said before anything is made
    minted = mint()
    record = TokenRecord(
        minted.id, name, policy, environments or None, keys or None, now(), expires, minted.digest
    )
    lost = f"revoke it with 'arcan token revoke {minted.id} --realm {realm}' and create a new one"
    with token_printer(places, asked.file) as printer:
        edit_file(path, lambda data: (add(data, str(path), record), None))
        printer.print(minted, path, lost)
    say(f"{path}: recorded token '{name}' (id {minted.id}), {life(record)}")
    say_if_endless(tree, realm, record)
    warn_of_globs(tree, realm, record.scope)
    printer.say_next(path)


@token.command("list")
@one_realm_option
@realms_option
def list_tokens(realm: RealmName | None, realms: Path) -> None:
    """List the tokens of a realm, or of all."""
    time = now()
    rows = [("REALM", "NAME", "ID", "ENVIRONMENTS", "KEYS", "CREATED", "EXPIRES")]
    for owner, _, records in token_files(RealmTree(realms), realm):
        rows += [
            (
                owner,
                record.name,
                record.id,
                _globs(record.environments),
                _globs(record.keys) if record.policy == READ_ONLY else f"none ({record.policy})",
                format_time(record.created),
                _end(record, time),
            )
            for record in records
        ]
    if len(rows) == 1:
        say(
            "there are no tokens; 'arcan generate overlays' prints the command for each that an app needs, "
            "'arcan token create --help' says the rest"
        )
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@token.command("revoke")
@click.argument("name_or_id", metavar="NAME|ID")
@click.option(
    "--now",
    "at_once",
    is_flag=True,
    help="Print the command that has servers in a cluster refuse it before a rollout.",
)
@one_realm_option
@in_use_options
@realms_option
def revoke_token(
    name_or_id: str, at_once: bool, realm: RealmName | None, kustomize_dir: Path, yes: bool, realms: Path
) -> None:
    """Remove a token by its id, or all of a name.

    If declared apps use it, they are named and confirmation is asked for, unless --yes is given; not for the
    old token of a rotation, since the new one stands for the name.

    With --now, standard output is a command for kubectl: it adds the token to ConfigMap arcan-revoked,
    which the servers that 'arcan generate overlays' deploys watch, and which is not in Git.
    """
    tree = RealmTree(realms)
    owner, path, found = locate(tree, realm, name_or_id)
    records = read_tokens(read_file(path), str(path))
    going = sorted({record.name for record in found if newest(records, record.name) == record})
    for name in going:
        _confirm(tree, owner, name, kustomize_dir, yes=yes)

    def change(data: bytes | None) -> tuple[bytes, tuple[TokenRecord, ...]]:
        return revoke(data or b"", str(path), name_or_id)

    removed = edit_file(path, change)
    for record in removed:
        say(f"{path}: removed token '{record.name}' (id {record.id})")
    if at_once:
        for record in removed:
            click.echo(revocation_command(record.id, f"{owner}/{record.name}"))
        say("run the printed command for each cluster: its servers refuse the token within a minute or two")
    say(f"commit {path}: a server refuses the token from the moment it reads that file")


def _confirm(tree: RealmTree, realm: RealmName, name: str, kustomize_dir: Path, *, yes: bool) -> None:
    def uses(apps: Sequence[App], settings: Settings) -> Sequence[Use]:
        environments = () if settings.lists_overlays else environments_of(tree)
        return uses_of_token(apps, settings, realm, environments, TokenName(name))

    confirm_unused(f"revoking token '{name}'", kustomize_dir, uses, yes=yes)


token.add_command(rotate_token)
token.add_command(scope)
token.add_command(sync)


def _end(record: TokenRecord, time: datetime) -> str:
    if record.expires is None:
        return "never"
    return format_time(record.expires) + (" (expired)" if record.expired(time) else "")


def _globs(globs: tuple[str, ...] | None) -> str:
    return "all" if globs is None else ",".join(globs)
