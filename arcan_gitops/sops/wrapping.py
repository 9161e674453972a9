"""The data key of a document, wrapped for its recipients, and the metadata that holds it.

Source: getsops/sops age/keysource.go (one ASCII-armored age file for each recipient), sops.go
(UpdateMasterKeysWithKeyServices), stores/stores.go (MetadataFromInternal).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from arcan_gitops.sops import age, shamir
from arcan_gitops.sops.errors import SopsError, Unsupported
from arcan_gitops.sops.metadata import MAX_KEY_GROUPS, MAX_RECIPIENTS, RECIPIENT, AgeKey, KeyGroup, Metadata

DATA_KEY_BYTES: Final = 32
_SHOWN: Final = 80


class BadRecipient(SopsError):
    """A recipient that is not an age X25519 or SSH public key; or recipients that cannot go together."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """For whom a document is encrypted: `age1...`, `ssh-ed25519 ...` or `ssh-rsa ...`, in groups.

    Each recipient of the only group opens the document. Of several groups `threshold` are needed, any
    recipient of each: the data key is split between them by Shamir's secret sharing. Threshold 0 is SOPS's
    default: all groups for a new document, and for one that has groups already, what it has.

    Raises `BadRecipient`, and `Unsupported` for recipients of age plugins and post-quantum ones.
    """

    groups: tuple[tuple[str, ...], ...]
    threshold: int = 0

    def __post_init__(self) -> None:
        if not self.groups or not all(self.groups):
            raise BadRecipient("no recipient: nobody could ever open the document", hint="name one at least")
        for group in self.groups:
            for recipient in group:
                check_recipient(recipient)
            if len(set(group)) != len(group):
                raise BadRecipient("a recipient is given twice")
            if len(group) > MAX_RECIPIENTS:
                raise BadRecipient(f"more than {MAX_RECIPIENTS} recipients in one group")
        several = len(self.groups)
        if several > MAX_KEY_GROUPS:
            raise BadRecipient(f"more than {MAX_KEY_GROUPS} key groups")
        if several > 1 and self.threshold and not 2 <= self.threshold <= several:
            raise BadRecipient(
                f"a threshold of {self.threshold} of {several} key groups",
                hint=f"a threshold is 2 to {several}; where one key is to be enough, use one group",
            )

    @classmethod
    def of(cls, given: Sequence[str] | Recipients) -> Recipients:
        """The recipients themselves, or one group of the texts. Raises as the class."""
        if isinstance(given, Recipients):
            return given
        if isinstance(given, str):
            raise TypeError("recipients is a sequence of texts")
        return cls((tuple(text.strip() for text in given),))

    def needed(self, before: Metadata | None = None) -> int:
        """How many groups open the document, which has been one of `before` until now; 0 for one group.

        SOPS's `updatekeys` keeps a document's threshold, cut to the number of groups; and it fails where one
        group with the threshold 1 becomes several: here that threshold, which says nothing, is left out.
        """
        if len(self.groups) == 1 or self.threshold:
            return self.threshold if len(self.groups) > 1 else 0
        if before is None or len(before.groups) == 1 or not before.shamir_threshold:
            return len(self.groups)
        return min(before.groups_needed, len(self.groups))


def new_data_key() -> bytes:
    """Random bytes for the values of one document."""
    return os.urandom(DATA_KEY_BYTES)


def wrap(data_key: bytes, recipients: Recipients, needed: int) -> tuple[KeyGroup, ...]:
    """The data key for every recipient, in the order given; `needed` is `Recipients.needed`."""
    groups = recipients.groups
    parts = [data_key] if len(groups) == 1 else shamir.split(data_key, len(groups), needed)
    return tuple(
        KeyGroup(tuple(AgeKey(text, _wrapped(part, text)) for text in group), ())
        for part, group in zip(parts, groups, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key and its stanzas: what several documents for the same recipients may share, to be unwrapped
    once. Cannot be pickled.
    """

    key: bytes = field(repr=False)
    groups: tuple[KeyGroup, ...]
    needed: int

    @classmethod
    def new(cls, recipients: Recipients, needed: int, key: bytes | None = None) -> Wrapped:
        """A new data key, or one that is there, wrapped for recipients."""
        made = new_data_key() if key is None else key
        return cls(made, wrap(made, recipients, needed), needed)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a data key cannot be pickled")


def key_fields(groups: Sequence[KeyGroup], needed: int, beside: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the `sops` block that hold wrapped keys, in SOPS's order: those of a flat `age` list, or
    of `key_groups`, in each of which `beside` stands too (`Format.beside_age`).
    """
    if len(groups) == 1:
        return {"age": _entries(groups[0])}
    listed = [{**beside, "age": _entries(group)} for group in groups]
    return {"shamir_threshold": needed, "key_groups": listed}


def check_recipient(text: str) -> None:
    """Raises `BadRecipient`, and `Unsupported` for recipients of age plugins and post-quantum ones."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    if "AGE-SECRET-KEY" in text.upper():
        raise BadRecipient("a private key was given as a recipient", hint="give the public one: age1...")
    if (kind := AgeKey(text, "").not_native) is not None:
        raise Unsupported(f"recipient '{shown}' is of the type {kind}, which is not native")
    try:
        age.recipient(text)
    except age.CannotOpen:
        raise BadRecipient(f"'{shown}' is not an age or SSH public key") from None
    if RECIPIENT.fullmatch(text) is None:
        raise BadRecipient("an SSH public key with an unusual comment", hint="leave the comment out")


def _entries(group: KeyGroup) -> list[dict[str, str]]:
    return [{"recipient": key.recipient, "enc": key.enc} for key in group.age]


def _wrapped(part: bytes, recipient: str) -> str:
    return age.encrypt(part, age.recipient(recipient))
