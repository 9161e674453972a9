"""What the doctor says, as data."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from arcan_gitops.errors import printable

Place = tuple[str, str]  # namespace and name


class Severity(enum.StrEnum):
    """ERROR: a Secret is not, or will not be, what it should be. WARNING: it works, and will not for long, or
    is not wise. NOTE: good to know, and nothing is wrong.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: `where` is an object, `what` is wrong with it, `fix` are commands to paste.

    `of` are the ExternalSecrets that it keeps from being right; empty: it is about the cluster. No text holds
    a value or a token.
    """

    severity: Severity
    where: str
    what: str
    fix: tuple[str, ...] = ()
    of: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class NotDone:
    """What a check could not look at, `why`, and what to do about that."""

    what: str
    why: str
    fix: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`Found`, with the check that found it."""

    check: str
    found: Found


@dataclass(frozen=True, slots=True)
class Report:
    """All of one run: what was found, the worst first; what could not be looked at, and by which checks."""

    findings: tuple[Finding, ...]
    not_done: tuple[tuple[NotDone, tuple[str, ...]], ...]
    looked_at: tuple[Place, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are that bad."""
        return sum(finding.found.severity is severity for finding in self.findings)

    @property
    def status(self) -> int:
        """The exit status: 1 where there is an error, else 3 where there is a warning, else 0."""
        if self.count(Severity.ERROR):
            return 1
        return 3 if self.count(Severity.WARNING) else 0


def error(where: str, what: str, *fix: str, of: Iterable[Place] = ()) -> Found:
    """A finding that is an error."""
    return _found(Severity.ERROR, where, what, fix, of)


def warning(where: str, what: str, *fix: str, of: Iterable[Place] = ()) -> Found:
    """A finding that is a warning."""
    return _found(Severity.WARNING, where, what, fix, of)


def note(where: str, what: str, *fix: str, of: Iterable[Place] = ()) -> Found:
    """A finding that is a note."""
    return _found(Severity.NOTE, where, what, fix, of)


def _found(severity: Severity, where: str, what: str, fix: tuple[str, ...], of: Iterable[Place]) -> Found:
    """Each text as one line: names in it come from whoever may write to the cluster."""
    return Found(severity, printable(where), printable(what), tuple(map(printable, fix)), frozenset(of))
