"""The one root of every failure that this package reports."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from typing import Final, Self, TypeVar

# What a CI system would run as a command: `::error::` where a line begins (GitHub), `##[error]` anywhere in
# a line (GitHub, Azure), `##vso[...]` (Azure), `##teamcity[...]`.
_PLACED: Final = re.compile(r"(?P<place>[^\n]*?:\d+): (?P<text>[^\n]*)")
_WORKFLOW_COMMAND: Final = re.compile(r"^\s*:(?=:)|#(?=#(?:vso|teamcity)?\[)")


class ArcanError(Exception):
    """Something is wrong that a person can mend.

    `message` says what and where (a path, a line, a key name; never a value, a token or an identity);
    `hint` says what to do next. Each is one line, whatever the names in it hold; a sequence of texts is
    several lines, joined by line ends. Subclasses exist for distinctions that a caller or a test must make.
    """

    def __init__(self, message: str | Sequence[str], *, hint: str | Sequence[str] | None = None) -> None:
        self.message = _lines(message)
        self.hint = None if hint is None else _lines(hint)
        super().__init__(self.message)

    def located(self, where: object) -> Self:
        """This error, its message starting with `where: `."""
        self.message = f"{printable(str(where))}: {self.message}"
        self.args = (self.message,)
        return self


E = TypeVar("E", bound=ArcanError)


class OldName(UserWarning):
    """A name that was changed and still works; the message says where it is, and the new one."""


class SeveralErrors(ArcanError):
    """All the problems of one run, so that nobody mends them one start at a time.

    What repeats is said once: a problem that is in several places, and a hint that several problems have.
    """

    def __init__(self, summary: str, problems: Sequence[ArcanError], *, hint: str | None = None) -> None:
        lines = [summary]
        by_hint: dict[str, list[ArcanError]] = {}
        for problem in problems:
            by_hint.setdefault(problem.hint or "", []).append(problem)
        for advice, group in by_hint.items():
            for message in grouped([problem.message for problem in group]):
                lines += f"  {message}".split("\n")
            if advice:
                lines += f"    hint: {advice}".split("\n")
        super().__init__(lines, hint=hint)
        self.problems = tuple(problems)


def grouped(messages: Sequence[str]) -> tuple[str, ...]:
    """The messages in order; those that differ in their place (`FILE:LINE: `) alone are one of two lines."""
    places: dict[str, list[str]] = {}
    for number, message in enumerate(messages):
        match = _PLACED.fullmatch(message)
        if match is None:
            places.setdefault(f"{number}\n{message}", [])
        else:
            places.setdefault(match["text"], []).append(match["place"])
    found = []
    for text, where in places.items():
        if not where:
            found.append(text.partition("\n")[2])
            continue
        others = list(dict.fromkeys(where))[1:]
        found.append(f"{where[0]}: {text}" + (f"\n    also at {some(others)}" if others else ""))
    return tuple(found)


def together(problems: Sequence[E], summary: str) -> E:
    """One error, of the first one's class, that says all of them, those with the same hint together."""
    first = problems[0]
    if len(problems) == 1:
        return first
    by_hint: dict[str | None, list[str]] = {}
    for problem in problems:
        by_hint.setdefault(problem.hint, []).append(problem.message)
    one_hint = len(by_hint) == 1
    lines = [summary]
    for hint, messages in by_hint.items():
        for message in messages:
            lines += f"  {message}".split("\n")
        if hint and not one_hint:
            lines += f"    hint: {hint}".split("\n")
    return type(first)(lines, hint=first.hint.split("\n") if one_hint and first.hint else None)


def some(texts: Sequence[str], most: int = 8, *, between: str = ", ") -> str:
    """The texts, with commas between them; of many the first ones, and how many more there are."""
    shown = between.join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"


def counted(number: int, noun: str) -> str:
    """`1 key`, `3 keys`: for a noun whose plural has an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def place_of(error: BaseException) -> str:
    """`module.py:123` of where an exception was raised: what may be said of a bug, unlike its text."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown place"
    last = frames[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"


def printable(text: str) -> str:
    """The text as one line that drives no terminal, forges no line of a log and is no command to a CI system.

    Names of files, fields and keys come from whoever opened the pull request. What could do harm, line ends
    included, is replaced with U+FFFD.
    """
    line = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return _WORKFLOW_COMMAND.sub("\ufffd", line)


def quoted(word: str) -> str:
    """A word of a command in a hint, in the quotes of a shell, whatever is in it."""
    return "'" + word.replace("'", "'\"'\"'") + "'"


def printable_lines(text: str) -> str:
    """A text of several lines, each of them `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def _lines(text: str | Sequence[str]) -> str:
    return printable(text) if isinstance(text, str) else "\n".join(map(printable, text))
