"""What a file holds, with its lines, so that every error can point at its place."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

from arcan_gitops.errors import ArcanError, OldName, together
from arcan_gitops.names import InvalidName, did_you_mean, nearest

T = TypeVar("T")
_PLACE: Final = re.compile(r".*?:(\d+): ")


class InvalidFile(ArcanError):
    """A file that is not what it has to be; the message starts with `file:line:`.

    `problems` are the single ones where it stands for several, which the message lists.
    """

    problems: tuple[InvalidFile, ...] = ()


def all_of(found: Sequence[InvalidFile]) -> InvalidFile:
    """One error for all of them, in the order of the file."""
    single: dict[str, InvalidFile] = {}
    for error in found:
        for problem in error.problems or (error,):
            single.setdefault(problem.message, problem)
    problems = sorted(single.values(), key=_line)
    whole = together(problems, f"{len(problems)} problems:")
    if len(problems) > 1:
        whole.problems = tuple(problems)
    return whole


def _line(error: InvalidFile) -> int:
    """Where the problem is; those without a line come first."""
    match = _PLACE.match(error.message)
    return int(match[1]) if match is not None else 0


class Items(list[Any]):
    """A list of a file, with the line of each item."""

    def __init__(self, items: Iterable[tuple[int, Any]]) -> None:
        self.lines: list[int] = []
        for line, item in items:
            self.lines.append(line)
            self.append(item)

    def again(self) -> Items:
        """A copy that knows nothing of what was asked of this one."""
        return Items((line, _again(item)) for line, item in zip(self.lines, self, strict=True))


class Fields:
    """One mapping of a file, with the line of each field, so that an error can point at it.

    Every accessor raises `InvalidFile`. `done()` refuses the fields that nobody asked for.
    """

    def __init__(self, source: str, line: int, values: Mapping[str, Any], lines: Mapping[str, int]) -> None:
        self.source = source
        self.line = line
        self._values = values
        self._lines = lines
        self._asked: set[str] = set()

    def fail(self, problem: str, *, field: str | None = None, hint: str | None = None) -> NoReturn:
        """Raise `InvalidFile` at this mapping, or at one of its fields."""
        line = self._lines.get(field, self.line) if field is not None else self.line
        raise InvalidFile(f"{self.source}:{line}: {problem}", hint=hint)

    def __contains__(self, field: str) -> bool:
        return field in self._values

    def names(self) -> tuple[str, ...]:
        """The names of all fields, in file order."""
        return tuple(self._values)

    def members(self) -> dict[str, tuple[int, Any]]:
        """Name -> (line, value) of all fields, in file order."""
        return {name: (self._lines[name], value) for name, value in self._values.items()}

    def again(self) -> Fields:
        """A copy, as an alias makes one: what was asked of this one was not asked of the other."""
        values = {name: _again(value) for name, value in self._values.items()}
        return Fields(self.source, self.line, values, self._lines)

    def line_of(self, field: str) -> int:
        """The line of a field, or of the mapping if it has no such field."""
        return self._lines.get(field, self.line)

    def _get(self, field: str) -> Any:
        self._asked.add(field)
        return self._values.get(field)

    def _wrong(self, field: str, wanted: str) -> NoReturn:
        self.fail(f"'{field}' must be {wanted}", field=field)

    def renamed(self, old: str, new: str) -> None:
        """Take the field `old` for `new`, with the warning `OldName`; both at once are refused."""
        if old not in self._values:
            return
        if new in self._values:
            problem = f"'{old}' is the old name of '{new}', and both are set"
            self.fail(problem, field=old, hint=f"remove '{old}'")
        line = self.line_of(old)
        self._values = {new if field == old else field: value for field, value in self._values.items()}
        self._lines = {**self._lines, new: line}
        message = f"{self.source}:{line}: '{old}' is now called '{new}': rename it"
        warnings.warn(message, OldName, stacklevel=2)

    def done(self) -> None:
        """Refuse unknown fields, which are those that nobody asked for, naming the one probably meant."""
        self.only(*self._asked)

    def only(self, *known: str) -> None:
        """The same before anything is asked, so that a misspelt field is not reported as a missing one."""
        found = []
        for field in self._values:
            if field not in known:
                near = nearest(field, known)
                hint = f"did you mean '{near}'?" if near else f"known fields: {', '.join(sorted(known))}"
                found.append(
                    InvalidFile(f"{self.source}:{self.line_of(field)}: unknown field '{field}'", hint=hint)
                )
        if found:
            raise all_of(found)

    def optional_text(self, field: str) -> str | None:
        """A string, or None where the field is missing."""
        value = self._get(field)
        if value is None and field not in self._values:
            return None
        if not isinstance(value, str):
            self._wrong(field, "a text (quote it if it looks like a number, a date or a boolean)")
        return value

    def text(self, field: str, default: str | None = None) -> str:
        """A string; without a default, the field is required."""
        value = self.optional_text(field)
        if value is None:
            if default is None:
                self.fail(f"'{field}' is missing")
            return default
        return value

    def flag(self, field: str, default: bool = False) -> bool:
        """A boolean."""
        value = self._get(field)
        if field not in self._values:
            return default
        if not isinstance(value, bool):
            self._wrong(field, "true or false")
        return value

    def integer(self, field: str, default: int | None = None) -> int:
        """An integer; without a default, the field is required."""
        value = self._get(field)
        if field not in self._values:
            if default is None:
                self.fail(f"'{field}' is missing")
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self._wrong(field, "an integer")
        return value

    def optional_texts(self, field: str) -> tuple[str, ...] | None:
        """A list of strings, or None where the field is missing."""
        value = self._get(field)
        if field not in self._values:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(field, "a list of texts")
        return tuple(value)

    def is_mapping(self, field: str) -> bool:
        """Whether the field is there and is a mapping."""
        self._asked.add(field)
        return isinstance(self._values.get(field), Fields)

    def is_text(self, field: str) -> bool:
        """Whether the field is there and is a string."""
        self._asked.add(field)
        return isinstance(self._values.get(field), str)

    def optional_mapping(self, field: str) -> Fields | None:
        """A nested mapping, or None where the field is missing."""
        value = self._get(field)
        if field not in self._values:
            return None
        if not isinstance(value, Fields):
            self._wrong(field, "a mapping")
        return value

    def items(self, field: str) -> tuple[Any, ...]:
        """A list whose items are texts, numbers, or `Fields`; empty where the field is missing."""
        value = self._get(field)
        if field not in self._values:
            return ()
        if not isinstance(value, list):
            self._wrong(field, "a list")
        return tuple(value)

    def item_lines(self, field: str) -> tuple[int, ...]:
        """The line of each of the `items` of a list."""
        value = self._get(field)
        return tuple(value.lines) if isinstance(value, Items) else ()

    def mappings(self, field: str) -> tuple[Fields, ...]:
        """A list of nested mappings; empty where the field is missing."""
        items = self.items(field)
        for item in items:
            if not isinstance(item, Fields):
                self._wrong(field, "a list of mappings")
        return items

    def plain(self) -> dict[str, Any]:
        """All of it as plain mappings, lists and scalars, for what another program judges."""
        self._asked.update(self._values)
        return {name: _plain(value) for name, value in self._values.items()}

    def parse(self, field: str, parser: type[Any], text: str) -> Any:
        """`parser.parse(text)`, a bad name pointing at the field."""
        try:
            return parser.parse(text)
        except InvalidName as error:
            self.fail(error.message, field=field, hint=error.hint)


def _again(value: Any) -> Any:
    return value.again() if isinstance(value, Fields | Items) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Fields):
        return value.plain()
    return [_plain(item) for item in value] if isinstance(value, list) else value


def one_of(fields: Fields, field: str, text: str, known: Sequence[str]) -> str:
    """`text` if it is known, else `InvalidFile` with the nearest."""
    if text not in known:
        fields.fail(f"{field} '{text}' is not known", field=field, hint=did_you_mean(text, known))
    return text
