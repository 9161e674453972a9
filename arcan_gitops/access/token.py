"""The text of a token: made, recognised, digested.

`arc_`, 12 base62 characters of id, `_`, 43 base62 characters of secret, 6 of CRC-32 over all before. The
checksum lets a scanner tell a real token from a look-alike without asking a server, as GitHub's tokens do.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Final

from arcan_gitops.secret import SecretValue

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_ID_LENGTH: Final = 12
_SECRET_LENGTH: Final = 43  # 43 * log2(62) = 256 bits
_CHECKED_LENGTH: Final = len("arc_") + _ID_LENGTH + len("_") + _SECRET_LENGTH
_SHAPE: Final = re.compile(r"arc_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}", re.ASCII)
_LIKE_A_TOKEN: Final = re.compile(r"(arc_[0-9A-Za-z]{0,12})\w*", re.ASCII)

TOKEN_ID: Final = re.compile(r"[0-9A-Za-z]{12}", re.ASCII)
TOKEN_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MintedToken:
    """A new token. Its text exists here and where it is printed, nowhere else; the digest is recorded."""

    id: str
    text: SecretValue
    digest: str


def mint() -> MintedToken:
    """A new random token."""
    identifier, secret = _random(_ID_LENGTH), _random(_SECRET_LENGTH)
    checked = f"arc_{identifier}_{secret}"
    text = checked + _checksum(checked)
    return MintedToken(identifier, SecretValue(text), digest(text))


def token_id(text: str) -> str | None:
    """The id in a token's text; None for what has not its shape, or a wrong checksum."""
    identifier = shaped_id(text)
    if identifier is None or text[_CHECKED_LENGTH:] != _checksum(text[:_CHECKED_LENGTH]):
        return None
    return identifier


def shaped_id(text: str) -> str | None:
    """The id in what has the shape of a token's text, whatever its checksum; None for anything else."""
    shape = _SHAPE.fullmatch(text)
    return None if shape is None else shape[1]


def digest(text: str) -> str:
    """`sha256:` and the SHA-256 of the whole text in hexadecimal: what a tokens file records.

    One round without salt is enough: the text holds 256 random bits, so there is nothing to guess.
    """
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def shown(text: str) -> str:
    """`text` in quotes, for a message: cut at 80 characters, and without the secret of a token in it."""
    masked = _LIKE_A_TOKEN.sub(r"\1...", text)
    return repr(masked if len(masked) <= 80 else masked[:77] + "...")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    """CRC-32 as six base62 digits, the highest first."""
    number = zlib.crc32(text.encode("ascii"))
    return _PAIRS[number // 3844**2] + _PAIRS[number // 3844 % 3844] + _PAIRS[number % 3844]
