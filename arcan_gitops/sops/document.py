"""A decrypted, verified document, and the outline that needs no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops import parting
from arcan_gitops.sops.binding import refuse_place, require_rule, without_place
from arcan_gitops.sops.errors import SopsError
from arcan_gitops.sops.metadata import Metadata
from arcan_gitops.sops.trees import Tree, Value
from arcan_gitops.sops.wrapping import Recipients, Wrapped

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

    @property
    def key_digest(self) -> bytes | None:
        """Names the data key, and says nothing of it; None where the data key is not here."""

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
        """The only tree, without the place. Raises `SopsError` where the file has several documents."""
        return without_place(self._only)

    @property
    def place(self) -> str | None:
        """What the document says of where it belongs, as `REALM/ENVIRONMENT`; None if it is bound to nothing.

        Raises `SopsError` where the file has several documents.
        """
        value = self._only.get(PLACE_KEY)
        return None if value is None else str(value)

    @property
    def key_digest(self) -> bytes | None:
        """SHA-256 over the data key: equal for documents that have the same one. None where a getsops binary
        decrypted it.
        """
        return self._content.key_digest

    @property
    def _only(self) -> Tree:
        if len(self.trees) != 1:
            raise SopsError(
                f"the file has {len(self.trees)} YAML documents where one is wanted", hint="split the file"
            )
        return self.trees[0]

    @property
    def keys(self) -> tuple[str, ...]:
        """The top-level key names, in document order."""
        return tuple(key for tree in self.trees for key in without_place(tree))

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
        for key in values:
            refuse_place(key)
        self._content.editing().update({str(key): value for key, value in values.items()})

    def bind(self, place: str) -> None:
        """Have the document say that it belongs at a place, `REALM/ENVIRONMENT`; its keys stay as they are.

        Raises `ClearLeaf` where its rule would leave that in clear, `CannotEdit`.
        """
        require_rule(self.metadata.rule)
        self._content.editing().set((PLACE_KEY,), place)

    def unset(self, path: str | Sequence[str | int]) -> None:
        """Remove a key or a list item; comment lines above it stay.

        Raises `NoSuchKey`, `CannotEdit`, and `NoKeys` for the last key.
        """
        self._content.editing().unset(_path(path))

    def rename(self, path: str | Sequence[str | int], new_name: str) -> None:
        """Give the key at a path another name, in its place; its values are encrypted anew, bound to it.

        Raises `NoSuchKey`, `BadValue`, `ClearLeaf`, `EmptyLeaf`, `CannotEdit`, also where the name is taken.
        """
        steps = _path(path)
        if len(steps) == 1:
            refuse_place(new_name)
        self._content.editing().rename(steps, str(new_name))

    def rotate(
        self,
        recipients: Sequence[str] | Recipients | Wrapped,
        *,
        rule: tuple[str, str] | None = None,
        mac_only: bool | None = None,
        allow_clear: Sequence[str] = (),
    ) -> None:
        """A new data key for these recipients, everything encrypted anew; or one that is wrapped already,
        which other documents share.

        Give those of `.sops.yaml`: nothing authenticates the ones that the document itself names. Without a
        threshold of their own, `Recipients` in groups keep the document's. `rule` (name, argument) and
        `mac_only` are those of the document from then on, and by default stay as they are. `allow_clear` are
        the top-level keys below which values may come to stand in clear that were encrypted. Raises
        `BadRecipient`, `ClearLeaf`, `EmptyLeaf`, and `Unsupported` where the document has keys other than
        age's, or for a rule by comments.
        """
        metadata = self.metadata
        self._content.editing().rotate(
            recipients if isinstance(recipients, Wrapped) else Recipients.of(recipients),
            rule or metadata.rule,
            metadata.mac_only_encrypted if mac_only is None else mac_only,
            allow_clear,
        )

    def updatekeys(self, recipients: Sequence[str] | Recipients | Wrapped) -> Wrapped:
        """Wrap the same data key for these recipients; values, MAC and lastmodified stay as they are.

        Returns what was wrapped, for other documents with the same data key. A former recipient still knows
        the data key; `rotate` locks them out. Raises what `rotate` raises.
        """
        to = recipients if isinstance(recipients, Wrapped) else Recipients.of(recipients)
        return self._content.editing().updatekeys(to)

    def part(self, place: str) -> Mapping[str, bytes]:
        """The document of each key alone, bound to a place: ciphertext, data key, stanzas and `lastmodified`
        stay, and only the MAC is new. Raises `ClearLeaf` where the rule would leave the place in clear,
        `CannotEdit`.
        """
        return parting.part(self._content.editing().sealed(), place)

    def join(self, others: Sequence[Document], place: str) -> bytes:
        """One document of the keys of this one and of others that have its data key, in their order, bound
        to a place: the reverse of `part`. Raises `CannotEdit` where their wrapped keys or rules differ.
        """
        every = (self, *others)
        return parting.join([each._content.editing().sealed() for each in every], place)

    def dump(self, *, now: datetime | None = None) -> bytes:
        """The file: its own bytes if nothing was changed, else with a new MAC and `lastmodified` (`now`).

        The new bytes are decrypted and compared first. Raises `CannotEdit` if the tree was changed in other
        ways than by `set`, `unset` and `rename`.
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
    bound: bool = False  # whether it says where it belongs


def _path(path: str | Sequence[str | int]) -> tuple[str | int, ...]:
    steps = (path,) if isinstance(path, str) else path
    checked = tuple(str(step) if isinstance(step, str) else step for step in steps)
    if not checked or not all(type(step) is str or type(step) is int for step in checked):
        raise TypeError("a path is a key, or a sequence of keys and list indexes")
    refuse_place(checked[0])
    return checked
