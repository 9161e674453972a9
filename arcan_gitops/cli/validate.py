"""`arcan validate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.root import KUSTOMIZE, at_root
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion, supported_version
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay import Settings, read_settings
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.validate.check import validate as validate_sources
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.engine import Engine
from arcan_gitops.validate.kubeconform import Kubeconform
from arcan_gitops.validate.reports import FORMATS
from arcan_gitops.validate.schemaset import (
    NoSchemasOfVersion,
    SchemaSet,
    eso_version_for,
    eso_versions,
    schema_sets,
)
from arcan_gitops.validate.sources import Overlay as BuiltOverlay
from arcan_gitops.validate.sources import Source, StandardInput, discover

OWN_SCHEMAS: Final = f"{KUSTOMIZE}/schemas"
_ALL: Final = "all"


def _version(text: str) -> EsoVersion | None:
    """None for all of them."""
    return None if text == _ALL else supported_version(text)


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--engine",
    type=click.Choice(("auto", "kubeconform", "embedded")),
    default="auto",
    show_default=True,
    help="What judges the manifests; auto is kubeconform where it is installed, else embedded.",
)
@format_option(FORMATS, help="A table for people, JSON, or JUnit XML for CI.")
@click.option(
    "--eso-version",
    "versions",
    metavar="VERSION",
    type=Parsed("version", _version),
    multiple=True,
    help="The ESO version whose kinds are judged by, or all; repeatable.  [default: the overlay's own, else "
    f"the newest that has schemas: {', '.join(eso_versions())}, and what arcan schemas add has added]",
)
@click.option(
    "--schemas",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=f"A folder of further schemas (arcan schemas add).  [default: {OWN_SCHEMAS}, if there]",
)
def validate(
    paths: tuple[Path, ...],
    engine: str,
    style: str,
    versions: tuple[EsoVersion | None, ...],
    schemas: Path | None,
) -> None:
    """Build overlays with Kustomize and validate every manifest.

    PATH is a directory of overlays (default: kustomize), or of plain manifests where it holds no
    kustomization; a file; or - for standard input. An overlay that arcan.yaml declares is judged by its own
    esoVersion, everything else by the newest, unless --eso-version says otherwise. Exits 1 unless there are
    manifests and all are valid. A manifest whose kind has no schema is a failure, and nothing is fetched from
    a network.
    """
    sources: list[Source] = []
    for path in paths or (at_root(KUSTOMIZE),):
        if str(path) == "-":
            sources.append(StandardInput(sys.stdin.buffer))
        else:
            sources.extend(discover(path))
    further = further_schemas(schemas)
    known = eso_versions(further)
    wanted = dict.fromkeys(eso_version_for(version, further) for version in versions if version is not None)
    names = known if None in versions else tuple(wanted) or known[-1:]
    own = {} if versions else _own_versions(sources, further)
    report = validate_sources(tuple(sources), _engine(engine), schema_sets(names, further), own)
    click.echo(FORMATS[style](report), nl=False)
    if not report.passed:
        raise click.exceptions.Exit(1)


def _own_versions(sources: Sequence[Source], further: Path | None) -> dict[str, SchemaSet]:
    """The schemas of each overlay that an arcan.yaml sets a version for, by the name of its source."""
    own: dict[str, SchemaSet] = {}
    sets: dict[str, SchemaSet] = {}
    settings: dict[Path, Settings] = {}
    for source in sources:
        if not isinstance(source, BuiltOverlay) or (found := _place(source.directory)) is None:
            continue
        folder, name = found
        if folder not in settings:
            settings[folder] = read_settings(folder)
        declared = {overlay.name: overlay.settings for overlay in settings[folder].declared}
        version = declared.get(OverlayName(name), settings[folder].defaults).eso_version
        try:
            schemas = eso_version_for(version, further)
        except NoSchemasOfVersion as error:
            warn(f"{source.directory}: {error.message}: judged by the newest; {error.hint}")
            continue
        own[str(source.directory)] = sets.setdefault(schemas, SchemaSet(schemas, further))
    return own


def _place(directory: Path) -> tuple[Path, str] | None:
    """(the folder of arcan.yaml, the overlay) of a directory in `overlays/NAME`; None for any other."""
    whole = directory.absolute()
    for folder in (whole, *whole.parents):
        if folder.parent.name == "overlays" and (folder.parent.parent / SETTINGS_FILE).is_file():
            return folder.parent.parent, folder.name
    return None


def further_schemas(given: Path | None) -> Path | None:
    """The folder of schemas that `--schemas` names, or the repository's own one, if it has one."""
    own = at_root(OWN_SCHEMAS)
    return given or (own if own.is_dir() else None)


def _engine(name: str) -> Engine:
    if name == "embedded":
        return Embedded()
    kubeconform = Kubeconform.find()
    if kubeconform is not None:
        return kubeconform
    if name == "kubeconform":
        raise ArcanError(
            "kubeconform is not on PATH",
            hint="go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0, or --engine embedded",
        )
    say("kubeconform is not installed: the embedded validator uses the same schemas")
    return Embedded()
