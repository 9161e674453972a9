"""The one root of every failure that this package reports."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Self


class ArcanError(Exception):
    """Something is wrong that a person can mend.

    `message` says what and where (a path, a line, a key name; never a value, a token or an identity);
    `hint` says what to do next. Subclasses exist for distinctions that a caller or a test must make.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def located(self, where: object) -> Self:
        """This error, its message starting with `where: `."""
        self.message = f"{where}: {self.message}"
        self.args = (self.message,)
        return self


class SeveralErrors(ArcanError):
    """All the problems of one run, so that nobody mends them one start at a time."""

    def __init__(self, summary: str, problems: Sequence[ArcanError], *, hint: str | None = None) -> None:
        lines = [summary]
        for problem in problems:
            lines.append(f"  {problem.message}")
            if problem.hint:
                lines.append(f"    hint: {problem.hint}")
        super().__init__("\n".join(lines), hint=hint)
        self.problems = tuple(problems)


def some(texts: Sequence[str], most: int = 8, *, between: str = ", ") -> str:
    """The texts, with commas between them; of many the first ones, and how many more there are."""
    shown = between.join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"


def place_of(error: BaseException) -> str:
    """`module.py:123` of where an exception was raised: what may be said of a bug, unlike its text."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown place"
    last = frames[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"


def printable(text: str) -> str:
    """The text without what would drive a terminal or forge a line of a log; line ends stay.

    Names of files and fields come from whoever opened the pull request.
    """
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
