"""age identities, and the data key that they unwrap.

Source: age-encryption.org/v1; getsops/sops age/keysource.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

import pyrage

from arcan_gitops.sops.errors import BadIdentity, Malformed, NoMatchingIdentity, Unsupported
from arcan_gitops.sops.metadata import AgeKey, Metadata

_ARMOR: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
_DATA_KEY_BYTES: Final = 32


class Identities:
    """Private keys, parsed once. Shows public keys only; cannot be pickled."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts` are the contents of key files: lines of AGE-SECRET-KEY-1..., comments, blank lines.

        Raises `BadIdentity`, which names the text by its number and the line, never the content.
        """
        self._by_recipient: dict[str, Any] = {}
        for number, text in enumerate(texts, start=1):
            self._add(text, number)

    def _add(self, text: str, number: int) -> None:
        if text.startswith(("age-encryption.org/", _ARMOR)):
            raise Unsupported(f"identity source {number}: is protected by a passphrase, which is not read")
        for at, line in enumerate(text.splitlines(), start=1):
            for word in line.split("#", 1)[0].split():
                if not word.startswith("AGE-SECRET-KEY-1"):
                    raise BadIdentity(
                        f"identity source {number}, line {at}: not an age X25519 identity",
                        hint="an identity file is what age-keygen writes: lines with AGE-SECRET-KEY-1...",
                    )
                try:
                    identity = pyrage.x25519.Identity.from_str(word)
                except pyrage.IdentityError:
                    raise BadIdentity(
                        f"identity source {number}, line {at}: not a valid age identity"
                    ) from None
                self._by_recipient[str(identity.to_public())] = identity

    @property
    def recipients(self) -> tuple[str, ...]:
        """The public keys that are held."""
        return tuple(self._by_recipient)

    def __repr__(self) -> str:
        return f"Identities({', '.join(self._by_recipient)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("identities cannot be pickled")

    def unwrap(self, key: AgeKey) -> bytes | None:
        """The data key inside `key`, or None if no identity opens it."""
        if not key.enc.lstrip().startswith(_ARMOR):
            raise Malformed("sops.age.enc: not an ASCII-armored age file")
        named = self._by_recipient.get(key.recipient)
        for identities in ([named] if named is not None else [], list(self._by_recipient.values())):
            if not identities:
                continue
            try:
                opened: bytes = pyrage.decrypt(key.enc.encode(), identities)
            except (pyrage.DecryptError, ValueError):
                continue
            return opened
        return None


def data_key(metadata: Metadata, identities: Identities) -> bytes:
    """The 32 bytes that encrypt the document's values.

    Raises `NoMatchingIdentity`, saying which recipients the document has and which we hold, and
    `Unsupported` where only a key type that is not native could open it.
    """
    if len(metadata.groups) > 1:
        raise Unsupported("the data key is split over key groups (Shamir), which is not read")
    for key in metadata.groups[0].age:
        opened = identities.unwrap(key)
        if opened is not None:
            if len(opened) != _DATA_KEY_BYTES:
                raise Malformed(f"the data key has {len(opened)} bytes and not {_DATA_KEY_BYTES}")
            return opened
    held = ", ".join(identities.recipients) or "none"
    if not metadata.recipients:
        raise Unsupported(f"the document opens only by {', '.join(metadata.other_key_types)}, and not by age")
    raise NoMatchingIdentity(
        f"no identity opens it: its recipients are {', '.join(metadata.recipients)}; we hold {held}",
        hint="give the identity of one of them, or add ours to .sops.yaml and run 'sops updatekeys FILE'",
    )
