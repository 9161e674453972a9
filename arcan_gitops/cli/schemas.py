"""`arcan schemas`: the kinds that `arcan validate` knows."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from arcan_gitops.cli.output import say, show
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.root import at_root
from arcan_gitops.cli.validate import OWN_SCHEMAS, further_schemas
from arcan_gitops.eso_version import EsoVersion, supported_version
from arcan_gitops.validate.adding import add_schemas
from arcan_gitops.validate.schemaset import ESO, KEPT, eso_versions, kept_sets, read_schemas


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
@click.option(
    "--eso-version",
    type=Parsed("version", supported_version),
    help="The version of ESO whose CRDs these are; arcan validate takes it from then on.",
)
def add(files: tuple[str, ...], folder: Path, eso_version: EsoVersion | None) -> None:
    """Derive schemas from CustomResourceDefinitions, one for each served version.

    A file may hold many, and other objects beside them: ESO's deploy/crds/bundle.yaml, what `kubectl get crds
    -o yaml` prints, or a cluster's /openapi/v2 for its built-in kinds; - is standard input. The CRDs of an
    ESO are given all at once, with its version. Prints what it wrote.
    """
    data = [(name, sys.stdin.buffer.read() if name == "-" else _read(name)) for name in files]
    added = add_schemas(data, folder, eso_version)
    for path in added.written:
        show(str(path))
    if added.left_out:
        some = ", ".join(added.left_out[:3]) + (", ..." if len(added.left_out) > 3 else "")
        say(f"left out {len(added.left_out)} that come with the package, by version: {some}")


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
    if own is not None:
        rows += [(str(own), schema.known) for schema in read_schemas(own)]
        rows += [
            (f"{own / ESO} {version}", schema.known)
            for version in eso_versions(own)
            for schema in read_schemas(own / ESO / version)
        ]
    first = max(len(name) for name, _ in rows)
    second = max(len(known.api_version) for _, known in rows)
    for name, known in rows:
        click.echo(f"{name:<{first}}  {known.api_version:<{second}}  {known.kind}")
