"""`arcan generate app` and `arcan generate inventory`: apps that live in repositories of their own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.cli.committed import Place
from arcan_gitops.cli.eso_known import warn_of_unknown
from arcan_gitops.cli.generated import Generated, check_option, check_or_write
from arcan_gitops.cli.options import kustomize_option, realms_option
from arcan_gitops.cli.output import warn
from arcan_gitops.cli.raw_entries import judge_raw
from arcan_gitops.cli.root import REALMS, at_root
from arcan_gitops.cli.vanishing import base_option, refuse_vanishing
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.overlay import (
    Catalogue,
    Declared,
    build_overlays,
    find_warnings,
    read_declaration,
    read_settings,
)
from arcan_gitops.overlay.app import Realm
from arcan_gitops.overlay.inventory import (
    INVENTORY_COMMAND,
    INVENTORY_FILE,
    inventory_text,
    read_inventories,
)
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.tree import is_generated
from arcan_gitops.realms.tree import read_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write <overlay>/ to; other files in it are never touched.",
)
@click.option(
    "--inventory",
    "inventories",
    type=click.Path(path_type=Path),
    multiple=True,
    help=f"An {INVENTORY_FILE}, or a folder of realms that have one; repeatable.  [default: realms]",
)
@check_option
@base_option
@kustomize_option
@click.pass_context
def app(
    ctx: click.Context,
    file: Path,
    output: Path,
    inventories: tuple[Path, ...],
    check: bool,
    base: str | None,
    kustomize_dir: Path,
) -> None:
    """Write the overlays of one app, by the names in an inventory.

    For an app in a repository of its own, which needs neither the realm files nor an identity. It gets its
    own Arcan stores in its namespace; their names, and that of their token Secret, end in realm and token.
    Declared stores that are cluster-wide belong to the platform, and are not written. Versions are those of
    the inventory: take a new one after each change of the realm, or declare the app with consistency:
    latest. What would go without a word (a Secret, the app) is an error, as for `arcan generate overlays`.
    """
    declared, settings = Declared.of([read_declaration(file)]), read_settings(kustomize_dir)
    for one in declared.apps:
        if isinstance(one.reads, Realm):
            if isinstance(one.place, ManyNamespaces):
                raise ArcanError(
                    f"{one.at('namespaces')}: many namespaces need a cluster-wide store, "
                    "which is the platform's",
                    hint="declare the app among the platform's, or one app for each namespace",
                )
            settings = settings.for_an_app_elsewhere()
    reads_realm = any(isinstance(one.reads, Realm) for one in declared.apps)
    found = _inventories(inventories) if reads_realm or inventories or not settings.lists_overlays else ()
    catalogue = read_inventories((read_file(path), str(path)) for path in found)
    command = f"arcan generate app {shlex.quote(file.name)}"
    tree = build_overlays(
        declared.apps,
        settings,
        catalogue,
        departures=declared.departures,
        cluster_stores=False,
        command=command,
    )
    overlays = settings.overlays(catalogue.environments())
    raw_warnings = judge_raw(tree, declared.apps, overlays)
    warn_of_unknown(overlays)
    for warning in (*raw_warnings, *find_warnings(declared.apps, overlays)):
        warn(warning)
    again = f"arcan generate app {shlex.quote(str(file))} --output {shlex.quote(str(output))}"
    generated = Generated(output, tree, command=command)
    place = Place(output, "", command)
    refuse_vanishing(place, base, tree, declared, settings, overlays, file.parent)
    check_or_write(ctx, [generated], check=check, command=again)


def _inventories(given: tuple[Path, ...]) -> Iterator[Path]:
    for path in given or (at_root(REALMS),):
        if path.is_file():
            yield path
            continue
        found = sorted([*path.glob(INVENTORY_FILE), *path.glob(f"*/{INVENTORY_FILE}")])
        if not found:
            raise ArcanError(
                f"{path}: there is no {INVENTORY_FILE}",
                hint="make it where the realms are: arcan generate inventory; then name it: --inventory FILE",
            )
        yield from found


@click.command()
@check_option
@realms_option
@click.pass_context
def inventory(ctx: click.Context, check: bool, realms: Path) -> None:
    """Write the inventory of each realm: names and versions, nothing secret.

    realms/<realm>/inventory.yaml lists environments, keys, tokens and their scopes, for `arcan generate app`
    in other repositories. No identity is needed.
    """
    catalogue = load_catalogue(realms)
    generated = plan_inventories(realms, catalogue, catalogue.realms())
    check_or_write(ctx, [generated], check=check, command=INVENTORY_COMMAND)


def plan_inventories(realms: Path, catalogue: Catalogue, wanted: Iterable[RealmName]) -> Generated:
    """The inventories of some realms."""
    tree = {f"{realm}/{INVENTORY_FILE}": inventory_text(realm, catalogue) for realm in wanted}
    return Generated(realms, tree, shared=True, command=INVENTORY_COMMAND)


def with_inventory(realms: Path, catalogue: Catalogue) -> Iterator[RealmName]:
    """The realms that have an inventory, which goes with every change as the overlays do."""
    for realm in catalogue.realms():
        if is_generated(realms / realm / INVENTORY_FILE, INVENTORY_COMMAND):
            yield realm
