"""Base64 as Go's `encoding/base64` reads it: padded, newlines ignored, errors with a byte offset.

Python's decoder accepts and reports differently, and both the value and the offset end up before a user.
Source: Go encoding/base64, `Encoding.decodeQuantum`.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from arcan_gitops.golang.errors import GoError

_STANDARD: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_URL: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_NEWLINES: Final = re.compile(rb"[\r\n]+")


def decode(data: bytes, *, url: bool = False) -> bytes:
    """The decoded bytes. Raises `GoError` with Go's `illegal base64 data at input byte N`."""
    alphabet = _URL if url else _STANDARD
    quantum = 0  # how many characters of the current group of four have been read
    at = 0
    while at < len(data):
        byte = data[at]
        at += 1
        if byte in b"\r\n":
            continue
        if byte in alphabet:
            quantum = (quantum + 1) % 4
            continue
        if byte != ord("=") or quantum < 2:
            raise _illegal(at - 1)
        if quantum == 2:
            at = _skip_newlines(data, at)
            if at == len(data):
                raise _illegal(at)
            if data[at] != ord("="):
                raise _illegal(at - 1)
            at += 1
        at = _skip_newlines(data, at)
        if at < len(data):
            raise _illegal(at)
        quantum = 0
    if quantum:
        raise _illegal(len(data) - quantum)
    return base64.b64decode(_NEWLINES.sub(b"", data), altchars=b"-_" if url else None)


def _skip_newlines(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in b"\r\n":
        at += 1
    return at


def _illegal(offset: int) -> GoError:
    return GoError(f"illegal base64 data at input byte {offset}")
