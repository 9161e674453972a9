"""`arcan secret import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.secret_target import Target, names_document, refuse_present, takes_target
from arcan_gitops.cli.secret_value import MAX_FILE_BYTES, read_input
from arcan_gitops.errors import ArcanError, SeveralErrors, quoted
from arcan_gitops.names import InvalidName, KeyName, did_you_mean
from arcan_gitops.realms.importing import FORMATS, BadImport, Values, read_values
from arcan_gitops.sops import Document


def _old_new(text: str) -> tuple[str, KeyName]:
    old, equals, new = text.rpartition("=")
    if not equals or not old:
        raise InvalidName(f"{text!r} is not OLD=NEW")
    return old, KeyName.parse(new)


@click.command("import")
@names_document
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", type=click.Choice(FORMATS), help="What FILE is. [default: by its name and content]")
@click.option(
    "--map",
    "mapped",
    type=Parsed("old=new", _old_new),
    multiple=True,
    help="Import OLD under the name NEW; repeatable.",
)
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
    path = None if str(file) == "-" else file
    source = "standard input" if path is None else str(path)
    values = _renamed(read_values(read_input(path, MAX_FILE_BYTES), source, format), dict(mapped), source)
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


def _renamed(values: Values, mapped: dict[str, KeyName], source: str) -> Values:
    for old in mapped:
        if old not in values:
            raise BadImport(f"--map: {source} has no key {old!r}", hint=did_you_mean(old, values))
    renamed: Values = {}
    problems: list[ArcanError] = []
    for old, value in values.items():
        new = mapped.get(old, old)
        try:
            KeyName.parse(new)
            if new in renamed:
                raise BadImport(
                    f"two keys would be named '{new}'", hint=f"map one of them: --map {quoted(f'{old}=NEW')}"
                )
        except InvalidName as error:
            problems.append(InvalidName(error.message, hint=f"give it a name: --map {quoted(f'{old}=NEW')}"))
        except BadImport as error:
            problems.append(error)
        renamed[new] = value
    _refuse(problems, source)
    return renamed


def _set_all(document: Document, values: Values, source: str) -> None:
    try:
        document.update(values)
    except SeveralErrors as several:
        _refuse(several.problems, source)


def _refuse(problems: Sequence[ArcanError], source: str) -> None:
    if problems:
        raise SeveralErrors(
            f"{source}: {len(problems)} key(s) cannot be imported; nothing was changed:", problems
        )
