"""The environments in the folder of one realm, in either layout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, InvalidName, RealmName
from arcan_gitops.realms.files import entries, is_folder
from arcan_gitops.realms.layout import (
    BESIDE,
    DOCUMENT_SUFFIX,
    DocumentFile,
    EnvironmentFiles,
    both_layouts,
    document_file,
    holds_key_files,
    no_key_file,
    not_a_document,
    of_document,
    scan_folder,
)


@dataclass(frozen=True, slots=True)
class Places:
    """The environments of a realm, sorted; why some of them are none (`bad`: a link out of the realm, a
    folder named as a document, both layouts at once); and what has no place beside them.

    `bare` are folders that could be environments, but hold no key file: an environment that has lost all of
    them looks like this, and so does a folder that never was one.
    """

    environments: tuple[EnvironmentFiles, ...]
    bad: Mapping[EnvironmentName, ArcanError]
    bare: Mapping[EnvironmentName, ArcanError]
    misplaced: tuple[ArcanError, ...]


def scan_realm(folder: Path, realm: RealmName) -> Places:
    """The environments in the folder of a realm. Raises `CannotRead` for the folder itself."""
    found = _Found(realm)
    shown = [entry for entry in entries(folder) if entry.name not in BESIDE]
    for entry in sorted(shown, key=lambda entry: entry.name.endswith(DOCUMENT_SUFFIX)):  # folders first
        found.add(entry)
    return Places(
        tuple(found.environments[name] for name in sorted(found.environments)),
        MappingProxyType(found.bad),
        MappingProxyType(found.bare),
        tuple(found.misplaced),
    )


@dataclass(slots=True)
class _Found:
    """What the folder of a realm came to so far."""

    realm: RealmName
    environments: dict[EnvironmentName, EnvironmentFiles] = field(default_factory=dict)
    bad: dict[EnvironmentName, ArcanError] = field(default_factory=dict)
    bare: dict[EnvironmentName, ArcanError] = field(default_factory=dict)
    misplaced: list[ArcanError] = field(default_factory=list)

    def add(self, entry: os.DirEntry[str]) -> None:
        try:
            name = EnvironmentName.parse(entry.name.removesuffix(DOCUMENT_SUFFIX))
        except InvalidName:
            self.misplaced.append(_misplaced(Path(entry.path), self.realm))
            return
        try:
            if entry.name.endswith(DOCUMENT_SUFFIX):
                self._document(name, entry)
            elif entry.is_dir(follow_symlinks=False) or is_folder(Path(entry.path)):
                self._folder(name, Path(entry.path))
            else:
                self.misplaced.append(not_a_document(Path(entry.path)))
        except ArcanError as error:
            self.environments[name] = of_document(DocumentFile(self.realm, name, entry.path))
            self.bad[name] = error

    def _document(self, name: EnvironmentName, entry: os.DirEntry[str]) -> None:
        in_files = self.environments.get(name)
        if in_files is not None:
            self.bad[name] = both_layouts(self.realm, name, in_files.path)
            return
        if name in self.bare:
            self.misplaced.append(self.bare.pop(name))
        if entry.is_file(follow_symlinks=False):
            self.environments[name] = of_document(DocumentFile(self.realm, name, entry.path))
        else:
            file = document_file(Path(entry.path), self.realm)
            self.environments[name] = replace(of_document(file), linked=True)

    def _folder(self, name: EnvironmentName, path: Path) -> None:
        if holds_key_files(path):
            self.environments[name] = scan_folder(path, self.realm, name)
        else:
            self.bare[name] = no_key_file(path)


def _misplaced(path: Path, realm: RealmName) -> ArcanError:
    """Why something whose name no environment can have is no document."""
    try:
        document_file(path, realm)
    except ArcanError as error:
        return error
    return not_a_document(path)
