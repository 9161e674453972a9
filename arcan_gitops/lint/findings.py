"""What lint says, as data."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from typing import Final

PAGES: Final = "docs/lint"


class Severity(enum.StrEnum):
    """ERROR: it does not work, loses secrets or gives them away. WARNING: it works, and is not wise."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source; `path` as it was given, `-` for standard input."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found: without a place, it is about the run itself. `severity`: where not the rule's own.

    `message` and `hint` name objects, fields and keys, and never quote a value.
    """

    place: Place | None
    message: str
    hint: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """`Found`, with the rule that found it."""

    rule: str
    severity: Severity
    place: Place | None
    message: str
    hint: str

    @property
    def page(self) -> str:
        """The page about its rule."""
        return page(self.rule)


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one run, by place, and what was looked at."""

    findings: tuple[Finding, ...]
    sources: int
    manifests: int
    eso_version: str

    def count(self) -> Counter[Severity]:
        """How many findings have each severity."""
        return Counter(finding.severity for finding in self.findings)

    def passed(self, *, strict: bool) -> bool:
        """Whether there is no error, and with `strict` nothing at all."""
        return not (self.findings if strict else self.count()[Severity.ERROR])


def page(rule: str) -> str:
    """Where a rule is explained: `docs/lint/ARC020.md`."""
    return f"{PAGES}/{rule}.md"
