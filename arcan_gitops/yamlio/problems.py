"""All that is wrong with a file, collected while it is read, so that nobody mends it one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from arcan_gitops.yamlio.fields import InvalidFile, all_of

_T = TypeVar("_T")
_Item = TypeVar("_Item")


class Problems:
    """What went wrong in parts that do not depend on each other."""

    def __init__(self) -> None:
        self.found: list[InvalidFile] = []

    def of(self, parse: Callable[[], _T], default: Any = None) -> _T:
        """What `parse` gives; `default` where it raises `InvalidFile`, to go on with until `refuse`."""
        try:
            return parse()
        except InvalidFile as error:
            self.found.append(error)
            stand_in: _T = default
            return stand_in

    def refuse(self) -> None:
        """Raise all that was found, as one `InvalidFile`."""
        if self.found:
            raise all_of(self.found)


def each(parse: Callable[[_Item], _T], items: Iterable[_Item]) -> tuple[_T, ...]:
    """`parse` of every item. Raises one `InvalidFile` for all items that it refuses."""
    parsed: list[_T] = []
    found: list[InvalidFile] = []
    for item in items:
        try:
            parsed.append(parse(item))
        except InvalidFile as error:
            found.append(error)
    if found:
        raise all_of(found)
    return tuple(parsed)
