"""The document as the getsops binary gets it: rewritten from what was checked, and from nothing else.

The `sops` block that the binary reads is ours. It names the keys that were held against the allow-list, in
the spelling that was compared, so that no second way of reading the document can add one. What our identities
open is wrapped for a new age identity, of this one call: ours never leave this process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

from arcan_gitops.getsops.key_types import origin
from arcan_gitops.sops import (
    Identities,
    NoMatchingIdentity,
    SopsError,
    Unsupported,
    age,
    emit_yaml,
    yaml_store,
)
from arcan_gitops.sops.edit_yaml import YamlText
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from arcan_gitops.sops.metadata import KEY_TYPES as ALL_TYPES
from arcan_gitops.sops.metadata import KeyGroup, Metadata
from arcan_gitops.sops.trees import Tree, same_document

_KEY_FIELDS: Final = {
    "kms": ("arn", "role", "context", "created_at", "enc"),  # whose profile is used, is our environment's
    "gcp_kms": ("resource_id", "created_at", "enc"),
    "hckms": ("key_id", "created_at", "enc"),
    "azure_kv": ("vault_url", "name", "version", "created_at", "enc"),
    "hc_vault": ("vault_address", "engine_path", "key_name", "created_at", "enc"),
    "pgp": ("fp", "created_at", "enc"),
}
_ORIGINS: Final = ("vault_url", "vault_address")


@dataclass(frozen=True, slots=True)
class Handover:
    """A `sops` block for the binary, and what opens its `age` keys: an identity of this one call, and those
    that only the binary can use.
    """

    block: Mapping[str, Any]
    identities: tuple[str, ...] = field(repr=False)


def of_data_key(key: bytes, metadata: Metadata) -> Handover:
    """For a document whose data key we hold: the binary is to contact nobody."""
    identity, recipient = age.new_identity()
    return Handover({**_head(metadata), "age": [_wrapped(key, recipient)]}, (identity,))


def of_keys(
    block: Mapping[str, Any], metadata: Metadata, identities: Identities, types: Set[str]
) -> Handover:
    """For a document whose keys, their `types` all allowed, the binary is to try: those of the groups that we
    cannot open; the parts of the others are wrapped for the new identity.

    Raises `NoMatchingIdentity` where too few groups are left, so that nobody is contacted in vain.
    """
    identity, recipient = age.new_identity()
    flat = any(block.get(name) for name in ALL_TYPES)
    entries = [block] if flat else block["key_groups"]
    tried = [
        _group(entry, group, identities, recipient)
        for entry, group in zip(entries, metadata.groups, strict=True)
    ]
    groups = [group for group in tried if group]
    if len(groups) < metadata.groups_needed:
        raise NoMatchingIdentity(
            f"{len(groups)} of {len(tried)} key groups could open, and {metadata.groups_needed} are needed",
            hint="give the identity of a recipient of another group",
        )
    held = (identity, *(text for text in identities.others if _type_of(text) in types))
    if len(tried) == 1:
        return Handover({**_head(metadata), **groups[0]}, held)
    shamir = {"shamir_threshold": metadata.groups_needed, "key_groups": groups}
    return Handover({**_head(metadata), **shamir}, held)


def document(tree: Tree, handed: Handover) -> bytes:
    """The tree in YAML, whatever format it came in: they are the same to SOPS."""
    lines = emit_yaml.block({**tree, "sops": dict(handed.block)}, 0, emit_yaml.STEP)
    return "\n".join([*lines, ""]).encode()


def with_comments(data: bytes, tree: Tree, handed: Handover) -> bytes:
    """The YAML text as it stands, for its comments decide, with our block in the place of its own.

    Raises `Unsupported` for a layout in which that cannot be done with certainty.
    """
    try:
        text = YamlText(data)
        replaced = text.spliced(text.replace(("sops",), dict(handed.block)))
        [read] = yaml_store.parse(replaced, DEFAULT_LIMITS)
        whole = same_document(read, {**tree, "sops": dict(handed.block)})
    except (SopsError, KeyError, ValueError):  # no document, not its `sops` block, several documents
        whole = False
    if not whole:
        raise Unsupported(
            "selection by comments in a file of this layout is not read",
            hint="let sops rewrite it: 'sops edit FILE'",
        )
    return replaced


def _head(metadata: Metadata) -> dict[str, Any]:
    rule, argument = metadata.rule
    head: dict[str, Any] = {
        "lastmodified": metadata.lastmodified,
        "mac": metadata.mac,
        rule: argument,
        "version": metadata.version,
    }
    return {**head, "mac_only_encrypted": True} if metadata.mac_only_encrypted else head


def _group(
    entry: Mapping[str, Any], group: KeyGroup, identities: Identities, recipient: str
) -> dict[str, Any]:
    """What is left of a key group, or nothing: its part of the data key where one of our identities opens
    it, else the keys that the binary may open.
    """
    for key in group.age:
        part = identities.unwrap(key)
        if part is not None:
            return {"age": [_wrapped(part, recipient)]}
    kept: dict[str, Any] = {
        name: [_only(key, fields) for key in entry[name]]
        for name, fields in _KEY_FIELDS.items()
        if entry.get(name)
    }
    others = [{"recipient": key.recipient, "enc": key.enc} for key in group.age if key.not_native]
    return {**kept, "age": others} if others else kept


def _type_of(identity: str) -> str:
    return "age-plugin" if identity.startswith("AGE-PLUGIN-") else "age-pq"


def _only(key: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    found = {name: key[name] for name in fields if key.get(name)}
    return {name: origin(value) if name in _ORIGINS else value for name, value in found.items()}


def _wrapped(part: bytes, recipient: str) -> dict[str, str]:
    return {"recipient": recipient, "enc": age.encrypt(part, age.recipient(recipient))}
