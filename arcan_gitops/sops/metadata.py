"""The `sops` block of a document: read strictly, so that nothing odd gets past by accident.

SOPS turns numbers into texts here, texts into lists and so on, each version in its own way; what is read
here means the same to all of them. Source: getsops/sops stores/stores.go (metadata), stores/metadata.go,
sops.go (KeyGroup, MACOnlyEncrypted).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

from arcan_gitops.errors import together
from arcan_gitops.golang.yaml import parse_rfc3339
from arcan_gitops.sops.errors import Malformed, NotEncrypted, SopsError, TooLarge

_T = TypeVar("_T")

RULES: Final = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)
DEFAULT_RULE: Final = ("unencrypted_suffix", "_unencrypted")
# The key types that are not age -> the texts that each entry must have beside `created_at`.
_OTHER_KEYS: Final = {
    "kms": ("arn", "enc"),
    "gcp_kms": ("resource_id", "enc"),
    "hckms": ("key_id", "enc"),
    "azure_kv": ("vault_url", "name", "enc"),
    "hc_vault": ("vault_address", "engine_path", "key_name", "enc"),
    "pgp": ("fp", "enc"),
}
KEY_TYPES: Final = (*_OTHER_KEYS, "age")
_OPTIONAL: Final = ("role", "aws_profile", "version")
_FIELDS: Final = frozenset(
    {
        *RULES, *KEY_TYPES, "version", "lastmodified", "mac", "mac_only_encrypted", "shamir_threshold",
        "key_groups", "created_at", "recipient", "context", *_OPTIONAL,
        *(field for fields in _OTHER_KEYS.values() for field in fields),
    }
)  # fmt: skip
# sops writes some 400 characters for one recipient; reading many stanzas takes quadratic time.
_MAX_ENC: Final = 4096
MAX_RECIPIENTS: Final = 500  # in all groups together
_MAX_TEXT: Final = 16 * 1024
RECIPIENT: Final = re.compile(r"[!-~][ -~]{0,8191}", re.ASCII)  # a post-quantum one has 1,959 characters
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,17})"
_PRE_RELEASE: Final = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER: Final = re.compile(
    rf"v?({_NUMBER})\.{_NUMBER}\.{_NUMBER}(?:-{_PRE_RELEASE}(?:\.{_PRE_RELEASE})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_HUAWEI_KEY: Final = re.compile(r"[^:\s]+:\S+")
_FRACTION: Final = re.compile(r"\.[0-9]+")
_MAX_FINDINGS: Final = 100  # of one block that are told
MAX_KEY_GROUPS: Final = 255  # the parts of a data key are told apart by one byte


@dataclass(frozen=True, slots=True)
class AgeKey:
    """The data key, wrapped for one age recipient: `enc` is an ASCII-armored age file."""

    recipient: str
    enc: str

    @property
    def not_native(self) -> str | None:
        """What kind of key it is, where pyrage cannot open it."""
        if self.recipient.startswith("age1pq1"):
            return "age (post-quantum)"
        if self.recipient.startswith("age1") and self.recipient.count("1") > 1:
            return "age (plugin)"
        return None


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The ways to one part of the data key: any one of them will do."""

    age: tuple[AgeKey, ...]
    others: tuple[str, ...]  # the key types beside age that the group names, such as "kms"

    @property
    def recipients(self) -> tuple[str, ...]:
        """The age recipients, in document order."""
        return tuple(key.recipient for key in self.age)

    @property
    def not_native(self) -> tuple[str, ...]:
        """The key types that take the getsops binary."""
        return (*self.others, *{key.not_native for key in self.age if key.not_native})


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
    def selects_by_comments(self) -> bool:
        """Whether comments say which values are encrypted, which only the getsops binary reads."""
        return self.rule[0].endswith("_comment_regex")

    @property
    def other_key_types(self) -> tuple[str, ...]:
        """The key types that are not age, sorted."""
        return tuple(sorted({name for group in self.groups for name in group.others}))

    def of_a_twin(self, lastmodified: str, mac: str, mac_aad: bytes) -> Metadata:
        """What a block says that differs in nothing but these."""
        rule, mac_only, groups = self.rule, self.mac_only_encrypted, self.groups
        return Metadata(
            self.version, lastmodified, mac, mac_aad, rule, mac_only, groups, self.shamir_threshold
        )

    @property
    def groups_needed(self) -> int:
        """How many groups have to open: several are parts of a secret, which are two at least."""
        return 1 if len(self.groups) == 1 else max(2, self.shamir_threshold)


class WrittenBlock(dict[str, Any]):
    """A `sops` block of whose text all is `same` but its `lastmodified` and its `mac`: two blocks with one
    `same` differ in nothing else.
    """

    __slots__ = ("same",)

    def __init__(self, same: tuple[bytes, ...]) -> None:
        super().__init__()
        self.same = same


def split(trees: Sequence[dict[str, Any]]) -> Metadata:
    """Take the `sops` block out of every tree and read the first one's.

    Raises `NotEncrypted` where the first tree has none, `Malformed` and `TooLarge`: of several findings the
    first one's class, with all of them in its message.
    """
    blocks = [tree.pop("sops", None) for tree in trees]
    if not blocks or blocks[0] is None:
        raise NotEncrypted(
            "not encrypted: there is no 'sops' block",
            hint="encrypt it; if it was ever pushed, change its secrets",
        )
    block = blocks[0]
    if type(block) is WrittenBlock:
        return _read_written(block)
    if type(block) is not dict:
        raise Malformed("sops: must be a mapping")
    return _read(block)


_KNOWN: Final[dict[tuple[bytes, ...], Metadata]] = {}  # by `WrittenBlock.same`, of sound blocks
_MOST_KNOWN: Final = 256


def _read_written(block: WrittenBlock) -> Metadata:
    """`_read`, which is done once for the many files of an environment that have one `age` block."""
    known = _KNOWN.get(block.same)
    if known is not None:
        with suppress(SopsError):  # `_read` tells it
            time, mac = _text(block, "lastmodified"), _text(block, "mac")
            return known.of_a_twin(time, mac, _known_mac_aad(time))
    known = _read(block)
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[block.same] = known
    return known


class _Findings:
    """What is wrong with the parts of a block, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[SopsError] = []

    def of(self, read: Callable[[], _T], default: Any = None) -> _T:
        """What `read` gives; `default` where it raises `SopsError`, to go on with until `refuse`."""
        try:
            return read()
        except SopsError as error:
            self._found.append(error)
            stand_in: _T = default
            return stand_in

    def refuse(self) -> None:
        """Raise what was found, the first one's class, with all of it in the message."""
        if self._found:
            found = self._found[:_MAX_FINDINGS]
            raise together(found, f"{len(found)} findings:")


def _read(block: Mapping[str, Any]) -> Metadata:
    findings = _Findings()
    findings.of(lambda: _refuse_other_spellings(block, "sops"))
    version = findings.of(lambda: _version(block))
    lastmodified = findings.of(lambda: _text(block, "lastmodified"))
    time = findings.of(lambda: _time(lastmodified, "sops.lastmodified")) if lastmodified else ""
    mac = findings.of(lambda: _optional_text(block, "mac"))
    rule = findings.of(lambda: _rule(block))
    mac_only = findings.of(lambda: _mac_only(block))
    groups = findings.of(lambda: _groups(block, findings), ())
    threshold = findings.of(lambda: _threshold(block, groups))
    findings.refuse()
    return Metadata(
        version=version,
        lastmodified=lastmodified,
        mac=mac,
        mac_aad=_mac_aad(time),
        rule=rule,
        mac_only_encrypted=mac_only,
        groups=groups,
        shamir_threshold=threshold,
    )


def _version(block: Mapping[str, Any]) -> str:
    version = _text(block, "version")
    if (match := _SEMVER.fullmatch(version)) is None:
        raise Malformed("sops.version: not a version")
    if int(match[1]) < 3:
        raise Malformed("sops.version: written by SOPS before 3.0, whose format differs")
    return version


def _rule(block: Mapping[str, Any]) -> tuple[str, str]:
    given = [name for name in RULES if name in block and _optional_text(block, name)]
    if len(given) > 1:
        raise Malformed(f"sops: more than one selection rule: {', '.join(given)}")
    return (given[0], block[given[0]]) if given else DEFAULT_RULE


def _mac_only(block: Mapping[str, Any]) -> bool:
    mac_only = block.get("mac_only_encrypted", False)
    if type(mac_only) is not bool:
        raise Malformed("sops.mac_only_encrypted: must be true or false")
    return mac_only


def _refuse_other_spellings(block: Mapping[str, Any], where: str) -> None:
    """Newer versions of SOPS read `MAC` for `mac`, older ones do not. What no version knows is ignored; but
    a merge key brings in fields that SOPS sees, such as a recipient more.
    """
    for name in block:
        if name == "<<":
            raise Malformed(f"{where}: a merge key '<<', which SOPS follows and does not write")
        if name not in _FIELDS and name.casefold() in _FIELDS:
            raise Malformed(f"{where}: a field that is '{name.casefold()}' in other letters")


def _text(block: Mapping[str, Any], field: str, where: str = "sops") -> str:
    value = block.get(field)
    if type(value) is not str or not value:
        raise Malformed(f"{where}.{field}: {'missing' if value is None else 'must be a text (quote it)'}")
    if len(value) > _MAX_TEXT:
        raise TooLarge(f"{where}.{field}: more than {_MAX_TEXT} characters")
    return value


def _optional_text(block: Mapping[str, Any], field: str, where: str = "sops") -> str:
    return _text(block, field, where) if block.get(field) not in (None, "") else ""


def _threshold(block: Mapping[str, Any], groups: Sequence[KeyGroup]) -> int:
    """With one group SOPS writes none and ignores one."""
    value = block.get("shamir_threshold")
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= MAX_KEY_GROUPS:
        raise Malformed("sops.shamir_threshold: must be a small positive integer")
    if len(groups) > 1 and value > len(groups):
        raise Malformed(f"sops.shamir_threshold: {value} of {len(groups)} key groups could never open")
    return value


def _time(text: str, field: str) -> str:
    """An RFC 3339 time as Go prints it again: the offset as it is, but +00:00 as Z."""
    time = parse_rfc3339(text)
    if time is None:
        raise Malformed(f"{field}: not an RFC 3339 time")
    return time


@lru_cache(maxsize=64)
def _known_mac_aad(lastmodified: str) -> bytes:
    return _mac_aad(_time(lastmodified, "sops.lastmodified"))


def _mac_aad(time: str) -> bytes:
    return _FRACTION.sub("", time).encode()


def _groups(block: Mapping[str, Any], findings: _Findings) -> tuple[KeyGroup, ...]:
    """The flat lists are one group; `key_groups` counts only where all flat lists are empty."""
    flat = _group(block, "sops", findings)
    listed = [
        _group(entry, f"sops.key_groups[{at}]", findings)
        for at, entry in enumerate(_mappings(block, "key_groups", "sops"))
    ]
    if flat is not None:
        return (flat,)
    if len(listed) > MAX_KEY_GROUPS:
        raise Malformed(f"sops.key_groups: more than {MAX_KEY_GROUPS}")
    if sum(len(group.age) for group in listed if group is not None) > MAX_RECIPIENTS:
        raise TooLarge(f"sops.key_groups: more than {MAX_RECIPIENTS} recipients")
    groups = tuple(group for group in listed if group is not None)
    if not groups:
        raise Malformed("sops: no keys: nobody could ever open this document")
    if len(groups) != len(listed):
        raise Malformed("sops.key_groups: one of them has no keys")
    return groups


def _group(block: Mapping[str, Any], where: str, findings: _Findings) -> KeyGroup | None:
    """The keys of a block, or None where it has none. SOPS before 3.10 wrote empty lists and nulls."""
    others = tuple(
        name
        for name, fields in _OTHER_KEYS.items()
        if name in block and findings.of(partial(_other_keys, block, name, fields, where), True)
    )
    entries = findings.of(lambda: _mappings(block, "age", where), [{}])
    if len(entries) > MAX_RECIPIENTS:
        raise TooLarge(f"{where}.age: more than {MAX_RECIPIENTS} recipients")
    age = [
        findings.of(partial(_age_key, entry, f"{where}.age[{at}]"), AgeKey("", ""))
        for at, entry in enumerate(entries)
    ]
    return KeyGroup(tuple(age), others) if age or others else None


def _age_key(entry: Mapping[str, Any], place: str) -> AgeKey:
    recipient, enc = _text(entry, "recipient", place), _text(entry, "enc", place)
    if RECIPIENT.fullmatch(recipient) is None:  # it is shown in messages
        raise Malformed(f"{place}.recipient: not a recipient")
    if len(enc) > _MAX_ENC:
        raise TooLarge(f"{place}: more than {_MAX_ENC} characters")
    return AgeKey(recipient, enc)


def _other_keys(block: Mapping[str, Any], name: str, fields: Sequence[str], where: str) -> bool:
    """Whether there are keys of a type that is not age; they must look like ones."""
    entries = _mappings(block, name, where)
    for at, entry in enumerate(entries):
        place = f"{where}.{name}[{at}]"
        for field in fields:
            _text(entry, field, place)
        for field in _OPTIONAL:
            _optional_text(entry, field, place)
        _time(_text(entry, "created_at", place), f"{place}.created_at")
        context = entry.get("context")
        if context is not None and (type(context) is not dict or {type(v) for v in context.values()} - {str}):
            raise Malformed(f"{place}.context: must be a mapping of texts")
        if name == "hckms" and not _HUAWEI_KEY.fullmatch(entry["key_id"]):
            raise Malformed(f"{place}.key_id: must be REGION:ID")
    return bool(entries)


def _mappings(block: Mapping[str, Any], field: str, where: str) -> list[Mapping[str, Any]]:
    value = block.get(field)
    if value is None:
        return []
    if type(value) is not list or not all(type(entry) is dict for entry in value):
        raise Malformed(f"{where}.{field}: must be a list of mappings")
    for at, entry in enumerate(value):
        _refuse_other_spellings(entry, f"{where}.{field}[{at}]")
    return value
