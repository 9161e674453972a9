"""A decrypted, verified document, and the outline that needs no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from arcan_gitops.sops.errors import SopsError
from arcan_gitops.sops.metadata import Metadata
from arcan_gitops.sops.trees import Tree, Value
from arcan_gitops.sops.wrapping import Recipients

if TYPE_CHECKING:
    from arcan_gitops.sops.digests import Digests
    from arcan_gitops.sops.editing import Editing


class Content(Protocol):
    """What a document is read from: all that reading takes, and what edits it, where anything does."""

    @property
    def trees(self) -> list[Tree]:
        """The values, decrypted and verified."""

    @property
    def metadata(self) -> Metadata:
        """The `sops` block."""

    def editing(self) -> Editing:
        """What the edits are made by. Raises `CannotEdit` where the document is only read."""

    def dump(self, now: datetime | None = None) -> bytes:
        """The file."""


class Document:
    """The trees of one file, decrypted, the MAC verified: what `load` makes. Its repr shows key names only.

    A tree holds dict, list, str (bytes that are not UTF-8 as surrogateescape), int, float, bool, None and
    `Timestamp`; dicts are in document order. A tree is changed by `set`, `unset` and `rename` only, and a
    document that holds the data key cannot be pickled.

    Each edit is whole or raises and changes nothing: `CannotEdit` where the layout of the file does not allow
    it with certainty, `ClearLeaf` and `EmptyLeaf` for what `load` would refuse. What an edit does not name
    keeps its bytes: ciphertext, comments, order, quotes, indentation, line breaks.
    """

    __slots__ = ("_content", "digests")

    def __init__(self, content: Content, digests: Digests) -> None:
        self._content = content
        self.digests: Final = digests  # of the ciphertext that was loaded; edits do not show in it

    @property
    def trees(self) -> list[Tree]:
        """The trees of all YAML documents of the file."""
        return self._content.trees

    @property
    def metadata(self) -> Metadata:
        """The `sops` block; its MAC is that of the last `dump`."""
        return self._content.metadata

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

    def set(self, path: str | Sequence[str | int], value: Value) -> None:
        """Give a key (a top-level key, or a path of keys and list indexes) a value.

        A new key comes last in its map, a value at the index behind a list's end is appended, and maps that
        the path lacks are made. Raises `NoSuchKey` where the path leads through a value, `BadValue` for a
        value or key that SOPS cannot hold, `ClearLeaf`, `EmptyLeaf`, `CannotEdit`.
        """
        self._content.editing().set(_path(path), value)

    def update(self, values: Mapping[str, Value]) -> None:
        """Give many top-level keys their values at once, all or none, in one edit.

        Raises `SeveralErrors` with what `set` would raise for each.
        """
        self._content.editing().update({str(key): value for key, value in values.items()})

    def unset(self, path: str | Sequence[str | int]) -> None:
        """Remove a key or a list item; comment lines above it stay.

        Raises `NoSuchKey`, `CannotEdit`, and `NoKeys` for the last key.
        """
        self._content.editing().unset(_path(path))

    def rename(self, path: str | Sequence[str | int], new_name: str) -> None:
        """Give the key at a path another name, in its place; its values are encrypted anew, bound to it.

        Raises `NoSuchKey`, `BadValue`, `ClearLeaf`, `EmptyLeaf`, `CannotEdit`, also where the name is taken.
        """
        self._content.editing().rename(_path(path), str(new_name))

    def rotate(
        self,
        recipients: Sequence[str] | Recipients,
        *,
        rule: tuple[str, str] | None = None,
        mac_only: bool | None = None,
        allow_clear: Sequence[str] = (),
    ) -> None:
        """A new data key for these recipients, everything encrypted anew.

        Give those of `.sops.yaml`: nothing authenticates the ones that the document itself names. Without a
        threshold of their own, `Recipients` in groups keep the document's. `rule` (name, argument) and
        `mac_only` are those of the document from then on, and by default stay as they are. `allow_clear` are
        the top-level keys below which values may come to stand in clear that were encrypted. Raises
        `BadRecipient`, `ClearLeaf`, `EmptyLeaf`, and `Unsupported` where the document has keys other than
        age's, or for a rule by comments.
        """
        metadata = self.metadata
        self._content.editing().rotate(
            Recipients.of(recipients),
            rule or metadata.rule,
            metadata.mac_only_encrypted if mac_only is None else mac_only,
            allow_clear,
        )

    def updatekeys(self, recipients: Sequence[str] | Recipients) -> None:
        """Wrap the same data key for these recipients; values, MAC and lastmodified stay as they are.

        Who was a recipient before still knows the data key: to lock somebody out, `rotate`. Raises the same.
        """
        self._content.editing().updatekeys(Recipients.of(recipients))

    def dump(self, *, now: datetime | None = None) -> bytes:
        """The file: its own bytes if nothing was changed, else with a new MAC and `lastmodified` (`now`).

        All of it is decrypted and compared once more before. Raises `CannotEdit` where the tree was changed
        by other ways than `set`, `unset` and `rename`.
        """
        return self._content.dump(now)

    def __repr__(self) -> str:
        return f"Document(keys={list(self.keys)!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a document and its data key cannot be pickled")


@dataclass(frozen=True)
class Outline:
    """What a document says of itself without any key; nothing of it is authenticated."""

    documents: int
    keys: tuple[str, ...]
    metadata: Metadata = field(repr=False)


def _path(path: str | Sequence[str | int]) -> tuple[str | int, ...]:
    steps = (path,) if isinstance(path, str) else path
    checked = tuple(str(step) if isinstance(step, str) else step for step in steps)
    if not checked or not all(type(step) is str or type(step) is int for step in checked):
        raise TypeError("a path is a key, or a sequence of keys and list indexes")
    return checked
