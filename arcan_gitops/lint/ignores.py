"""`# arcan-lint: ignore ARC051 the server tells a missing key from a missing realm`

At the end of a line, or alone above it, the comment is about that line; above a document's first line it is
about the whole document. A reason is required: whoever reads the manifest later wants to know it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from arcan_gitops.lint.findings import Found, Place, Severity
from arcan_gitops.lint.reading import Chunk
from arcan_gitops.lint.rule import Rule

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#\s*arcan-lint\b:?\s*(.*?)\s*$")
_IGNORE: Final = re.compile(r"ignore\s+(ARC\d{3}(?:\s*,\s*ARC\d{3})*)(?:\s+(.*))?", re.IGNORECASE)
_SYNTAX: Final = "write: # arcan-lint: ignore ARC051 why it is right here"


@dataclass(frozen=True, slots=True)
class Ignore:
    """Switches rules off for the lines from `first` to `last` of a source, both included."""

    source: str
    first: int
    last: int
    rules: frozenset[str]

    def covers(self, rule: str, place: Place | None) -> bool:
        """Whether a finding is switched off."""
        return (
            place is not None
            and rule in self.rules
            and place.path == self.source
            and self.first <= place.line <= self.last
        )


# The one rule without a check: what is wrong with the comments comes out of reading them.
BAD_IGNORE: Final = Rule("ARC003", Severity.ERROR, "an ignore comment that ignores nothing", lambda _: ())


def read_ignores(chunks: Iterable[Chunk], known: frozenset[str]) -> Iterator[Ignore | Found]:
    """The comments of each document, and a finding for each that is not understood. `known`: rule ids."""
    for chunk in chunks:
        lines = chunk.text.split("\n")
        last = chunk.first_line + len(lines) - 1
        in_head = True
        for number, line in enumerate(lines, start=chunk.first_line):
            text = line.strip()
            match = _COMMENT.search(line)
            if match is not None:
                first, final = (number, number) if not text.startswith("#") else (number, number + 1)
                if in_head and text.startswith("#"):
                    first, final = chunk.first_line, last
                yield _parse(match[1], chunk.source, number, (first, final), known)
            if text and not text.startswith(("#", "---", "%")):
                in_head = False


def _parse(
    text: str, source: str, line: int, lines: tuple[int, int], known: frozenset[str]
) -> Ignore | Found:
    place = Place(source, line)
    match = _IGNORE.fullmatch(text)
    if match is None:
        return Found(place, "an arcan-lint comment that is not understood, and ignores nothing", _SYNTAX)
    rules = frozenset(name.strip().upper() for name in match[1].split(","))
    unknown = sorted(rules - known)
    if unknown:
        return Found(place, f"there is no rule {unknown[0]}", "arcan lint rules lists them")
    if not match[2]:
        return Found(place, "an ignore comment without a reason, which ignores nothing", _SYNTAX)
    return Ignore(source, *lines, rules)
