"""age files for RSA keys above 4,096 bits, which pyrage refuses: read and written as age itself does.

Source: filippo.io/age agessh/agessh.go (the stanza `ssh-rsa`).
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64encode
from binascii import a2b_base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from arcan_gitops.sops.age_file import (
    FILE_KEY_BYTES,
    INTRODUCTION,
    NONCE_BYTES,
    NotForKey,
    header_mac,
    opened,
    sealed,
    unpadded,
)

_PYRAGE_BITS: Final = 4096  # the largest RSA key that pyrage takes
_MAX_BITS: Final = 16_384
_OAEP: Final = OAEP(MGF1(SHA256()), SHA256(), b"age-encryption.org/v1/ssh-rsa")
_STANZA: Final = re.compile(
    rb"-> ssh-rsa ([A-Za-z0-9+/]{6})\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)"
)
_MAC: Final = re.compile(rb"^--- ([A-Za-z0-9+/]{43})\n", re.MULTILINE)


def beyond_pyrage(bits: int) -> bool:
    """Whether an RSA key of so many bits is one of this module's."""
    return _PYRAGE_BITS < bits <= _MAX_BITS


def encrypt(plain: bytes, key: RSAPublicKey) -> bytes:
    """The age file that holds `plain`, of at most 64 KiB, for one key."""
    file_key = os.urandom(FILE_KEY_BYTES)
    body = b64encode(key.encrypt(file_key, _OAEP)).rstrip(b"=")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    if len(lines[-1]) == 64:  # a stanza ends with a line that is not full
        lines.append(b"")
    header = b"%s-> ssh-rsa %s\n%s\n---" % (INTRODUCTION, _fingerprint(key), b"\n".join(lines))
    nonce = os.urandom(NONCE_BYTES)
    mac = b64encode(header_mac(file_key, header)).rstrip(b"=")
    return b"%s %s\n%s%s" % (header, mac, nonce, sealed(file_key, nonce, plain))


def decrypt(file: bytes, key: RSAPrivateKey) -> bytes:
    """What an age file of at most 64 KiB holds. Raises `NotForKey` where the key does not open it."""
    end = _MAC.search(file)
    if not file.startswith(INTRODUCTION) or end is None:
        raise NotForKey
    header = file[: end.start() + 3]
    fingerprint = _fingerprint(key.public_key())
    for stanza in _STANZA.finditer(header):
        if stanza[1] != fingerprint:
            continue
        try:
            file_key = key.decrypt(unpadded(stanza[2].replace(b"\n", b"")), _OAEP)
            mac = unpadded(end[1])
        except ValueError:
            raise NotForKey from None
        return opened(file_key, header, mac, file[end.end() :])
    raise NotForKey


def _fingerprint(key: RSAPublicKey) -> bytes:
    wire = a2b_base64(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return b64encode(hashlib.sha256(wire).digest()[:4]).rstrip(b"=")
