"""age files for RSA keys above 4,096 bits, which pyrage refuses: read and written as age itself does.

Source: age-encryption.org/v1 (header, payload); filippo.io/age agessh/agessh.go (the stanza `ssh-rsa`).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import b64encode
from binascii import a2b_base64
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_PYRAGE_BITS: Final = 4096  # the largest RSA key that pyrage takes
_MAX_BITS: Final = 16_384
_OAEP: Final = OAEP(MGF1(SHA256()), SHA256(), b"age-encryption.org/v1/ssh-rsa")
_INTRODUCTION: Final = b"age-encryption.org/v1\n"
_CHUNK: Final = 64 * 1024  # bytes of one part of the payload; a data key is one part
_LAST: Final = bytes(11) + b"\x01"  # the nonce of the first part, which is the last
_STANZA: Final = re.compile(
    rb"-> ssh-rsa ([A-Za-z0-9+/]{6})\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)"
)
_MAC: Final = re.compile(rb"^--- ([A-Za-z0-9+/]{43})\n", re.MULTILINE)


class NotForKey(Exception):
    """A file that a key does not open. Never leaves this package."""


def beyond_pyrage(bits: int) -> bool:
    """Whether an RSA key of so many bits is one of this module's."""
    return _PYRAGE_BITS < bits <= _MAX_BITS


def encrypt(plain: bytes, key: RSAPublicKey) -> bytes:
    """The age file that holds `plain`, of at most 64 KiB, for one key."""
    file_key = os.urandom(16)
    body = b64encode(key.encrypt(file_key, _OAEP)).rstrip(b"=")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    if len(lines[-1]) == 64:  # a stanza ends with a line that is not full
        lines.append(b"")
    header = b"%s-> ssh-rsa %s\n%s\n---" % (_INTRODUCTION, _fingerprint(key), b"\n".join(lines))
    nonce = os.urandom(16)
    payload = ChaCha20Poly1305(_derived(file_key, b"payload", nonce)).encrypt(_LAST, plain, None)
    return b"%s %s\n%s%s" % (header, b64encode(_mac(file_key, header)).rstrip(b"="), nonce, payload)


def decrypt(file: bytes, key: RSAPrivateKey) -> bytes:
    """What an age file of at most 64 KiB holds. Raises `NotForKey` where the key does not open it."""
    end = _MAC.search(file)
    if not file.startswith(_INTRODUCTION) or end is None:
        raise NotForKey
    header = file[: end.start() + 3]
    fingerprint = _fingerprint(key.public_key())
    for stanza in _STANZA.finditer(header):
        if stanza[1] != fingerprint:
            continue
        try:
            file_key = key.decrypt(_unpadded(stanza[2].replace(b"\n", b"")), _OAEP)
            if len(file_key) != 16 or not hmac.compare_digest(_mac(file_key, header), _unpadded(end[1])):
                raise NotForKey
            nonce, payload = file[end.end() : end.end() + 16], file[end.end() + 16 :]
            if len(payload) > _CHUNK + 16:
                raise NotForKey
            return ChaCha20Poly1305(_derived(file_key, b"payload", nonce)).decrypt(_LAST, payload, None)
        except (ValueError, InvalidTag):
            raise NotForKey from None
    raise NotForKey


def _fingerprint(key: RSAPublicKey) -> bytes:
    wire = a2b_base64(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return b64encode(hashlib.sha256(wire).digest()[:4]).rstrip(b"=")


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"header", b""), header, "sha256")


def _derived(file_key: bytes, purpose: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt or None, purpose).derive(file_key)


def _unpadded(text: bytes) -> bytes:
    return a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
