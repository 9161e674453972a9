"""The `sops` block of a document: read strictly, so that nothing odd gets past by accident.

Source: getsops/sops stores/stores.go (Metadata), sops.go (KeyGroup, MACOnlyEncrypted).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.goyaml import parse_timestamp
from arcan_gitops.sops.errors import Malformed, NotEncrypted, TooLarge

KEY_TYPES: Final = ("kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "age")
RULES: Final = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)
DEFAULT_RULE: Final = ("unencrypted_suffix", "_unencrypted")
# sops writes some 400 characters for one recipient; reading many stanzas takes quadratic time.
_MAX_ENC: Final = 4096
_MAX_RECIPIENTS: Final = 500
_RECIPIENT: Final = re.compile(r"[!-~][ -~]{0,1023}", re.ASCII)
_SEMVER: Final = re.compile(
    r"v?(0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
_RFC3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class AgeKey:
    """The data key, wrapped for one age recipient: `enc` is an ASCII-armored age file."""

    recipient: str
    enc: str


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The ways to one part of the data key: any one of them will do."""

    age: tuple[AgeKey, ...]
    others: tuple[str, ...]  # the key types beside age that the group names, such as "kms"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the `sops` block says.

    `rule` is the one selection rule (name, argument); `mac_aad` is `lastmodified` as SOPS reformats it.
    """

    version: str
    lastmodified: str
    mac: str
    mac_aad: bytes
    rule: tuple[str, str]
    mac_only_encrypted: bool
    groups: tuple[KeyGroup, ...]
    shamir_threshold: int

    @property
    def recipients(self) -> tuple[str, ...]:
        """All age recipients, in document order."""
        return tuple(key.recipient for group in self.groups for key in group.age)

    @property
    def other_key_types(self) -> tuple[str, ...]:
        """The key types that are not age, sorted."""
        return tuple(sorted({name for group in self.groups for name in group.others}))


def split(trees: Sequence[dict[str, Any]]) -> Metadata:
    """Take the `sops` block out of every tree and read the first one's.

    Raises `NotEncrypted` where the first tree has none, and `Malformed`.
    """
    blocks = [tree.pop("sops", None) for tree in trees]
    if not blocks or blocks[0] is None:
        raise NotEncrypted(
            "not encrypted: there is no 'sops' block",
            hint="encrypt it with 'sops encrypt --in-place FILE'; if it was ever pushed, change its secrets",
        )
    block = blocks[0]
    if not isinstance(block, dict):
        raise Malformed("sops: must be a mapping")
    return _read(block)


def _read(block: Mapping[str, Any]) -> Metadata:
    version = _text(block, "version")
    if (match := _SEMVER.fullmatch(version)) is None:
        raise Malformed("sops.version: not a version")
    if int(match[1]) < 3:
        raise Malformed("sops.version: written by SOPS before 3.0, whose format differs")
    lastmodified = _text(block, "lastmodified")
    given = [name for name in RULES if block.get(name)]
    if len(given) > 1:
        raise Malformed(f"sops: more than one selection rule: {', '.join(given)}")
    rule = (given[0], _text(block, given[0])) if given else DEFAULT_RULE
    mac = block.get("mac") or ""
    if type(mac) is not str:
        raise Malformed("sops.mac: must be a text")
    mac_only = block.get("mac_only_encrypted", False)
    if type(mac_only) is not bool:
        raise Malformed("sops.mac_only_encrypted: must be true or false")
    threshold = block.get("shamir_threshold") or 0
    if type(threshold) is not int or threshold < 0:
        raise Malformed("sops.shamir_threshold: must be a positive integer")
    return Metadata(
        version=version,
        lastmodified=lastmodified,
        mac=mac,
        mac_aad=_rfc3339(lastmodified, "sops.lastmodified"),
        rule=rule,
        mac_only_encrypted=mac_only,
        groups=_groups(block),
        shamir_threshold=threshold,
    )


def _text(block: Mapping[str, Any], field: str) -> str:
    value = block.get(field)
    if not isinstance(value, str) or not value:
        raise Malformed(f"sops.{field}: {'missing' if value is None else 'must be a text'}")
    return str(value)


def _rfc3339(text: str, field: str) -> bytes:
    """Go's time.Parse(RFC3339).Format(RFC3339): whole seconds, the offset as it is, +00:00 as Z."""
    match = _RFC3339.fullmatch(text)
    if match is None or parse_timestamp(text) is None:
        raise Malformed(f"{field}: not an RFC 3339 time")
    offset = "Z" if match[2][1:] == "00:00" else match[2]
    return f"{match[1]}{offset}".encode()


def _groups(block: Mapping[str, Any]) -> tuple[KeyGroup, ...]:
    """The flat lists are one group; `key_groups` counts only where all flat lists are empty."""
    if any(block.get(name) for name in KEY_TYPES):
        return (_group(block, "sops"),)
    listed = block.get("key_groups")
    if not listed:
        raise Malformed("sops: no keys: nobody could ever open this document")
    return tuple(
        _group(group, f"sops.key_groups[{at}]")
        for at, group in enumerate(_mappings(listed, "sops.key_groups"))
    )


def _group(block: Mapping[str, Any], where: str) -> KeyGroup:
    others = []
    for name in KEY_TYPES:
        entries = _mappings(block.get(name) or [], f"{where}.{name}")
        if name == "age" or not entries:
            continue
        others.append(name)
        for at, entry in enumerate(entries):
            _rfc3339(str(entry.get("created_at", "")), f"{where}.{name}[{at}].created_at")
    age = []
    for at, entry in enumerate(_mappings(block.get("age") or [], f"{where}.age")):
        recipient, enc = entry.get("recipient"), entry.get("enc")
        if type(recipient) is not str or type(enc) is not str or not recipient or not enc:
            raise Malformed(f"{where}.age[{at}]: needs the texts 'recipient' and 'enc'")
        if len(enc) > _MAX_ENC or at >= _MAX_RECIPIENTS:
            raise TooLarge(
                f"{where}.age[{at}]: more than {_MAX_ENC} characters, or {_MAX_RECIPIENTS} recipients"
            )
        if _RECIPIENT.fullmatch(recipient) is None:
            raise Malformed(f"{where}.age[{at}].recipient: not a recipient")
        age.append(AgeKey(recipient, enc))
    return KeyGroup(tuple(age), tuple(others))


def _mappings(value: Any, where: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Malformed(f"{where}: must be a list of mappings")
    return value
