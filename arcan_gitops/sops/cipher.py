"""One encrypted value, `ENC[AES256_GCM,...]`, and the canonical bytes that it and the MAC are made of.

Source: getsops/sops aes/cipher.go, sops.go (ToBytes).
"""

from __future__ import annotations

import hashlib
import re
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcan_gitops.golang.yaml import INT64_MAX, INT64_MIN, Timestamp, format_float, parse_rfc3339
from arcan_gitops.sops.errors import Malformed, Tampered

PREFIX: Final = "ENC[AES256_GCM,"
TAG_BYTES: Final = 16
# What the MAC starts with where it covers the encrypted values only.
_MAC_ONLY_ENCRYPTED: Final = hashlib.sha256(b"sops").digest()
# Strict base64 of 43 characters and "=" is 32 bytes, of 22 and "==" 16: the IV and the tag that SOPS writes.
_SEALED: Final = re.compile(
    r"ENC\[AES256_GCM,data:([^,]+),iv:([^,]{43}=),tag:([^,]{22}==),type:([a-z]+)\]", re.ASCII
)
_FORM: Final = "not of the form ENC[AES256_GCM,data:...,iv:(32 bytes),tag:(16 bytes),type:...]"
TYPES: Final = frozenset({"str", "int", "float", "bool", "time", "comment"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,25}", re.ASCII)
_FLOAT: Final = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?Inf|NaN", re.ASCII
)
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


class Comment:
    """Stands for a decrypted comment in a list: it is no value, and the MAC does not cover it."""


COMMENT: Final = Comment()


def split_value(text: str) -> tuple[bytes, bytes, str]:
    """(IV, ciphertext with tag, type) of `ENC[...]`. Raises `Malformed`."""
    match = _SEALED.fullmatch(text)
    if match is None:
        raise Malformed(_FORM)
    data, iv, tag, kind = match.groups()
    try:
        sealed = a2b_base64(data, strict_mode=True) + a2b_base64(tag, strict_mode=True)
        nonce = a2b_base64(iv, strict_mode=True)
    except ValueError:
        raise Malformed("not base64 inside ENC[...]") from None
    if kind not in TYPES:
        raise Malformed("an unknown type inside ENC[...]")
    return nonce, sealed, kind


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


def mac_text(counted: Sequence[bytes], mac_only_encrypted: bool) -> bytes:
    """The MAC in clear: SHA-512 in hexadecimal over the canonical bytes of the values, in document order."""
    digest = hashlib.sha512(_MAC_ONLY_ENCRYPTED if mac_only_encrypted else b"")
    digest.update(b"".join(counted))
    return digest.hexdigest().upper().encode()
