"""How large a document may be before it is refused unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one document. `max_bytes` is the file's size, `max_depth` the nesting of maps and lists,
    `max_leaves` the number of values.
    """

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 100
    max_leaves: int = 1_000_000


DEFAULT_LIMITS: Final = Limits()
