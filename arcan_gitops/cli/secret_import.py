"""`arcan secret import`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from arcan_gitops.cli.imported_keys import map_option, refuse_all, renamed
from arcan_gitops.cli.output import say
from arcan_gitops.cli.secret_files import put
from arcan_gitops.cli.secret_target import Target, names_document, refuse_present, takes_target
from arcan_gitops.cli.secret_value import read_source
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import KeyName
from arcan_gitops.realms.importing import FORMATS, Values, read_values


@click.command("import")
@names_document
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", type=click.Choice(FORMATS), help="What FILE is. [default: by its name and content]")
@map_option
@click.option("--replace", is_flag=True, help="Replace the values of existing keys.")
@click.option("--only-new", is_flag=True, help="Leave existing keys as they are, unseen.")
@click.option("--dry-run", is_flag=True, help="Change nothing; list the names that would be set.")
@takes_target
def import_values(
    target: Target,
    file: Path,
    format: str | None,
    mapped: tuple[tuple[str, KeyName], ...],
    replace: bool,
    only_new: bool,
    dry_run: bool,
) -> None:
    """Set all the keys that a file holds, or none.

    FILE (- is standard input) is a dotenv file, a mapping of names to single values in JSON or YAML, or the
    manifest of a Kubernetes Secret, whose base64 is decoded. The file is not removed: delete it afterwards.

    Where each key has a file, this takes no identity, unless --replace is given.
    """
    if replace and only_new:
        raise click.UsageError("--replace and --only-new exclude each other")
    data, source = read_source(file)
    values = renamed(read_values(data, source, format, place=target.place), dict(mapped), source)
    if not replace and (files := target.open_files()) is not None:
        new = _new(values, files.keys, files.path, only_new)
        with _refusing(source):
            files.changes(new, {}, ())
        if not dry_run and new:
            put(files, new)
        return _tell(files.path, values, new, 0, dry_run=dry_run)
    opened = target.open()
    document = opened.edit()
    new = values if replace else _new(values, document.tree, opened.path, only_new)
    there = sum(key in document.tree for key in new)
    with _refusing(source):
        document.update(new)
    if dry_run:
        document.changed()
        _tell(opened.path, values, new, there, dry_run=True)
    elif document.save():
        _tell(opened.path, values, new, there, dry_run=False)
    else:
        say(f"unchanged: {opened.path}")


def _new(values: Values, there: Collection[str], path: Path, only_new: bool) -> Values:
    """The values whose keys are not there. Raises `AlreadyThere` unless `only_new`."""
    if not only_new:
        refuse_present(there, path, list(values))
    return {key: value for key, value in values.items() if key not in there}


def _tell(path: Path, values: Values, new: Values, there: int, *, dry_run: bool) -> None:
    kept = len(values) - len(new)
    if dry_run:
        for key in new:
            click.echo(key)
        say(f"would set {len(new)} key(s) in {path}, {there} of which are there already")
    elif new:
        say(f"set {len(new)} key(s) in {path}: {', '.join(new)}")
    if kept:
        say(f"left {kept} key(s) as they are, for they are there already")


@contextmanager
def _refusing(source: str) -> Iterator[None]:
    """What is wrong with several keys is told of the source."""
    try:
        yield
    except SeveralErrors as several:
        refuse_all(several.problems, source)
