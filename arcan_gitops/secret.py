"""A secret text that cannot be shown by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn


class SecretValue:
    """Holds one secret; repr, str and format are redacted, and it cannot be pickled.

    `.reveal()` is the one way to the text. A test counts the modules that call it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "SecretValue([redacted])"

    def __str__(self) -> str:
        return "[redacted]"

    def __format__(self, spec: str) -> str:
        return "[redacted]"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        mine, theirs = (s._text.encode("utf-8", "surrogatepass") for s in (self, other))
        return hmac.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # a hash is a way to compare without `==`

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SecretValue cannot be pickled")
