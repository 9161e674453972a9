"""The data key of a document, wrapped for each of its recipients.

Source: getsops/sops age/keysource.go: one ASCII-armored age file for each recipient.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import pyrage

from arcan_gitops.sops.errors import SopsError, Unsupported
from arcan_gitops.sops.metadata import AgeKey

DATA_KEY_BYTES: Final = 32


class BadRecipient(SopsError):
    """A recipient text that is no age X25519 or SSH public key, or none at all, or one given twice."""


def new_data_key() -> bytes:
    """Random bytes for the values of one document."""
    return os.urandom(DATA_KEY_BYTES)


def wrap(data_key: bytes, recipients: Sequence[str]) -> tuple[AgeKey, ...]:
    """The data key for every recipient: `age1...`, `ssh-ed25519 ...` or `ssh-rsa ...`, in the order given.

    Raises `BadRecipient`, and `Unsupported` for recipients of age plugins and post-quantum ones.
    """
    if isinstance(recipients, str):
        raise TypeError("recipients is a sequence of texts")
    stripped = [recipient.strip() for recipient in recipients]
    if not stripped:
        raise BadRecipient("no recipient: nobody could ever open the document", hint="name one at least")
    parsed = [_parse(recipient) for recipient in stripped]
    if len(set(stripped)) != len(stripped):
        raise BadRecipient("a recipient is given twice")
    return tuple(
        AgeKey(text, pyrage.encrypt(data_key, [recipient], armored=True).decode())
        for text, recipient in zip(stripped, parsed, strict=True)
    )


def _parse(recipient: str) -> Any:
    kind = pyrage.ssh.Recipient if recipient.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(recipient)
    except pyrage.RecipientError:
        pass
    shown = recipient if len(recipient) <= 80 else recipient[:77] + "..."
    if "AGE-SECRET-KEY" in recipient.upper():
        raise BadRecipient("a private key was given as a recipient", hint="give the public one: age1...")
    if recipient.startswith("age1") and recipient.count("1") > 1 and not recipient.startswith("age11"):
        raise Unsupported(f"recipient '{shown}': age plugins and post-quantum keys are not native")
    raise BadRecipient(f"'{shown}' is not an age or SSH public key")
