"""SOPS documents, read natively: bytes in, a verified tree out. No file, network, or environment variable.

    document = load(data, identities=[Path("keys.txt").read_text()])
    document.tree["DATABASE_URL"]

The MAC is always verified, and every failure is an `ArcanError`. The format: getsops/sops 3.x.
"""

from __future__ import annotations

from collections.abc import Sequence

from arcan_gitops.errors import together
from arcan_gitops.golang.yaml import Timestamp
from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops.binding import without_place
from arcan_gitops.sops.creating import encrypt
from arcan_gitops.sops.data_key import data_key, require_entries
from arcan_gitops.sops.digests import Digests, digests, digests_of
from arcan_gitops.sops.document import Document, Outline
from arcan_gitops.sops.editing import Editing
from arcan_gitops.sops.errors import (
    BadEntry,
    BadIdentity,
    BadValue,
    CannotEdit,
    ClearLeaf,
    DuplicateKey,
    EmptyLeaf,
    Malformed,
    NoKeys,
    NoMatchingIdentity,
    NoSuchKey,
    NotEncrypted,
    SopsError,
    Tampered,
    TooLarge,
    Unsupported,
)
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.identities import Identities
from arcan_gitops.sops.limits import ANY_VALUES, DEFAULT_LIMITS, Limits
from arcan_gitops.sops.metadata import split
from arcan_gitops.sops.reading import findings_of, read_trees
from arcan_gitops.sops.trees import Tree
from arcan_gitops.sops.wrapping import BadRecipient, Recipients, Wrapped

__all__ = [
    "ANY_VALUES",
    "BadEntry",
    "BadIdentity",
    "BadRecipient",
    "BadValue",
    "CannotEdit",
    "ClearLeaf",
    "Digests",
    "Document",
    "DuplicateKey",
    "EmptyLeaf",
    "Identities",
    "Limits",
    "Malformed",
    "NoKeys",
    "NoMatchingIdentity",
    "NoSuchKey",
    "NotEncrypted",
    "Outline",
    "Recipients",
    "SopsError",
    "Tampered",
    "Timestamp",
    "TooLarge",
    "Unsupported",
    "Wrapped",
    "digests",
    "encrypt",
    "examine",
    "has_parts",
    "key_names",
    "load",
    "outline",
    "require_entries",
]


def load(
    data: bytes,
    *,
    format: str = "yaml",
    identities: Sequence[str] | Identities,
    limits: Limits = DEFAULT_LIMITS,
) -> Document:
    """Decrypt and verify one document.

    `format` is "yaml", "json", "dotenv" or "binary" (whose tree is `{"data": text}`, bytes that are not UTF-8
    as surrogateescape); "ini" takes the getsops binary. `identities` are the texts of key files (or
    `Identities`, parsed once for many documents, which also keeps the data keys that it opened);
    `limits` say how large it may be, and what it may hold in clear or empty. Raises `SopsError`,
    whose subclasses say why.
    """
    of = format_named(format)
    trees = of.parse(data, limits)
    metadata = split(trees)
    held = identities if isinstance(identities, Identities) else Identities(identities)
    key = data_key(metadata, held)
    read = read_trees(trees, metadata, key, limits)
    return Document(
        Editing(data, of, read, metadata, key, limits),
        digests_of(trees),
    )


def outline(
    data: bytes,
    *,
    format: str = "yaml",
    limits: Limits = DEFAULT_LIMITS,
) -> Outline:
    """Check all that can be checked without a key, and say what the document holds.

    Refuses what `load` refuses, except what takes the data key: tampering. Raises `SopsError`: of several
    findings the first one's class, with all of them in its message.
    """
    found, findings = examine(data, format=format, limits=limits)
    if findings:
        raise together(findings, f"{len(findings)} findings:")
    return found


def examine(
    data: bytes,
    *,
    format: str = "yaml",
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Outline, list[SopsError]]:
    """What `outline` gives, and each thing for which it refuses the values; up to 100 of them.

    Raises `SopsError` for what is no document at all.
    """
    trees = format_named(format).parse(data, limits)
    metadata = split(trees)
    findings = findings_of(trees, metadata, limits)
    bound = any(PLACE_KEY in tree for tree in trees)
    return Outline(len(trees), _keys(trees), metadata, bound), findings


def key_names(data: bytes, *, format: str = "yaml", limits: Limits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """The top-level key names in document order, which SOPS leaves in clear. Raises `SopsError`."""
    trees = format_named(format).parse(data, limits)
    split(trees)
    return _keys(trees)


def has_parts(data: bytes, key: str) -> bool:
    """Whether a top-level key of a YAML document is a map or a list, which SOPS leaves in clear. Raises
    `SopsError`.
    """
    trees = format_named("yaml").parse(data, DEFAULT_LIMITS)
    return any(isinstance(tree.get(key), dict | list) for tree in trees)


def _keys(trees: Sequence[Tree]) -> tuple[str, ...]:
    return tuple(key for tree in trees for key in without_place(tree))
