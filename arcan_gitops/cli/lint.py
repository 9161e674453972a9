"""`arcan lint`: manifests that people wrote, and the rules."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.output import warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.eso_version import EsoVersion, unknown_version
from arcan_gitops.explanations import command
from arcan_gitops.lint.check import ALL_RULES, rule_id
from arcan_gitops.lint.check import lint as lint_sources
from arcan_gitops.lint.reading import Source, files_under, read_file
from arcan_gitops.lint.reports import FORMATS
from arcan_gitops.validate.schemaset import eso_versions

_RULE = Parsed("rule", rule_id)


@click.group()
def lint() -> None:
    """Check manifests for what a schema cannot see."""


@lint.command()
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
)
@format_option(
    FORMATS, old=None, help="Lines for people, JSON, SARIF for code scanning, or GitHub's annotations."
)
@click.option(
    "--eso-version",
    "eso",
    metavar="VERSION",
    type=Parsed("version", EsoVersion.parse),
    default=eso_versions()[-1],
    show_default=True,
    help="The ESO that the manifests are for.",
)
@click.option("--rule", "only", metavar="ID", type=_RULE, multiple=True, help="This rule only; repeatable.")
@click.option(
    "--ignore", "ignored", metavar="ID", type=_RULE, multiple=True, help="Not this rule; repeatable."
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
def manifests(
    paths: tuple[Path, ...],
    style: str,
    eso: EsoVersion,
    only: tuple[str, ...],
    ignored: tuple[str, ...],
    strict: bool,
) -> None:
    """Check manifests for ESO, and what is around them.

    PATH is a file, a folder (its .yaml and .yml files, at any depth), or - for standard input. An
    ExternalSecret is judged with its store where the store is among the manifests. Exits 1 on errors. No
    cluster, network or key is needed, and no value is printed.

    A comment switches a rule off for its line or the line below it, above a document's first line for the
    whole document, and says why:

    \b
      # arcan-lint: ignore ARC040 one team, one cluster: every namespace is ours
    """
    if unknown := unknown_version(eso):
        warn(unknown)
    report = lint_sources(_sources(paths), eso, only=only, ignored=ignored)
    click.echo(FORMATS[style](report), nl=False)
    if not report.passed(strict=strict):
        raise click.exceptions.Exit(1)


def _sources(paths: tuple[Path, ...]) -> list[Source]:
    """Each file once, however many of the paths lead to it."""
    sources: dict[str, Source] = {}
    for path in paths:
        if str(path) == "-":
            sources.setdefault("-", Source("-", sys.stdin.buffer.read()))
            continue
        for file in files_under(path):
            sources.setdefault(str(file), read_file(file))
    return list(sources.values())


@lint.command()
def rules() -> None:
    """List the rules, and what prints the page about each."""
    width = max(len(rule.title) for rule in ALL_RULES)
    for rule in ALL_RULES:
        click.echo(f"{rule.id}  {rule.severity:<7}  {rule.title:<{width}}  {command(rule.id)}")
