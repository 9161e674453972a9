"""From the wrapped keys of a document to the 32 bytes that encrypt its values.

Source: getsops/sops sops.go (GetDataKeyWithKeyServices).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from arcan_gitops.errors import some
from arcan_gitops.sops import shamir
from arcan_gitops.sops.errors import (
    NEEDS_BINARY,
    BadEntry,
    Malformed,
    NoMatchingIdentity,
    SopsError,
    Unsupported,
)
from arcan_gitops.sops.identities import Identities
from arcan_gitops.sops.metadata import KeyGroup, Metadata
from arcan_gitops.sops.wrapping import DATA_KEY_BYTES


def data_key(metadata: Metadata, identities: Identities) -> bytes:
    """The 32 bytes that encrypt the document's values.

    Of several key groups, as many must open as the threshold says, and at least two; their parts are
    combined. Raises `NoMatchingIdentity`, saying which recipients the document has and which we hold, and
    `Unsupported` where a key type that is not native could open it.
    """
    digest = _digest(metadata.shamir_threshold, metadata.groups)
    known = identities.data_keys.get(digest)
    if known is not None:
        return known
    parts: list[bytes] = []
    closed: list[KeyGroup] = []
    for group in metadata.groups:
        part = _part(group, identities)
        if part is None:
            closed.append(group)
        else:
            parts.append(part)
    if len(parts) < metadata.groups_needed:
        raise _cannot_open(metadata, identities, closed, len(parts))
    key = parts[0] if len(metadata.groups) == 1 else _combined(parts)
    if len(key) != DATA_KEY_BYTES:
        raise Malformed(f"the data key has {len(key)} bytes and not {DATA_KEY_BYTES}")
    identities.data_keys.keep(digest, key)
    return key


def require_entries(metadata: Metadata, identities: Identities) -> None:
    """Raise `BadEntry` where an entry for one of the identities does not open, or holds something else than
    the entries beside it that do: whoever wrote it locked that recipient out, and nobody else would notice.
    """
    for group in metadata.groups:
        parts: dict[bytes, str] = {}
        for key in group.age:
            if " ".join(key.recipient.split()[:2]) not in identities.recipients:
                continue
            opened = identities.unwrap(key)
            name = short_recipient(key.recipient)
            if opened is None:
                raise BadEntry(f"the entry of {name} does not open with its identity", hint=_REWRAP)
            parts.setdefault(opened, name)
        if len(parts) > 1:
            raise BadEntry(f"the entries of {some(list(parts.values()))} hold different keys", hint=_REWRAP)


_REWRAP: Final = "somebody who opens the document wraps it anew: arcan realm rotate"


@lru_cache(maxsize=64)
def _digest(shamir_threshold: int, groups: tuple[KeyGroup, ...]) -> bytes:
    """Names the wrapped keys: SOPS makes new ones on 'rotate' and 'updatekeys', and on nothing else."""
    wrapped = [[(key.recipient, key.enc) for key in group.age] for group in groups]
    return hashlib.sha256(repr((shamir_threshold, wrapped)).encode()).digest()


def _part(group: KeyGroup, identities: Identities) -> bytes | None:
    """What the first key of the group that opens holds."""
    for key in group.age:
        opened = identities.unwrap(key)
        if opened is not None:
            return opened
    return None


def _combined(parts: list[bytes]) -> bytes:
    try:
        return shamir.combine(parts)
    except ValueError as error:
        raise Malformed(f"the parts of the data key do not go together: {error}") from None


def _cannot_open(
    metadata: Metadata, identities: Identities, closed: list[KeyGroup], opened: int
) -> SopsError:
    held = some([*map(short_recipient, identities.recipients)]) or "none"
    wanted = some([*map(short_recipient, metadata.recipients)]) or "none"
    short = f"its age recipients are {wanted}; we hold {held}"
    if len(metadata.groups) > 1:
        short += f"; {opened} of {len(metadata.groups)} key groups open, {metadata.groups_needed} are needed"
    others = sorted({name for group in closed for name in group.not_native})
    if others:
        return Unsupported(
            f"it could be opened by {', '.join(others)}, which is not done natively ({short})",
            hint=NEEDS_BINARY,
        )
    short = "; not used: ".join((short, *identities.not_used))
    return NoMatchingIdentity(
        f"no identity opens it: {short}",
        hint="give the identity of one of them (of key groups, of as many as are needed); or let one of them "
        "add ours to .sops.yaml, and run 'arcan realm updatekeys' or 'sops updatekeys'",
    )


def short_recipient(recipient: str) -> str:
    """A recipient for messages: an RSA key is hundreds of characters long; its two ends tell which it is."""
    return recipient if len(recipient) <= 100 else f"{recipient[:40]}...{recipient[-24:]}"
