"""When ESO asks again: the policy, the interval, and the spread that keeps a fleet from asking at once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from arcan_gitops.names import InvalidName
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.yamlio import Fields, one_of

REFRESH_POLICIES: Final = ("Periodic", "OnChange", "CreatedOnce")


@dataclass(frozen=True, slots=True)
class RefreshChange:
    """What one place says of refreshing; None leaves it as it is in the place above."""

    policy: str | None = None
    interval: Duration | None = None

    @classmethod
    def parse(cls, fields: Fields) -> RefreshChange:
        """The fields `refreshPolicy` and `refreshInterval`. Raises `InvalidFile`."""
        policy, interval = fields.optional_text("refreshPolicy"), fields.optional_text("refreshInterval")
        return cls(
            None if policy is None else one_of(fields, "refreshPolicy", policy, REFRESH_POLICIES),
            None if interval is None else fields.parse("refreshInterval", Duration, interval),
        )


@dataclass(frozen=True, slots=True)
class Refresh:
    """Periodic: every `interval`, and when the manifest changes. OnChange: only then. CreatedOnce: never."""

    policy: str
    interval: Duration

    def changed(self, *changes: RefreshChange) -> Refresh:
        """With the changes made, in their order."""
        policy, interval = self.policy, self.interval
        for change in changes:
            policy, interval = change.policy or policy, change.interval or interval
        return Refresh(policy, interval)


DEFAULT_REFRESH: Final = Refresh("Periodic", Duration("1h0m0s"))


@dataclass(frozen=True, slots=True)
class Spread:
    """By how much an interval may differ, as a part of it.

    ESO adds no jitter of its own (#4231): what was applied together asks together, for ever.
    """

    percent: int
    _grammar: ClassVar = re.compile(r"([1-9][0-9]?)%", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> Spread:
        """`10%`, from 1 to 50. Raises `InvalidName`."""
        match = cls._grammar.fullmatch(text)
        if match is None or int(match[1]) > 50:
            raise InvalidName(f"{text[:80]!r} is not a spread", hint="write 1% to 50%, such as 10%")
        return cls(int(match[1]))

    def of(self, interval: Duration, name: str) -> Duration:
        """The interval for the ExternalSecret of that name: the same at every run, different by name."""
        position = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 0xFFFFFFFF  # 0 to 1
        seconds = round(interval.seconds * (1 + (2 * position - 1) * self.percent / 100))
        return Duration.parse(f"{max(1, seconds)}s")
