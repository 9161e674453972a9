"""A short digest of each value's ciphertext; computing it takes no private key.

A digest is over the value as it is stored, each `ENC[...]` and what stands in clear, and not over its layout:
another indentation, quote or neighbour does not change it, and any new ciphertext does (SOPS takes a random
IV for every value that changed). It says nothing of the value: who knows the digest knows the ciphertext.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from arcan_gitops.sops.binding import without_place
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS, Limits
from arcan_gitops.sops.metadata import split
from arcan_gitops.webhook import VERSION_DIGITS, version_of_all

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Digests:
    """`keys` has one digest for each top-level key, in document order; `document` is that of all of them."""

    keys: Mapping[str, str]
    document: str


def digests(data: bytes, *, format: str = "yaml", limits: Limits = DEFAULT_LIMITS) -> Digests:
    """The digests of a document, 12 hexadecimal digits each, from its bytes alone.

    The `sops` block and the document's place count for nothing (`mac` and `lastmodified` change with every
    edit), nor does the order of top-level keys. Raises `SopsError`.
    """
    trees = format_named(format).parse(data, limits)
    split(trees)
    return digests_of(trees)


def digests_of(trees: Sequence[Mapping[str, Any]]) -> Digests:
    """The digests of the encrypted trees of a document, without their `sops` blocks."""
    keys = {key: _digest(key, value) for tree in trees for key, value in without_place(tree).items()}
    return Digests(keys, digest_of_all(keys))


def digest_of_all(keys: Mapping[str, str]) -> str:
    """The digest of all keys together, from that of each: the same for one document of them all and for a
    document for each.
    """
    return version_of_all(keys)


def _digest(key: str, value: Any) -> str:
    """The digest of a key and its value as a list in JSON: both are texts nearly always."""
    text = f"[{_quoted(key)},{_quoted(value)}]" if type(value) is str else _ENCODER.encode([key, value])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:VERSION_DIGITS]
