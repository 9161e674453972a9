"""Durations as Kubernetes stores them."""

from __future__ import annotations

from typing import Self

from arcan_gitops.durations import RULE, parse_seconds
from arcan_gitops.names import InvalidName

_LONGEST_HOURS = (1 << 63) // 3_600_000_000_000  # Go counts nanoseconds in an int64


class Duration(str):
    """A positive duration in Go's canonical form: `1h0m0s`, `1m30s`, `45s`.

    The canonical form (time.Duration.String) is the only one that Argo CD never shows as drift.
    """

    __slots__ = ()

    @property
    def seconds(self) -> int:
        """The whole duration."""
        return parse_seconds(self)

    @classmethod
    def parse(cls, text: str) -> Self:
        """A duration as people write it: `1d`, `90m`, `1h30m`.

        Zero is refused: to ESO it means 'fetch once, never again'. Raises `InvalidName`.
        """
        total = parse_seconds(text)
        if not 0 < total < _LONGEST_HOURS * 3600:
            problem = "is too long" if total else "is zero, and ESO would never refresh"
            raise InvalidName(f"the duration {text[:80]!r} {problem}", hint=f"write {RULE}")
        hours, rest = divmod(total, 3600)
        minutes, seconds = divmod(rest, 60)
        if hours:
            return cls(f"{hours}h{minutes}m{seconds}s")
        return cls(f"{minutes}m{seconds}s" if minutes else f"{seconds}s")
