"""The names that the keys of a file get: their own, or those of `--map`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.errors import ArcanError, SeveralErrors, quoted
from arcan_gitops.migrate.naming import name_like
from arcan_gitops.names import InvalidName, KeyName, did_you_mean
from arcan_gitops.realms.importing import BadImport, Values


def _old_new(text: str) -> tuple[str, KeyName]:
    old, equals, new = text.rpartition("=")
    if not equals or not old:
        raise InvalidName(f"{text!r} is not OLD=NEW")
    return old, KeyName.parse(new)


map_option = click.option(
    "--map",
    "mapped",
    type=Parsed("old=new", _old_new),
    multiple=True,
    help="Import OLD under the name NEW; repeatable.",
)


def renamed(values: Values, mapped: dict[str, KeyName], source: str) -> Values:
    """The values by the names that they get.

    Raises `BadImport` for a name in `mapped` that no value has, `SeveralErrors` for all names that are no
    names of keys, or that two values would get.
    """
    for old in mapped:
        if old not in values:
            raise BadImport(f"--map: {source} has no key {old!r}", hint=did_you_mean(old, values))
    named: Values = {}
    problems: list[ArcanError] = []
    for old, value in values.items():
        new = mapped.get(old, old)
        try:
            KeyName.parse(new)
            if new in named:
                raise BadImport(
                    f"two keys would be named '{new}'", hint=f"map one of them: --map {quoted(f'{old}=NEW')}"
                )
        except InvalidName as error:
            hint = f"give it a name: --map {quoted(f'{old}={name_like(old)}')}"
            problems.append(InvalidName(error.message, hint=hint))
        except BadImport as error:
            problems.append(error)
        named[new] = value
    refuse_all(problems, source)
    return named


def refuse_all(problems: Sequence[ArcanError], source: str) -> None:
    """Raise `SeveralErrors` for the keys of a source that cannot be imported."""
    if problems:
        raise SeveralErrors(
            f"{source}: {len(problems)} key(s) cannot be imported; nothing was changed:", problems
        )
