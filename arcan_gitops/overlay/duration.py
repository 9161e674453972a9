"""Durations as Kubernetes stores them."""

from __future__ import annotations

import re
from typing import ClassVar

from arcan_gitops.names import InvalidName

_LONGEST_HOURS = (1 << 63) // 3_600_000_000_000  # Go counts nanoseconds in an int64


class Duration(str):
    """A positive duration in Go's canonical form: `1h0m0s`, `1m30s`, `45s`.

    The canonical form (time.Duration.String) is the only one that Argo CD never shows as drift.
    """

    __slots__ = ()
    _grammar: ClassVar = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?", re.ASCII)

    @property
    def seconds(self) -> int:
        """The whole duration."""
        match = self._grammar.fullmatch(self)
        assert match is not None  # it was parsed
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Whole hours, minutes and seconds, in that order: `1h`, `90m`, `1h30m`.

        Zero is refused: to ESO it means 'fetch once, never again'. Raises `InvalidName`.
        """
        match = cls._grammar.fullmatch(text)
        hint = "write hours, minutes and seconds, such as 1h, 90m or 1h30m (a day is 24h)"
        if match is None or not text:
            raise InvalidName(f"{text[:80]!r} is not a duration", hint=hint)
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if not 0 < total < _LONGEST_HOURS * 3600:
            problem = "is too long" if total else "is zero, and ESO would never refresh"
            raise InvalidName(f"the duration {text[:80]!r} {problem}", hint=hint)
        hours, rest = divmod(total, 3600)
        minutes, seconds = divmod(rest, 60)
        if hours:
            return cls(f"{hours}h{minutes}m{seconds}s")
        return cls(f"{minutes}m{seconds}s" if minutes else f"{seconds}s")
