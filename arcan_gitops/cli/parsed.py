"""Arguments that the product's own parsers read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from arcan_gitops.errors import ArcanError


class Parsed(click.ParamType):  # type: ignore[type-arg]  # no generic in click 8.1
    """What `parser` makes of the text; an `ArcanError` from it is wrong usage (exit status 2)."""

    def __init__(self, name: str, parser: Callable[[str], Any]) -> None:
        self.name = name
        self._parser = parser

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parser(value)
        except ArcanError as error:
            self.fail(f"{error.message}; {error.hint}" if error.hint else error.message, param, ctx)


def each_once(context: click.Context, option: click.Parameter, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """The callback of an option that is repeatable: what is given twice counts once."""
    return tuple(dict.fromkeys(given))
