"""One encrypted value, `ENC[AES256_GCM,...]`, and the canonical bytes that it and the MAC are made of.

Source: getsops/sops aes/cipher.go, sops.go (ToBytes).
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcan_gitops.goyaml import INT64_MAX, INT64_MIN, Timestamp, format_float, parse_rfc3339
from arcan_gitops.sops.errors import Malformed, Tampered

PREFIX: Final = "ENC[AES256_GCM,"
_DATA: Final = f"{PREFIX}data:".encode()
_IV_BYTES: Final = 32
_TAG_BYTES: Final = 16
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
    """(IV, ciphertext with tag, type) of `ENC[...]`. Raises `Malformed`.

    Cut from the end, for all but the data has one length: a base64 IV 44 characters, a tag 24. What does not
    stand where SOPS writes it is no base64 or has not its name before it.
    """
    head, _, kind = text.rpartition(",type:")
    try:
        sealed = head.encode("ascii")
        if (
            sealed[:20] != _DATA
            or sealed[-77:-73] != b",iv:"
            or sealed[-29:-24] != b",tag:"
            or len(sealed) <= 20 + 77
            or kind[-1:] != "]"
        ):
            raise Malformed("not of the form ENC[AES256_GCM,data:...,iv:...,tag:...,type:...]")
        data = a2b_base64(sealed[20:-77], strict_mode=True)
        iv = a2b_base64(sealed[-73:-29], strict_mode=True)
        tag = a2b_base64(sealed[-24:], strict_mode=True)
    except ValueError:
        raise Malformed("not base64 inside ENC[...]") from None
    if len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise Malformed("an IV or a tag of the wrong length inside ENC[...]")
    kind = kind[:-1]
    if kind not in TYPES:
        raise Malformed("an unknown type inside ENC[...]")
    return iv, data + tag, kind


def decrypt(aead: AESGCM, text: str, aad: bytes) -> Any:
    """The value inside `ENC[...]`: str, int, float, bool, `Timestamp`, or `COMMENT`.

    `aad` is the path: its components joined by ":", and a ":" after. Raises `Tampered` and `Malformed`.
    """
    return open_value(aead, text, aad)[0]


def open_value(aead: AESGCM, text: str, aad: bytes) -> tuple[Any, bytes]:
    """The value inside `ENC[...]` as `decrypt` gives it, and the bytes of it that the MAC counts."""
    iv, sealed, kind = split_value(text)
    try:
        plain = aead.decrypt(iv, sealed, aad)
    except InvalidTag:
        raise Tampered("does not authenticate") from None
    value = plain.decode("utf-8", "surrogateescape")
    if kind == "str":
        return value, plain
    typed = _typed(value, kind)
    return typed, b"" if typed is COMMENT else canonical(typed)


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
        timestamp = parse_rfc3339(text)
        if timestamp is not None:
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
