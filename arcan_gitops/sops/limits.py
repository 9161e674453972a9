"""How large a document may be before it is refused unread, and what it may hold in clear or empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may hold.

    `max_bytes` is the size of the file. `max_depth` is the nesting of maps and lists. `max_leaves` is the
    number of values. `allow_unencrypted` are case-sensitive globs over the top-level keys below which values
    may be in clear. `allow_empty` are globs over those below which values may be empty or null.
    """

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 100
    max_leaves: int = 1_000_000
    allow_unencrypted: tuple[str, ...] = ()
    allow_empty: tuple[str, ...] = ()


DEFAULT_LIMITS: Final = Limits()
# For what asks for the recipients alone, or imports what was not made for a realm.
ANY_VALUES: Final = Limits(allow_unencrypted=("*",), allow_empty=("*",))
