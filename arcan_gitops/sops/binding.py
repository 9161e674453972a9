"""`arcan_place`: the leaf that binds a document to its place. It is no key of the document.

It is always encrypted: its name is the AAD of its ciphertext and the MAC covers its value, so that nobody
without the data key can rename, edit, move or add it. A leaf in clear could be forged: the MAC hashes the
values one after the other, without names or borders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops.cipher import PREFIX
from arcan_gitops.sops.errors import BadValue, ClearLeaf
from arcan_gitops.sops.rules import selection

_M = TypeVar("_M", bound=Mapping[str, Any])


def without_place(tree: _M) -> _M | dict[str, Any]:
    """The keys of a document: the tree itself where it is bound to no place."""
    if PLACE_KEY not in tree:
        return tree
    return {key: value for key, value in tree.items() if key != PLACE_KEY}


def require_encrypted(value: object, encrypted: bool) -> None:
    """Raise `ClearLeaf` where a document's place is not one ciphertext at a path that its rule encrypts."""
    if encrypted and type(value) is str and value.startswith(PREFIX):
        return
    raise ClearLeaf(
        f"key '{PLACE_KEY}': says where the document belongs, and is not encrypted: it would prove nothing",
        hint=f"have the rule encrypt '{PLACE_KEY}' too, in .sops.yaml, and run 'arcan realm rotate'; "
        "or restore the file from Git",
    )


def require_rule(rule: tuple[str, str]) -> None:
    """Raise `ClearLeaf`, with the rule to write, where a selection rule would leave a place in clear."""
    chosen = selection(rule)
    if chosen.matches(PLACE_KEY) is chosen.encrypts:
        return
    name, argument = rule
    wanted = f"'{name}' must not match '{PLACE_KEY}'"
    if chosen.encrypts:
        pattern = argument if name.endswith("_regex") else f"{re.escape(argument)}$"
        wanted = f"encrypted_regex: '({pattern})|^{PLACE_KEY}$'"
    raise ClearLeaf(
        f"{name} '{argument}': would leave '{PLACE_KEY}' in clear, which says where the document belongs",
        hint=f"write into its rule in .sops.yaml: {wanted}; a document that is there takes it over by "
        "'arcan realm rotate'",
    )


def refuse_place(key: object) -> None:
    """Raise `BadValue` for an edit that would take the place for a key."""
    if key == PLACE_KEY:
        raise BadValue(
            f"key '{PLACE_KEY}': says where the document belongs, and is no key of it",
            hint="'arcan realm bind' writes it",
        )
