"""A decrypted, verified document, and the outline that needs no key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from arcan_gitops.sops.errors import SopsError
from arcan_gitops.sops.metadata import Metadata

Value = Any  # dict[str, Value] | list[Value] | str | int | float | bool | None | Timestamp
Tree = dict[str, Value]


@dataclass(frozen=True)
class Document:
    """The trees of one file, decrypted, the MAC verified. Its repr shows key names only.

    A tree holds dict, list, str (bytes that are not UTF-8 as surrogateescape), int, float, bool, None and
    `Timestamp`; dicts are in document order.
    """

    trees: list[Tree] = field(repr=False)
    metadata: Metadata = field(repr=False)

    @property
    def tree(self) -> Tree:
        """The only tree. Raises `SopsError` where the file has several documents."""
        if len(self.trees) != 1:
            raise SopsError(
                f"the file has {len(self.trees)} YAML documents where one is wanted", hint="split the file"
            )
        return self.trees[0]

    @property
    def keys(self) -> tuple[str, ...]:
        """The top-level key names, in document order."""
        return tuple(key for tree in self.trees for key in tree)

    def __repr__(self) -> str:
        return f"Document(keys={list(self.keys)!r})"


@dataclass(frozen=True)
class Outline:
    """What a document says of itself without any key; nothing of it is authenticated."""

    documents: int
    keys: tuple[str, ...]
    metadata: Metadata = field(repr=False)
