"""Finding tokens in the files of the realms, and saying what one of them is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from arcan_gitops.access import TokenRecord, format_time, matching, no_such_token, read_tokens, shown
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.overlay.needed_tokens import TOKEN_EXPIRY
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.realms.tree import RealmTree, read_file

REALM: Final = Parsed("realm", RealmName.parse)
one_realm_option = click.option("--realm", type=REALM, help="Look in this realm only. [default: all]")


def now() -> datetime:
    """In whole seconds, as the files keep it."""
    return datetime.now(UTC).replace(microsecond=0)


def paths(tree: RealmTree, realm: RealmName | None) -> Iterator[tuple[RealmName, Path]]:
    """The path of the tokens file of each realm that has one, or of the one realm."""
    names, problems = ((realm,), ()) if realm is not None else tree.scan()
    if not names:
        raise problems[0]
    for problem in problems:
        warn(problem.message)
    for name in names:
        path = tree.tokens_file(name)
        if path is not None:
            yield name, path


def token_files(
    tree: RealmTree, realm: RealmName | None
) -> Iterator[tuple[RealmName, Path, tuple[TokenRecord, ...]]]:
    """The tokens in these files."""
    for name, path in paths(tree, realm):
        yield name, path, read_tokens(read_file(path), str(path))


def environments_of(tree: RealmTree) -> tuple[EnvironmentName, ...]:
    """The environments of all realms, as far as their folders can be read, sorted."""
    found = {each.environment for realm in tree.scan()[0] for each in tree.scan_documents(realm)[0]}
    return tuple(sorted(found))


def locate(
    tree: RealmTree, realm: RealmName | None, name_or_id: str
) -> tuple[RealmName, Path, tuple[TokenRecord, ...]]:
    """The one realm that has the token, its file, and the entries of that name or id."""
    found: list[tuple[RealmName, Path, tuple[TokenRecord, ...]]] = []
    names: set[str] = set()
    for owner, path, records in token_files(tree, realm):
        names |= {record.name for record in records}
        if matched := matching(records, name_or_id):
            found.append((owner, path, matched))
    if not found:
        where = f"realm '{realm}'" if realm is not None else f"the realms in {tree.root}"
        raise no_such_token(where, names, name_or_id)
    if len(found) > 1:
        owners = ", ".join(f"'{owner}'" for owner, _, _ in found)
        raise ArcanError(
            f"token {shown(name_or_id)} is in several realms: {owners}", hint="name one of them with --realm"
        )
    return found[0]


def expiry_of(tree: RealmTree, realm: RealmName) -> str:
    """How long tokens of the realm are to live, as its realm.yaml says, or as we do."""
    return settings_of(tree, realm).token_expiry or TOKEN_EXPIRY


def life(record: TokenRecord) -> str:
    """When it ends, as a part of a sentence."""
    return "never expires" if record.expires is None else f"expires {format_time(record.expires)}"


def say_if_endless(tree: RealmTree, realm: RealmName, record: TokenRecord) -> None:
    """Of a token that never ends, how to give it an end."""
    if record.expires is None:
        expiry = expiry_of(tree, realm)
        say(
            f"token '{record.name}' never ends; to give it an end: "
            f"arcan token scope {record.name} --realm {realm} --expires {expiry}"
        )
