"""Refusals of callers without a valid token: the first of a second is a line, the others are a count.

Whoever reaches the port could fill a disk otherwise. How many addresses are told apart is bounded; what is
beyond goes into one count for all of them.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

MOST_SOURCES: Final = 1024
OTHERS: Final = "others"  # in place of an address, beyond the bound


class Source(NamedTuple):
    """What refusals have in common that are counted together."""

    client: str | None
    status: int
    code: str
    reason: str | None


class Refusals:
    """The refusals of the running second."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: Counter[Source] = Counter()

    def is_first(self, source: Source, now: float) -> bool:
        """Whether the refusal is one to write by itself; if not, it is counted. Take `ended` before."""
        self._second = int(now)
        if source not in self._counts and len(self._counts) >= MOST_SOURCES:
            source = source._replace(client=OTHERS)
        self._counts[source] += 1
        return self._counts[source] == 1 and source.client != OTHERS

    def ended(self, now: float) -> list[dict[str, str | int | None]]:
        """The counts of a second that is over, each once, with what their refusals have in common."""
        if int(now) == self._second or not self._counts:
            return []
        counts, self._counts = self._counts, Counter()
        lines: list[dict[str, str | int | None]] = []
        for source, many in counts.items():
            left = many if source.client == OTHERS else many - 1  # the first one has its own line
            if left:
                lines.append({**source._asdict(), "count": left})
        return lines
