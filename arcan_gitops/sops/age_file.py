"""What all age files have around their stanzas: the MAC of the header, and a payload of one part.

Source: age-encryption.org/v1 (header, payload).
"""

from __future__ import annotations

import hmac
from binascii import a2b_base64, b2a_base64
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

INTRODUCTION: Final = b"age-encryption.org/v1\n"
FILE_KEY_BYTES: Final = 16
NONCE_BYTES: Final = 16
CHUNK: Final = 64 * 1024  # bytes of one part of the payload; a data key is one part
_LAST: Final = bytes(11) + b"\x01"  # the nonce of the first part, which is the last


class NotForKey(Exception):
    """A file that a key does not open. Never leaves this package."""


def opened(file_key: bytes, header: bytes, mac: bytes, payload: bytes) -> bytes:
    """What a file holds: `header` ends with `---`, `payload` starts with its nonce. Raises `NotForKey`."""
    if len(file_key) != FILE_KEY_BYTES or not hmac.compare_digest(header_mac(file_key, header), mac):
        raise NotForKey
    nonce, sealed = payload[:NONCE_BYTES], payload[NONCE_BYTES:]
    if len(sealed) > CHUNK + 16:
        raise NotForKey
    try:
        return ChaCha20Poly1305(derived(file_key, b"payload", nonce)).decrypt(_LAST, sealed, None)
    except (ValueError, InvalidTag):
        raise NotForKey from None


def sealed(file_key: bytes, nonce: bytes, plain: bytes) -> bytes:
    """The payload behind its nonce."""
    return ChaCha20Poly1305(derived(file_key, b"payload", nonce)).encrypt(_LAST, plain, None)


def header_mac(file_key: bytes, header: bytes) -> bytes:
    """The MAC of a header that ends with `---`."""
    return hmac.digest(derived(file_key, b"header", b""), header, "sha256")


def derived(secret: bytes, purpose: bytes, salt: bytes) -> bytes:
    """32 bytes for a purpose, by HKDF with SHA-256."""
    return HKDF(SHA256(), 32, salt or None, purpose).derive(secret)


def unpadded(text: bytes) -> bytes:
    """The bytes of base64 without padding. Raises `ValueError` where it is not as age writes it."""
    data = a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    if b2a_base64(data, newline=False).rstrip(b"=") != text:
        raise ValueError("not canonical")
    return data
