"""`arcan token`: create, list, revoke and rotate the tokens of a realm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from arcan_gitops.access import (
    ONE_POLICY,
    READ_ONLY,
    TokenRecord,
    add,
    edit_file,
    environment_glob,
    format_time,
    key_glob,
    matching,
    mint,
    no_such_token,
    parse_duration,
    parse_expiry,
    read_tokens,
    revoke,
    rotate,
    shown,
    token_name,
)
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.token_output import TokenPrinter, output_options
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName, Namespace, RealmName
from arcan_gitops.realms.tree import TOKENS_FILE, RealmTree, read_file


def _policy(text: str) -> str:
    if text != READ_ONLY:
        raise InvalidName(f"{shown(text)} is not a policy", hint=ONE_POLICY)
    return text


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


_REALM: Final = Parsed("realm", RealmName.parse)
_one_realm_option = click.option("--realm", type=_REALM, help="Look in this realm only. [default: all]")


@click.group()
def token() -> None:
    """Create, list, revoke and rotate the tokens of a realm.

    They are recorded in REALMS/REALM/tokens.yaml as digests; commit that file. The text of a token is
    printed once, on standard output, and kept nowhere.
    """


@token.command()
@click.option("--realm", type=_REALM, required=True, help="The realm that the token opens.")
@click.option("--name", type=Parsed("name", token_name), required=True, help="Who uses it: eso-operator.")
@click.option(
    "--policy",
    type=Parsed("policy", _policy),
    default=READ_ONLY,
    show_default=True,
    help="What it may do; read-only is the one policy.",
)
@click.option(
    "--env",
    "environments",
    type=Parsed("glob", environment_glob),
    multiple=True,
    help="An environment it may read, or a glob; repeatable. [default: all]",
)
@click.option(
    "--key",
    "keys",
    type=Parsed("glob", key_glob),
    multiple=True,
    help="A key it may read, or a glob such as 'DB_*'; repeatable. [default: all]",
)
@click.option(
    "--expires",
    type=Parsed("duration|date", lambda text: parse_expiry(text, _now())),
    help="90d, 12h, 1h30m, or 2027-01-31. [default: never]",
)
@output_options
@realms_option
def create(
    realm: RealmName,
    name: str,
    policy: str,
    environments: tuple[str, ...],
    keys: tuple[str, ...],
    expires: datetime | None,
    output: str,
    namespace: Namespace | None,
    realms: Path,
) -> None:
    """Create a token, record its digest, and print it once."""
    printer = TokenPrinter(output, namespace)
    path = RealmTree(realms).folder(realm) / TOKENS_FILE
    minted = mint()
    record = TokenRecord(
        minted.id, name, policy, environments or None, keys or None, _now(), expires, minted.digest
    )
    edit_file(path, lambda data: (add(data, str(path), record), None))
    lost = f"revoke it with 'arcan token revoke {minted.id} --realm {realm}' and create a new one"
    printer.print(minted, path, lost)
    say(f"{path}: recorded token '{name}' (id {minted.id}), {_life(record)}")
    printer.say_next(path)


@token.command("list")
@_one_realm_option
@realms_option
def list_tokens(realm: RealmName | None, realms: Path) -> None:
    """List the tokens of a realm, or of all."""
    now = _now()
    rows = [("REALM", "NAME", "ID", "ENVIRONMENTS", "KEYS", "CREATED", "EXPIRES")]
    for owner, _, records in _files(RealmTree(realms), realm):
        rows += [
            (
                owner,
                record.name,
                record.id,
                _globs(record.environments),
                _globs(record.keys),
                format_time(record.created),
                _end(record, now),
            )
            for record in records
        ]
    if len(rows) == 1:
        say("there are no tokens; create one with 'arcan token create'")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@token.command("revoke")
@click.argument("name_or_id", metavar="NAME|ID")
@_one_realm_option
@realms_option
def revoke_token(name_or_id: str, realm: RealmName | None, realms: Path) -> None:
    """Remove a token by its id, or all of a name."""
    _, path = _locate(RealmTree(realms), realm, name_or_id)

    def change(data: bytes | None) -> tuple[bytes, tuple[TokenRecord, ...]]:
        return revoke(data or b"", str(path), name_or_id)

    for record in edit_file(path, change):
        say(f"{path}: removed token '{record.name}' (id {record.id})")
    say(f"commit {path}: a server refuses the token from the moment it reads that file")


@token.command("rotate")
@click.argument("name_or_id", metavar="NAME|ID")
@click.option(
    "--overlap",
    type=Parsed("duration", parse_duration),
    default="7d",
    show_default=True,
    help="How long the old token lives on, at most.",
)
@_one_realm_option
@output_options
@realms_option
def rotate_token(
    name_or_id: str,
    overlap: timedelta,
    realm: RealmName | None,
    output: str,
    namespace: Namespace | None,
    realms: Path,
) -> None:
    """Replace a token by a new one of the same name and scope, and print that once."""
    printer = TokenPrinter(output, namespace)
    owner, path = _locate(RealmTree(realms), realm, name_or_id)
    minted = mint()

    def change(data: bytes | None) -> tuple[bytes, tuple[TokenRecord, TokenRecord]]:
        rotation = rotate(data or b"", str(path), name_or_id, minted, overlap=overlap, now=_now())
        return rotation.data, (rotation.old, rotation.new)

    old, new = edit_file(path, change)
    lost = f"replace it too: 'arcan token rotate {minted.id} --realm {owner} --overlap 0s'"
    printer.print(minted, path, lost)
    say(f"{path}: recorded token '{new.name}' (id {new.id}), {_life(new)}")
    say(f"{path}: the old one (id {old.id}) {_life(old)}")
    printer.say_next(path)


def _files(
    tree: RealmTree, realm: RealmName | None
) -> Iterator[tuple[RealmName, Path, tuple[TokenRecord, ...]]]:
    for name in tree.realms() if realm is None else (realm,):
        path = tree.tokens_file(name)
        if path is not None:
            yield name, path, read_tokens(read_file(path), str(path))


def _locate(tree: RealmTree, realm: RealmName | None, name_or_id: str) -> tuple[RealmName, Path]:
    """The one realm that has the token, and its file."""
    found: list[tuple[RealmName, Path]] = []
    names: set[str] = set()
    for owner, path, records in _files(tree, realm):
        names |= {record.name for record in records}
        if matching(records, name_or_id):
            found.append((owner, path))
    if not found:
        where = f"realm '{realm}'" if realm is not None else f"the realms in {tree.root}"
        raise no_such_token(where, names, name_or_id)
    if len(found) > 1:
        owners = ", ".join(f"'{owner}'" for owner, _ in found)
        raise ArcanError(
            f"token {shown(name_or_id)} is in several realms: {owners}", hint="name one of them with --realm"
        )
    return found[0]


def _life(record: TokenRecord) -> str:
    return "never expires" if record.expires is None else f"expires {format_time(record.expires)}"


def _end(record: TokenRecord, now: datetime) -> str:
    if record.expires is None:
        return "never"
    return format_time(record.expires) + (" (expired)" if record.expired(now) else "")


def _globs(globs: tuple[str, ...] | None) -> str:
    return "all" if globs is None else ",".join(globs)
