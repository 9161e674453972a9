"""What people give in the place of an identity, told by its form. Nothing of it is ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mistaken:
    """What stands in a line (counted from 1), and what to give instead; None where that is any identity."""

    line: int
    what: str
    instead: str | None


_AGE: Final = "give the private key that belongs to it: the file with the line AGE-SECRET-KEY-1..."
_FORMS: Final = (
    (re.compile(r"\s*age1[0-9a-z]+\s*(?:#|$)"), "a recipient (a public key of age)", _AGE),
    (
        re.compile(r"\s*(?:ssh-|ecdsa-|sk-)\S+ +AAAA"),
        "an SSH public key",
        "give the private key: the file of the same name without .pub",
    ),
    (re.compile(r"-----BEGIN (?:[A-Z0-9]+ )?PUBLIC KEY"), "a public key", None),
    (re.compile(r"-----BEGIN CERTIFICATE"), "a certificate", None),
    (
        re.compile(r"-----BEGIN PGP "),
        "a PGP key",
        "documents for PGP take gpg and the sops program: --sops-binary sops --allow-key-type pgp",
    ),
    (
        re.compile(r"PuTTY-User-Key-File-"),
        "a private key in PuTTY's format",
        "convert it: puttygen FILE -O private-openssh -o NEW",
    ),
)


def mistaken(text: str) -> Mistaken | None:
    """What a text is that is no file of identities, or None where it may be one."""
    if text.startswith("\ufeff"):
        return Mistaken(1, "a byte order mark (BOM)", "save the file as UTF-8 without one")
    for at, line in enumerate(text.splitlines(), start=1):
        for form, what, instead in _FORMS:
            if form.match(line):
                return Mistaken(at, what, instead)
    return None
