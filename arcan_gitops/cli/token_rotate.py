"""`arcan token rotate`: a new token in place of one; or a script for all that end soon."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from arcan_gitops.access import (
    Rotation,
    edit_file,
    mint,
    newest,
    parse_duration,
    rotate,
)
from arcan_gitops.bootstrap.rotation import DueToken, rotation_script
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.token_declared import Declared, secret_places
from arcan_gitops.cli.token_files import life, locate, now, one_realm_option, say_if_endless, token_files
from arcan_gitops.cli.token_output import Asked, output_options, token_printer
from arcan_gitops.names import RealmName
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import token_places
from arcan_gitops.realms.tree import RealmTree


@click.command("rotate")
@click.argument("name_or_id", metavar="[NAME|ID]", required=False)
@click.option(
    "--due",
    type=Parsed("duration", parse_duration),
    metavar="DURATION",
    help="In place of NAME: print a script that rotates all tokens that end within this time, such as 30d.",
)
@click.option(
    "--overlap",
    type=Parsed("duration", parse_duration),
    default="7d",
    show_default=True,
    help="How long the old token lives on, at most.",
)
@one_realm_option
@output_options("--name")
@realms_option
def rotate_token(
    name_or_id: str | None,
    due: timedelta | None,
    overlap: timedelta,
    realm: RealmName | None,
    realms: Path,
    **output: Any,
) -> None:
    """Replace a token by a new one of the same name and scope, and print that once.

    With --due, nothing is rotated yet: a bash script is printed that does it, and holds no token. Its first
    run records the new tokens; commit and merge, and when the servers have read them, its second run puts
    them into the Secrets of every overlay. No read is refused in between.

    \b
      arcan token rotate --due 30d > rotate.sh
      VALUES=/dev/shm/rotated bash rotate.sh
    """
    asked, tree = Asked.of(output), RealmTree(realms)
    if (name_or_id is None) is (due is None):
        raise click.UsageError("name one token, or say --due 30d for all that end within that time")
    if due is not None:
        _print_script(tree, realm, due, overlap, asked)
    elif name_or_id is not None:
        _rotate(tree, realm, name_or_id, overlap, asked)


def _rotate(
    tree: RealmTree, realm: RealmName | None, name_or_id: str, overlap: timedelta, asked: Asked
) -> None:
    owner, path, found = locate(tree, realm, name_or_id)
    places = secret_places(asked, tree, Credential(owner, found[0].name))
    minted = mint()

    def change(data: bytes | None) -> tuple[bytes, Rotation]:
        rotation = rotate(data or b"", str(path), name_or_id, minted, overlap=overlap, now=now())
        return rotation.data, rotation

    lost = f"replace it too: 'arcan token rotate {minted.id} --realm {owner} --overlap 0s'"
    with token_printer(places, asked.file) as printer:
        rotation = edit_file(path, change)
        printer.print(minted, path, lost)
    say(f"{path}: recorded token '{rotation.new.name}' (id {minted.id}), {life(rotation.new)}")
    say(f"{path}: the old one (id {rotation.old.id}) {life(rotation.old)}")
    say_if_endless(tree, owner, rotation.new)
    printer.say_next(path)


def _print_script(
    tree: RealmTree, realm: RealmName | None, due: timedelta, overlap: timedelta, asked: Asked
) -> None:
    if asked.as_secret or asked.file is not None:
        raise click.UsageError("--due prints a script: --format and --output-file do not go with it")
    declared = Declared.read(asked.kustomize_dir, tree)
    time = now()
    found = []
    for owner, _, records in token_files(tree, realm):
        for name in dict.fromkeys(record.name for record in records):
            record = newest(records, name)
            if record is None or record.expires is None or record.expires > time + due:
                continue
            credential = Credential(owner, name)
            places = token_places(declared.apps, declared.overlays, credential)
            if not places:
                unused = "no declared app uses it: rotate it by its name, or revoke it"
                say(f"token '{name}' of realm '{owner}' {life(record)}, and {unused}")
                continue
            found.append(DueToken(credential, record.id, life(record), places))
    if not found:
        say("no token that declared apps use ends within that time")
        return
    click.echo(rotation_script(found, overlap), nl=False)
