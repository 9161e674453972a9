"""`arcan secret import`."""

from __future__ import annotations

from pathlib import Path

import click

from arcan_gitops.cli.imported_keys import map_option, refuse_all, renamed
from arcan_gitops.cli.output import say
from arcan_gitops.cli.secret_target import Target, names_document, refuse_present, takes_target
from arcan_gitops.cli.secret_value import read_source
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import KeyName
from arcan_gitops.realms.importing import FORMATS, Values, read_values
from arcan_gitops.sops import Document


@click.command("import")
@names_document
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", type=click.Choice(FORMATS), help="What FILE is. [default: by its name and content]")
@map_option
@click.option("--replace", is_flag=True, help="Replace the values of existing keys.")
@click.option("--dry-run", is_flag=True, help="Change nothing; list the names that would be set.")
@takes_target
def import_values(
    target: Target,
    file: Path,
    format: str | None,
    mapped: tuple[tuple[str, KeyName], ...],
    replace: bool,
    dry_run: bool,
) -> None:
    """Set all the keys that a file holds, or none.

    FILE (- is standard input) is a dotenv file, a mapping of names to single values in JSON or YAML, or the
    manifest of a Kubernetes Secret, whose base64 is decoded. The file is not removed: delete it afterwards.
    """
    data, source = read_source(file)
    values = renamed(read_values(data, source, format, place=target.place), dict(mapped), source)
    opened = target.open()
    document = opened.load()
    if not replace:
        refuse_present(document, opened.file.path, list(values))
    there = sum(key in document.tree for key in values)
    _set_all(document, values, source)
    if dry_run:
        opened.changed(document)
        for key in values:
            click.echo(key)
        say(f"would set {len(values)} key(s) in {opened.file.path}, {there} of which are there already")
    elif opened.save(document):
        say(f"set {len(values)} key(s) in {opened.file.path}: {', '.join(values)}")
    else:
        say(f"unchanged: {opened.file.path}")


def _set_all(document: Document, values: Values, source: str) -> None:
    try:
        document.update(values)
    except SeveralErrors as several:
        refuse_all(several.problems, source)
