"""age files for one X25519 key in the form that sops and pyrage write, opened in a third of pyrage's time.

It only ever says yes: a file of any other form, or that does not open, is left to pyrage. Each check of age
is made: the file key is authenticated by its stanza, the header by its MAC, and the payload is one last part.
Source: age-encryption.org/v1 (the X25519 recipient stanza; grease); BIP 173 (bech32).
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from arcan_gitops.sops.age_file import NotForKey, derived, opened, unpadded

_PURPOSE: Final = b"age-encryption.org/v1/X25519"
# One stanza for the key, then stanzas that stand for nothing (rage writes one), the MAC, and the payload.
_GREASE: Final = (
    rb"-> [!-~]{1,32}-grease(?: [!-~]{1,64}){0,8}\n((?:[A-Za-z0-9+/]{64}\n){0,8}[A-Za-z0-9+/]{0,63}\n)"
)
_FILE: Final = re.compile(
    rb"(age-encryption\.org/v1\n"
    rb"-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n"
    rb"((?:" + _GREASE.replace(rb"((?:", rb"(?:(?:") + rb"){0,4})"
    rb"---) ([A-Za-z0-9+/]{43})\n(.{32,65568})",
    re.DOTALL,
)
_GREASES: Final = re.compile(_GREASE)
_BECH32: Final = {letter: at for at, letter in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_CHECKSUM: Final = 6  # letters
_NONCE: Final = bytes(12)


class Identity:
    """An X25519 private key, parsed once; `other` is pyrage's identity for all that is not opened here."""

    __slots__ = ("_key", "_public", "other")

    def __init__(self, key: X25519PrivateKey, other: Any) -> None:
        self._key, self._public = key, key.public_key().public_bytes_raw()
        self.other = other

    def __repr__(self) -> str:
        return "Identity([redacted])"

    def __reduce__(self) -> NoReturn:
        raise TypeError("identities cannot be pickled")

    def decrypt(self, file: bytes) -> bytes:
        """What an age file holds. Raises `NotForKey` where it is of another form, or does not open."""
        match = _FILE.fullmatch(file)
        if match is None:
            raise NotForKey
        header, share, body, greases, mac, payload = match.groups()
        try:
            for grease in _GREASES.finditer(greases):
                unpadded(grease[1].replace(b"\n", b""))
            public = unpadded(share)
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(public))  # refuses low-order points
            wrapping = derived(shared, _PURPOSE, public + self._public)
            file_key = ChaCha20Poly1305(wrapping).decrypt(_NONCE, unpadded(body), None)
            return opened(file_key, header, unpadded(mac), payload)
        except (ValueError, InvalidTag):
            raise NotForKey from None


def identity(text: str, recipient: str, other: Any) -> Any:
    """The identity of `AGE-SECRET-KEY-1...`, which pyrage has read as `other`, and whose public key is
    `recipient`: `other` itself, should the two not agree on that.
    """
    try:
        key = X25519PrivateKey.from_private_bytes(_bytes_of(text.strip().lower()))
        if key.public_key().public_bytes_raw() != _bytes_of(recipient):
            return other
    except (KeyError, ValueError):
        return other
    return Identity(key, other)


def _bytes_of(text: str) -> bytes:
    """What a bech32 text holds, whose checksum was verified before."""
    number = 0
    letters = text[text.rindex("1") + 1 : -_CHECKSUM]
    for letter in letters:
        number = number << 5 | _BECH32[letter]
    size, rest = divmod(len(letters) * 5, 8)
    return (number >> rest).to_bytes(size, "big")
