"""Changing one document on disk: whole or not at all, and never over somebody else's change.

What is written is ciphertext, and so is the temporary file that becomes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from arcan_gitops.atomic import locked, replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.binding import require_place
from arcan_gitops.realms.manifests import explained
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.removals import forget, forget_keys, record
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.snapshot import values_of
from arcan_gitops.realms.tree import DocumentFile, RealmTree, read_file
from arcan_gitops.sops import Document, Identities, load


class ChangedMeanwhile(ArcanError):
    """A file is not the one any more that an edit began with. Nothing was written."""


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """One document as it was read for an edit, with what its realm allows."""

    file: DocumentFile
    settings: RealmSettings
    data: bytes = field(repr=False)
    identities: Identities = field(repr=False)

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
            _ = document.tree  # a file of several YAML documents is not a document of a realm
            judge(document, self.file)
        except ArcanError as error:
            raise explained(error, self.data, self.file.path) from None
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
        realm, environment = self.file.path.parent, self.file.environment
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


def open_document(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName, identities: Identities
) -> OpenDocument:
    """Read the document of an environment, and the `realm.yaml` beside it.

    Raises `BadLayout` where there is no such realm or environment, `CannotRead`, `InvalidFile`.
    """
    file = tree.document(realm, environment)
    return OpenDocument(file, settings_of(tree, realm), file.read(), identities)


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


def write_document(path: Path, data: bytes, *, replacing: bytes | None) -> None:
    """Replace a document file that holds `replacing`, or make a new one (None: there must be none yet).

    By temporary file and rename, under the lock of its folder; permissions are kept, and a link goes on to
    lead to the file. Raises `ChangedMeanwhile` where another edit was first, `CannotWrite`, `CannotRead`.
    (A program that takes no lock, such as git, could still write between the comparison and the rename:
    there is no exchange of files that compares their content.)
    """
    target = path if replacing is None else path.resolve()
    with locked(target.parent):
        if replacing is None:
            if os.path.lexists(target):
                raise ChangedMeanwhile(f"{path}: is there already", hint="edit it, or choose another name")
        elif not target.exists():
            raise ChangedMeanwhile(
                f"{path}: was removed meanwhile; nothing was written", hint="restore it from Git"
            )
        elif read_file(target) != replacing:
            raise ChangedMeanwhile(
                f"{path}: was changed meanwhile; nothing was written", hint="run the command again"
            )
        replace_file(target, data)
