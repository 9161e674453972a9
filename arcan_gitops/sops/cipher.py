"""One encrypted value, `ENC[AES256_GCM,...]`, and the canonical bytes that it and the MAC are made of.

Source: getsops/sops aes/cipher.go, sops.go (ToBytes).
"""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcan_gitops.goyaml import INT64_MAX, INT64_MIN, Timestamp, format_float, parse_timestamp
from arcan_gitops.sops.errors import Malformed, Tampered

PREFIX: Final = "ENC[AES256_GCM,"
_IV_BYTES: Final = 32
_TAG_BYTES: Final = 16
_VALUE: Final = re.compile(
    r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]+),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z]+)\]",
    re.ASCII,
)
TYPES: Final = frozenset({"str", "int", "float", "bool", "time", "comment"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,25}", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?Inf|NaN", re.ASCII)
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


class Comment:
    """What an encrypted comment in a list decrypts to: no value, and no part of the MAC."""


COMMENT: Final = Comment()


def split_value(text: str) -> tuple[bytes, bytes, str]:
    """(IV, ciphertext with tag, type) of `ENC[...]`. Raises `Malformed`."""
    match = _VALUE.fullmatch(text)
    if match is None:
        raise Malformed("not of the form ENC[AES256_GCM,data:...,iv:...,tag:...,type:...]")
    try:
        data, iv, tag = (binascii.a2b_base64(part, strict_mode=True) for part in match.group(1, 2, 3))
    except binascii.Error:
        raise Malformed("not base64 inside ENC[...]") from None
    if len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise Malformed("an IV or a tag of the wrong length inside ENC[...]")
    if match[4] not in TYPES:
        raise Malformed("an unknown type inside ENC[...]")
    return iv, data + tag, match[4]


def decrypt(aead: AESGCM, text: str, aad: bytes) -> Any:
    """The value inside `ENC[...]`: str, int, float, bool, `Timestamp`, or `COMMENT`.

    `aad` is the path: its components joined by ":", and a ":" after. Raises `Tampered` and `Malformed`.
    """
    iv, sealed, kind = split_value(text)
    try:
        plain = aead.decrypt(iv, sealed, aad)
    except InvalidTag:
        raise Tampered("does not authenticate") from None
    value = plain.decode("utf-8", "surrogateescape")
    return value if kind == "str" else _typed(value, kind)


def _typed(text: str, kind: str) -> Any:
    """The type is the one part of a value that nothing authenticates: a text must be exactly of it."""
    if kind == "comment":
        return COMMENT
    if kind == "bool" and text in _BOOLEANS:
        return _BOOLEANS[text]
    if kind == "int" and _INTEGER.fullmatch(text) and INT64_MIN <= int(text) <= INT64_MAX:
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text):
        number = float(text)
        if text.lstrip("+-") in ("Inf", "NaN") or abs(number) != float("inf"):
            return number
    if kind == "time":
        try:
            timestamp = parse_timestamp(text)
        except ValueError:
            timestamp = None
        if timestamp is not None and "T" in text:
            return timestamp
    raise Malformed(f"does not hold a value of its type ({kind})")


def canonical(value: Any) -> bytes:
    """The bytes of a value that are encrypted and that the MAC counts."""
    if value is True:
        return b"True"
    if value is False:
        return b"False"
    if type(value) is int:
        return b"%d" % value
    if type(value) is float:
        return format_float(value).encode()
    assert type(value) is str or type(value) is Timestamp
    return value.encode("utf-8", "surrogateescape")
