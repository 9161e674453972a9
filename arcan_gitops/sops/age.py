"""Files of the age format, read and written by pyrage: the only place where its failures are met. RSA keys
that are too large for it are `age_rsa`'s; files of the usual form for one X25519 key are opened by
`age_x25519`, in less time.

Source: age-encryption.org/v1; filippo.io/age armor/armor.go; getsops/sops age/keysource.go.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from textwrap import wrap
from typing import Any, Final

import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from arcan_gitops.sops import age_rsa, age_x25519
from arcan_gitops.sops.age_file import NotForKey

ARMOR: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
INTRODUCTION: Final = "age-encryption.org/"
# Blank lines around an armored file are allowed; inside all lines are full but the last.
_ARMORED: Final = re.compile(
    rf"(?:[ \t\r\n]{{0,1000}}\n)?{ARMOR}\n((?:[A-Za-z0-9+/]{{64}}\n)*(?:[A-Za-z0-9+/=]{{1,64}}\n))"
    r"-----END AGE ENCRYPTED FILE-----(?:\n[ \t\r\n]{0,1000})?",
    re.ASCII,
)


class CannotOpen(Exception):
    """An age file, or an identity, that pyrage does not take. Never leaves this package."""


def unarmored(text: str) -> bytes | None:
    """The age file inside an ASCII armor as age writes it, or None if the text is not such an armor.

    Stricter than pyrage's own reader, so that nothing opens here that age itself would refuse.
    """
    match = _ARMORED.fullmatch(text)
    if match is None:
        return None
    encoded = match[1].replace("\n", "").encode()
    try:
        data = a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return None
    return data if b2a_base64(data, newline=False) == encoded else None


def decrypt(file: bytes, identities: Sequence[Any]) -> bytes:
    """What an age file holds, opened by any of the identities of this module. Raises `CannotOpen`."""
    natives = []
    for identity in identities:
        with suppress(NotForKey):
            if isinstance(identity, RSAPrivateKey):
                return age_rsa.decrypt(file, identity)
            if isinstance(identity, age_x25519.Identity):
                return identity.decrypt(file)
        if not isinstance(identity, RSAPrivateKey):
            natives.append(identity.other if isinstance(identity, age_x25519.Identity) else identity)
    opened: bytes = _call(pyrage.decrypt, file, natives)
    return opened


def decrypt_with_passphrase(file: bytes, passphrase: str) -> bytes:
    """What an age file holds, opened by its passphrase. Raises `CannotOpen`."""
    opened: bytes = _call(pyrage.passphrase.decrypt, file, passphrase)
    return opened


def encrypt(plain: bytes, recipient: Any) -> str:
    """An ASCII-armored age file for one recipient of this module."""
    if isinstance(recipient, RSAPublicKey):
        lines = wrap(b64encode(age_rsa.encrypt(plain, recipient)).decode(), 64)
        return "\n".join((ARMOR, *lines, "-----END AGE ENCRYPTED FILE-----", ""))
    return str(pyrage.encrypt(plain, [recipient], armored=True).decode())


def recipient(text: str) -> Any:
    """What `encrypt` takes for `age1...`, `ssh-ed25519 ...` or `ssh-rsa ...`. Raises `CannotOpen`."""
    if text.startswith("ssh-rsa "):
        try:
            key = load_ssh_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise CannotOpen from None
        if isinstance(key, RSAPublicKey) and age_rsa.beyond_pyrage(key.key_size):
            return key
    kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    return _call(kind.from_str, text)


def x25519_identity(text: str) -> tuple[str, Any]:
    """(recipient, what `decrypt` takes) of `AGE-SECRET-KEY-1...`. Raises `CannotOpen`."""
    identity = _call(pyrage.x25519.Identity.from_str, text)
    recipient = str(identity.to_public())
    return recipient, age_x25519.identity(text, recipient, identity)


def new_identity() -> tuple[str, str]:
    """(private, public) of a new X25519 pair: `AGE-SECRET-KEY-1...`, `age1...`."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def ssh_identity(text: bytes, key: object) -> Any:
    """What `decrypt` takes for an SSH private key, ed25519 or RSA, which is `key`. Raises `CannotOpen`."""
    if isinstance(key, RSAPrivateKey) and age_rsa.beyond_pyrage(key.key_size):
        return key
    return _call(pyrage.ssh.Identity.from_buffer, text)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Pyrage's errors as `CannotOpen`, without their text: it may quote what was read.

    A panic in Rust comes as `pyo3_runtime.PanicException`, which is no `Exception` and cannot be imported.
    """
    try:
        return function(*arguments)
    except Exception:
        raise CannotOpen from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise CannotOpen from None
