"""`arcan schemas`: the kinds that `arcan validate` knows."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from arcan_gitops.cli.output import show
from arcan_gitops.cli.root import at_root
from arcan_gitops.cli.validate import OWN_SCHEMAS, further_schemas
from arcan_gitops.validate.adding import add_schemas
from arcan_gitops.validate.schemaset import KEPT, kept_sets, read_schemas


@click.group()
def schemas() -> None:
    """Manage the schemas that `arcan validate` uses."""


@schemas.command()
@click.argument(
    "files",
    metavar="CRD.yaml...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.option(
    "--schemas",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=partial(at_root, OWN_SCHEMAS),
    help=f"The folder that the schemas are written to.  [default: {OWN_SCHEMAS}]",
)
def add(files: tuple[str, ...], folder: Path) -> None:
    """Derive schemas from CustomResourceDefinitions, one for each served version.

    A file may hold several, and other objects beside them; - is standard input. Prints what it wrote.
    """
    data = [(name, sys.stdin.buffer.read() if name == "-" else _read(name)) for name in files]
    for path in add_schemas(data, folder):
        show(str(path))


def _read(name: str) -> bytes:
    with click.open_file(name, "rb") as file:
        data: bytes = file.read()
    return data


@schemas.command("list")
@click.option(
    "--schemas",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=f"A folder of further schemas.  [default: {OWN_SCHEMAS}, if there]",
)
def list_schemas(folder: Path | None) -> None:
    """List the kinds that have a schema: its set, apiVersion and kind."""
    own = further_schemas(folder)
    rows = [
        (f"{project} {version}", schema.known)
        for project, version in kept_sets()
        for schema in read_schemas(KEPT / project / version)
    ]
    rows += [(str(own), schema.known) for schema in read_schemas(own)] if own is not None else []
    first = max(len(name) for name, _ in rows)
    second = max(len(known.api_version) for _, known in rows)
    for name, known in rows:
        click.echo(f"{name:<{first}}  {known.api_version:<{second}}  {known.kind}")
