"""Reads documents natively, and has the getsops binary read those that need it and are allowed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NoReturn

from arcan_gitops.errors import some
from arcan_gitops.getsops import answer, handover, ini
from arcan_gitops.getsops.allow import AllowList, Key, NotAllowed, keys_of, titles
from arcan_gitops.getsops.binary import Binary
from arcan_gitops.getsops.key_types import KEY_TYPES
from arcan_gitops.sops import (
    CannotEdit,
    Document,
    Identities,
    Limits,
    Malformed,
    Unsupported,
    load,
)
from arcan_gitops.sops.data_key import data_key
from arcan_gitops.sops.digests import digests_of
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from arcan_gitops.sops.metadata import Metadata, split
from arcan_gitops.sops.reading import check_trees
from arcan_gitops.sops.trees import Tree

_INI: Final = "ini"
_METADATA: Final = "sops"


@dataclass(frozen=True, slots=True)
class Fallback:
    """`load` with a getsops binary behind it, for key types and addresses that are allowed.

    A document that age opens is never handed to the binary, whatever other keys it names, but for what is not
    read natively at all: INI, and selection by comments. For those the binary gets the data key and contacts
    nobody. Without a `binary` nothing is handed over, and errors say which options would be needed.
    """

    binary: Binary | None = None
    allowed: AllowList = field(default_factory=AllowList)

    def load(
        self,
        data: bytes,
        *,
        format: str = "yaml",
        identities: Sequence[str] | Identities,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Document:
        """As `arcan_gitops.sops.load`, with "ini" too. What the binary decrypted cannot be edited.

        Raises what that raises, `NotAllowed` (an `Unsupported`) before anything is started, and
        `BinaryFailed`.
        """
        held = identities if isinstance(identities, Identities) else Identities(identities)
        if format != _INI:
            try:
                return load(data, format=format, identities=held, limits=limits)
            except Unsupported:
                pass  # of what is refused for good, the same is found below
        trees = ini.parse(data, limits) if format == _INI else format_named(format).parse(data, limits)
        block = trees[0].get("sops") if trees else None
        metadata = split(trees)
        assert isinstance(block, Mapping)
        check_trees(trees, metadata, limits)
        tree = _only_tree(trees)
        by_comments = metadata.selects_by_comments
        if by_comments and format != "yaml":
            raise Unsupported(f"selection by comments in the format '{format}' is not read")
        handed = self._handed(block, metadata, held, format)
        sealed = (
            handover.with_comments(data, tree, handed) if by_comments else handover.document(tree, handed)
        )
        assert self.binary is not None
        output = self.binary.decrypt(sealed, {"SOPS_AGE_KEY": "\n".join(handed.identities)})
        opened = _Decrypted(data, [answer.values(tree, output, limits)], metadata)
        return Document(opened, digests_of(trees))

    def _handed(
        self, block: Mapping[str, Any], metadata: Metadata, identities: Identities, format: str
    ) -> handover.Handover:
        """The block for the binary. Raises `NotAllowed`."""
        keys: tuple[Key, ...] = ()
        try:
            key = data_key(metadata, identities)
        except Unsupported:
            keys = keys_of(block)
        missing = self.allowed.missing(keys)
        if self.binary is None or missing:
            what = titles(keys) if keys else _what(metadata, format)
            lacks = "takes the getsops binary" if self.binary is None else "is not allowed"
            options = missing if self.binary is not None else ("--sops-binary PATH", *missing)
            raise NotAllowed(f"needs {what}, which {lacks}", hint=f"give {some(options, between=' ')}")
        for kind in dict.fromkeys(KEY_TYPES[key.type] for key in keys):
            if any(kind.oldest):
                self.binary.require(kind.oldest, kind.title)
        if keys:
            return handover.of_keys(block, metadata, identities, {each.type for each in keys})
        return handover.of_data_key(key, metadata)


@dataclass(frozen=True, slots=True)
class _Decrypted:
    """What the binary decrypted: its data key is not here, so it is only read."""

    data: bytes = field(repr=False)
    trees: list[Tree] = field(repr=False)
    metadata: Metadata = field(repr=False)
    key_digest: bytes | None = None

    def editing(self) -> NoReturn:
        raise CannotEdit(
            "was decrypted by the getsops binary: it is not edited here", hint="use 'sops edit FILE'"
        )

    def dump(self, now: datetime | None = None) -> bytes:
        del now
        return self.data


def _only_tree(trees: list[Tree]) -> Tree:
    if len(trees) != 1:
        raise Unsupported(
            f"the file has {len(trees)} YAML documents, and the getsops binary reads one",
            hint="split the file",
        )
    for key in trees[0]:
        if key.casefold() == _METADATA:
            raise Malformed(f"a key that is '{_METADATA}' in other letters")
    return trees[0]


def _what(metadata: Metadata, format: str) -> str:
    if format == _INI:
        return "the format INI"
    return f"selection by comments ({metadata.rule[0]})"
