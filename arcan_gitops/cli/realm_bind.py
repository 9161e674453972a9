"""`arcan realm bind`: documents that say where they belong."""

from __future__ import annotations

from pathlib import Path

import click

from arcan_gitops.cli.identities import held_identities, identity_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.realm_options import one_environment_option, optional_realm_argument
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.binding import twins, unit_of
from arcan_gitops.realms.editing import bind_document, open_file
from arcan_gitops.realms.verifying import verify


@click.command()
@optional_realm_argument
@click.option("--all", "all_realms", is_flag=True, help="The documents of all realms.")
@one_environment_option
@click.option(
    "--from",
    "moved_from",
    metavar="REALM/ENV",
    help="The place to which the document is bound now, where its file was moved on purpose.",
)
@identity_options
@realms_option
def bind(
    realm: RealmName | None,
    all_realms: bool,
    environment: EnvironmentName | None,
    moved_from: str | None,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Bind documents to their places.

    Writes the realm and the environment into each document, encrypted, as 'arcan_place': no key, and not
    served. From then on a copy of the document at another place is refused by the server. No version of a
    key changes. 'arcan realm create' and 'arcan import' bind what they make.

    'arcan serve --binding required' refuses documents that are bound to no place.
    """
    if (realm is None) is not all_realms:
        raise click.UsageError("name a realm, or give --all for all of them")
    if moved_from is not None and (realm is None or environment is None):
        raise click.UsageError("--from is about one document: name its realm, and --env")
    tree = RealmTree(realms)
    documents, misplaced = tree.scan_all(realm, environment)
    problems = list(misplaced)
    identities = held_identities(identity_file, passphrase_file)
    # of all places: a document that is bound here may be the copy of one elsewhere
    seals = {
        unit_of(each.document): each.seal
        for each in verify(tree, tree.scan_all()[0], identities)
        if each.seal is not None
    }
    copied = twins(seals)
    bound = 0
    for file in documents:
        try:
            if unit_of(file) in copied:
                raise copied[unit_of(file)]
            changed = bind_document(open_file(tree, file, identities), moved_from)
        except ArcanError as error:
            problems.append(error)
            continue
        click.echo(f"{file.name}: {'bound to its place' if changed else 'was bound already'}")
        bound += changed
    say(f"{bound} document(s) bound, {len(problems)} failed" + ("; commit them" if bound else ""))
    if problems:
        raise SeveralErrors(f"{len(problems)} document(s) were not bound:", problems)
