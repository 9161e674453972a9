"""A new document: a tree encrypted under a data key of its own, in the layout that SOPS writes.

Source: getsops/sops stores/stores.go (Metadata: the order of its fields).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops.binding import refuse_place, require_rule
from arcan_gitops.sops.cipher import mac_text, open_value
from arcan_gitops.sops.encrypting import Sealer
from arcan_gitops.sops.errors import BadValue, Malformed, NoKeys
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS, Limits
from arcan_gitops.sops.metadata import DEFAULT_RULE, RULES, Metadata
from arcan_gitops.sops.reading import Walk
from arcan_gitops.sops.trees import Tree, plain_value, same_document
from arcan_gitops.sops.wrapping import Recipients, key_fields, new_data_key, wrap

VERSION: Final = "3.11.0"  # of SOPS, whose format this is


def encrypt(
    tree: Tree,
    *,
    recipients: Sequence[str] | Recipients,
    rule: tuple[str, str] | None = None,
    mac_only: bool = False,
    format: str = "yaml",
    limits: Limits = DEFAULT_LIMITS,
    now: datetime | None = None,
    place: str | None = None,
) -> bytes:
    """A new document that holds the tree, for age X25519 and SSH recipients.

    `format` and the tree are as in `load`. `recipients` are texts, each of which opens the document, or
    `Recipients` in groups. `rule` is a selection rule of SOPS (name, argument), by default
    `unencrypted_suffix: _unencrypted`; `mac_only` sets `mac_only_encrypted`. `place` binds it to a place,
    `REALM/ENVIRONMENT`. What `load` would refuse by the same `limits` is not written. Raises `ClearLeaf`,
    `EmptyLeaf`, `NoKeys`, `TooLarge`, `BadValue`, `BadRecipient`, `Malformed` for a bad rule, and
    `Unsupported` for a rule or format that is not native.
    """
    into = format_named(format)
    if type(tree) is not dict:
        raise BadValue("a document's top level is a dict")
    if format == "binary" and (set(tree) != {"data"} or type(tree["data"]) is not str or rule or mac_only):
        raise BadValue("a binary document is the text 'data' and nothing else, and has no rule")
    plain = plain_value(tree, ())
    if not plain:
        raise NoKeys("a document needs a key")
    for name in plain:
        refuse_place(name)
    if rule is not None and (rule[0] not in RULES or not rule[1]):
        raise Malformed("not a selection rule", hint=f"a rule is one of {', '.join(RULES)} and its text")
    if place is not None:
        require_rule(rule or DEFAULT_RULE)
        plain = {PLACE_KEY: place, **plain}
    key = new_data_key()
    whom = Recipients.of(recipients)
    needed = whom.needed()
    groups = wrap(key, whom, needed)
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = Metadata(
        version=VERSION,
        lastmodified=moment,
        mac="",
        mac_aad=moment.encode(),
        rule=rule or DEFAULT_RULE,
        mac_only_encrypted=mac_only,
        groups=groups,
        shamir_threshold=needed,
    )
    sealer = Sealer(key, metadata.rule, limits)
    sealed = sealer.seal(plain, ())
    _, counted = reread(sealed, metadata, key, limits)
    mac = sealer.encrypt(mac_text(counted, mac_only), "str", metadata.mac_aad)
    block: dict[str, Any] = {
        **key_fields(groups, needed, into.beside_age),
        "lastmodified": moment,
        "mac": mac,
    }
    if format != "binary":
        block[metadata.rule[0]] = metadata.rule[1]
    if mac_only:
        block["mac_only_encrypted"] = True
    block["version"] = VERSION
    made = f"{into.make(sealed, block)}\n".encode("utf-8", "surrogateescape")
    [read] = into.parse(made, limits)
    if not same_document(read, {**sealed, "sops": block}):
        raise BadValue(f"a tree that {format} cannot hold")
    return made


def reread(sealed: Tree, metadata: Metadata, key: bytes, limits: Limits) -> tuple[Tree, list[bytes]]:
    """The values of what is about to be written, as the reader itself reads them, and what the MAC counts."""
    aead = AESGCM(key)
    walk = Walk(metadata, lambda text, aad: open_value(aead, text, aad), limits)
    [read] = walk.trees([sealed])
    return read, walk.counted
