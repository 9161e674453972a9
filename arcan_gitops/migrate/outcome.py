"""What became of each value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from arcan_gitops.migrate.source import Found, Origin
from arcan_gitops.names import KeyName


class Status(StrEnum):
    """What became of a value, in the words of the report."""

    IMPORTED = "imported"  # in a dry run: would be
    UNCHANGED = "unchanged"  # the document has this value already
    SKIPPED = "skipped"  # nothing that a realm could want
    FAILED = "failed"  # somebody has to decide


@dataclass(frozen=True, slots=True)
class Named:
    """A value and the key that it will have; `renamed`: not by its own name alone."""

    found: Found
    key: KeyName
    renamed: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the report; `key` is None where it has none. `base64`: as in `Found`."""

    origin: Origin
    status: Status
    key: KeyName | None = None
    reason: str = ""
    renamed: bool = False
    base64: bool = False
