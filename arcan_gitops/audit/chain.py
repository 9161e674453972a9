"""How one line of the audit log follows from the one before it.

`hash` is SHA-256 over the hash of the line before, as its 64 digits, and the line's own bytes up to
`,"hash":`. A line that is sealed has a `mac` before that: HMAC-SHA-256 over the same hash of before and the
line's own bytes up to `,"mac":`, with the key of the server. So who has no key can make a chain that agrees
with itself, but no seal for it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

FIRST: Final = b"0" * 64  # in place of the hash before the first line
HASH_FIELD: Final = b',"hash":"'
MAC_FIELD: Final = b',"mac":"'


@dataclass(frozen=True, slots=True)
class Head:
    """A line of a chain, by which all lines up to it are known."""

    chain: str
    sequence: int
    hash: str


def link(before: bytes, content: bytes) -> str:
    """The hash of a line: `before` are the 64 digits of the one before, `content` is what precedes `hash`."""
    return sha256(before + content).hexdigest()


def seal(key: bytes, before: bytes, content: bytes) -> str:
    """The `mac` of a sealed line; `content` is what precedes it."""
    return hmac.new(key, before + content, sha256).hexdigest()
