"""How large a document may be before it is refused unread, and what it may hold in clear or empty."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
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

    def may_be_clear(self, key: str) -> bool:
        """Whether values below a top-level key may be in clear."""
        return _matches(self.allow_unencrypted)(key)

    def may_be_empty(self, key: str) -> bool:
        """Whether values below a top-level key may be empty or null."""
        return _matches(self.allow_empty)(key)


@lru_cache(maxsize=256)
def _matches(globs: tuple[str, ...]) -> Callable[[str], bool]:
    if not globs:
        return lambda name: False
    match = re.compile("|".join(map(translate, globs))).match
    return lambda name: match(name) is not None


DEFAULT_LIMITS: Final = Limits()
# For what asks for the recipients alone, or imports what was not made for a realm.
ANY_VALUES: Final = Limits(allow_unencrypted=("*",), allow_empty=("*",))
