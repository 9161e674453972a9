"""`arcan validate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.output import say
from arcan_gitops.cli.root import KUSTOMIZE, at_root
from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.check import validate as validate_sources
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.engine import Engine
from arcan_gitops.validate.kubeconform import Kubeconform
from arcan_gitops.validate.reports import FORMATS
from arcan_gitops.validate.schemaset import eso_versions, schema_sets
from arcan_gitops.validate.sources import Source, StandardInput, discover

OWN_SCHEMAS: Final = f"{KUSTOMIZE}/schemas"


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--engine",
    type=click.Choice(("auto", "kubeconform", "embedded")),
    default="auto",
    show_default=True,
    help="What judges the manifests; auto is kubeconform where it is installed, else embedded.",
)
@click.option(
    "--output",
    type=click.Choice(tuple(FORMATS)),
    default="text",
    show_default=True,
    help="A table for people, JSON, or JUnit XML for CI.",
)
@click.option(
    "--eso-version",
    "versions",
    type=click.Choice((*eso_versions(), "all")),
    multiple=True,
    help=f"The ESO version whose kinds are judged by; repeatable.  [default: {eso_versions()[-1]}]",
)
@click.option(
    "--schemas",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=f"A folder of further schemas (arcan schemas add).  [default: {OWN_SCHEMAS}, if there]",
)
def validate(
    paths: tuple[Path, ...],
    engine: str,
    output: str,
    versions: tuple[str, ...],
    schemas: Path | None,
) -> None:
    """Build overlays with Kustomize and validate every manifest.

    PATH is a directory of overlays (default: kustomize), or of plain manifests where it holds no
    kustomization; a file; or - for standard input. Exits 1 unless every manifest is valid, and where
    there is none. A manifest whose kind has no schema is a failure, and nothing is fetched from a network.
    """
    sources: list[Source] = []
    for path in paths or (at_root(KUSTOMIZE),):
        if str(path) == "-":
            sources.append(StandardInput(sys.stdin.buffer))
        else:
            sources.extend(discover(path))
    wanted = eso_versions() if "all" in versions else versions or eso_versions()[-1:]
    report = validate_sources(tuple(sources), _engine(engine), schema_sets(wanted, further_schemas(schemas)))
    click.echo(FORMATS[output](report), nl=False)
    if not report.passed:
        raise click.exceptions.Exit(1)


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
