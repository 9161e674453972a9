"""Changing one document on disk: whole or not at all, and never over somebody else's change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.binding import require_place
from arcan_gitops.realms.kinds import require_kinds
from arcan_gitops.realms.manifests import explained
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.removals import forget, forget_keys, record
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.snapshot import values_of
from arcan_gitops.realms.tree import DocumentFile, RealmTree
from arcan_gitops.realms.writing import ChangedMeanwhile, write_document
from arcan_gitops.sops import Document, Identities, load
from arcan_gitops.sops.trees import same

__all__ = [
    "ChangedMeanwhile",
    "DocumentEdit",
    "OpenDocument",
    "bind_document",
    "edit_document",
    "open_document",
    "open_file",
    "write_document",
]


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """One document as it was read for an edit, with what its realm allows."""

    file: DocumentFile
    settings: RealmSettings
    data: bytes = field(repr=False)
    identities: Identities = field(repr=False)

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path

    @property
    def realm_folder(self) -> Path:
        """The folder of its realm."""
        return self.file.realm_folder

    @property
    def environment(self) -> EnvironmentName:
        """Its environment."""
        return self.file.environment

    def edit(self, opener: Opener = load) -> DocumentEdit:
        """The values, decrypted and verified, a new edit each time. Raises as `load`."""
        return DocumentEdit(self, self.load(opener))

    def load(self, opener: Opener = load) -> Document:
        """The document, decrypted and verified, a new one each time.

        Raises `ArcanError`, naming the path; `OtherPlace` where it belongs elsewhere.
        """
        return self._load(opener, require_place)

    def load_wherever_it_belongs(self) -> Document:
        """The same of a document that may be bound to another place: to bind it to this one."""
        return self._load(load, lambda document, file: None)

    def _load(self, opener: Opener, judge: Callable[[Document, DocumentFile], None]) -> Document:
        try:
            document = opener(
                self.data,
                identities=self.identities.at(self.file.place),
                limits=self.settings.limits,
            )
            self.file.require_its_key(tuple(document.tree))  # also: a file of several YAML documents is none
            judge(document, self.file)
        except ArcanError as error:
            raise explained(error, self.data, self.file) from None
        return document

    def changed(self, document: Document) -> bytes | None:
        """What `save` would write of what `load` gave and was edited since; None if the file holds just that.

        Raises what the server would refuse to load the result for, naming the path.
        """
        try:
            data = document.dump()
            if data == self.data:
                return None
            values_of(document.tree, self.settings)
            self.file.require_its_key(tuple(document.tree))
        except ArcanError as error:
            raise error.located(self.file.path) from None
        return data

    def save(self, document: Document, reason: str = "removed by an edit") -> bool:
        """Write what `load` gave and was edited since; False if the file holds just that.

        Where the realm records removals, each key that went gets its record, with the reason; a key that is
        there loses its own. Raises as `changed`, and `CannotWrite` and `ChangedMeanwhile`; the files are then
        as they were.
        """
        data = self.changed(document)
        if data is None:
            return False
        realm, environment = self.file.realm_folder, self.file.environment
        written: tuple[Path, ...] = ()
        if self.settings.recorded:
            gone = {
                key: version for key, version in document.digests.keys.items() if key not in document.tree
            }
            written = record(realm, environment, gone, reason)
        try:
            write_document(self.file.path, data, replacing=self.data)
        except BaseException:
            forget(written)
            raise
        forget_keys(realm, environment, document.keys)
        return True


class DocumentEdit:
    """The values of one document, and what is to become of them. Its repr shows names only."""

    def __init__(self, opened: OpenDocument, document: Document) -> None:
        self._opened, self._document = opened, document
        self._before = dict(document.tree)

    def __repr__(self) -> str:
        return f"DocumentEdit(keys={list(self.keys)!r})"

    @property
    def tree(self) -> Mapping[str, Any]:
        """The values by key."""
        return self._document.tree

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the keys, in document order."""
        return self._document.keys

    def set(self, path: str | Sequence[str | int], value: Any) -> None:
        """`Document.set`"""
        self._document.set(path, value)

    def update(self, values: Mapping[str, Any]) -> None:
        """`Document.update`"""
        self._document.update(values)

    def unset(self, path: str | Sequence[str | int]) -> None:
        """`Document.unset`"""
        self._document.unset(path)

    def rename(self, path: str | Sequence[str | int], new_name: str) -> None:
        """`Document.rename`"""
        self._document.rename(path, new_name)

    def changed(self) -> bool:
        """`OpenDocument.changed`"""
        self._require_kinds()
        return self._opened.changed(self._document) is not None

    def save(self, reason: str = "removed by an edit") -> bool:
        """`OpenDocument.save`"""
        self._require_kinds()
        return self._opened.save(self._document, reason)

    def _require_kinds(self) -> None:
        """Of the values that were changed: what was there before says nothing against an edit of others."""
        new = {
            key: value
            for key, value in self.tree.items()
            if key not in self._before or not same(self._before[key], value, exact=True)
        }
        try:
            require_kinds(new, self._opened.settings.kinds)
        except ArcanError as error:
            raise error.located(self._opened.path) from None


def open_file(tree: RealmTree, file: DocumentFile, identities: Identities) -> OpenDocument:
    """Read a document, and the `realm.yaml` of its realm. Raises `CannotRead`, `InvalidFile`."""
    return OpenDocument(file, settings_of(tree, file.realm), file.read(), identities)


def open_document(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName, identities: Identities
) -> OpenDocument:
    """Read the document of an environment, and the `realm.yaml` beside it.

    Raises `BadLayout` where there is no such realm or environment, `CannotRead`, `InvalidFile`.
    """
    return open_file(tree, tree.document(realm, environment), identities)


def edit_document(
    tree: RealmTree,
    realm: RealmName,
    environment: EnvironmentName,
    identities: Identities,
    change: Callable[[Document], None],
) -> bool:
    """Decrypt the document of an environment, let `change` edit it, and write it; False if nothing changed.

    Raises what `open_document`, `OpenDocument.load`, `change` and `OpenDocument.save` raise; the file is then
    as it was.
    """
    opened = open_document(tree, realm, environment, identities)
    document = opened.load()
    change(document)
    return opened.save(document)


def bind_document(opened: OpenDocument, moved_from: str | None = None) -> bool:
    """Bind a document to the place where it stands, and write it; False if it was bound to it already.

    `moved_from` is another place that it may be bound to until now. Raises `OtherPlace` where it is bound to
    any other, `ClearLeaf` where its rule would leave the binding in clear, and as `OpenDocument.save`.
    """
    document = opened.load_wherever_it_belongs()
    if moved_from is None or document.place != moved_from:
        try:
            require_place(document, opened.file)
        except ArcanError as error:
            raise error.located(opened.file.path) from None
    try:
        document.bind(opened.file.place)
    except ArcanError as error:
        raise error.located(opened.file.path) from None
    return opened.save(document)
