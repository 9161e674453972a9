"""The realm files on disk: a folder for each realm, its environments in it (`realms.layout`), and what stands
beside them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, did_you_mean
from arcan_gitops.realms.files import (
    MAX_FILE_BYTES,
    BadLayout,
    CannotRead,
    digest,
    entries,
    is_folder,
    read_file,
    refuse_escape,
)
from arcan_gitops.realms.layout import (
    DOCUMENT_SUFFIX,
    REALM_FILE,
    REMOVED_FOLDER,
    TOKENS_FILE,
    DocumentFile,
    EnvironmentFiles,
    Layout,
    both_layouts,
    document_file,
    holds_key_files,
    key_file,
    key_folder,
    of_document,
    parsed,
    scan_folder,
)
from arcan_gitops.realms.places import Places, scan_realm

__all__ = [
    "DOCUMENT_SUFFIX",
    "MAX_FILE_BYTES",
    "REALM_FILE",
    "RECORD_SUFFIX",
    "REMOVED_FOLDER",
    "TOKENS_FILE",
    "BadLayout",
    "CannotRead",
    "DocumentFile",
    "EnvironmentFiles",
    "Layout",
    "Places",
    "RealmTree",
    "digest",
    "document_file",
    "read_file",
    "removal_file",
]

RECORD_SUFFIX: Final = ".yaml"


def removal_file(realm: Path, environment: EnvironmentName, key: str) -> Path:
    """Where the record of a removed key is, or would be; `realm` is the realm's folder."""
    return realm / REMOVED_FOLDER / environment / f"{key}{RECORD_SUFFIX}"


class RealmTree:
    """The folder `realms/`. Reads the names of files, never their content.

    Raises `CannotRead` where the folder is not there, `BadLayout` for what has no place in it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def scan(self) -> tuple[tuple[RealmName, ...], tuple[ArcanError, ...]]:
        """The names of the realms, sorted, and what has no place beside them. A folder with `realm.yaml`
        alone, as `arcan init` writes it, is a realm to come, and none yet. Raises `CannotRead`.
        """
        names: list[RealmName] = []
        problems: list[ArcanError] = []
        for entry in entries(self.root):
            try:
                path = self.root / entry.name
                if (entry.is_dir(follow_symlinks=False) or is_folder(path)) and not _is_to_come(path):
                    names.append(parsed(RealmName, entry.name, path))
                elif entry.name.endswith(DOCUMENT_SUFFIX):
                    raise BadLayout(
                        f"{path}: a document must be in the folder of a realm",
                        hint=f"move it to {self.root}/REALM/{entry.name}",
                    )
            except ArcanError as error:
                problems.append(error)
        if not names:
            problems.append(
                BadLayout(
                    f"{self.root}: holds no realm",
                    hint=f"a realm is a folder with documents: {self.root}/production/prod{DOCUMENT_SUFFIX}",
                )
            )
        return tuple(names), tuple(problems)

    def realms(self) -> tuple[RealmName, ...]:
        """The names of the realms, sorted. Raises the first of `scan`'s problems."""
        names, problems = self.scan()
        if problems:
            raise problems[0]
        return names

    def folder(self, realm: RealmName) -> Path:
        """The folder of a realm. Raises `BadLayout`, naming the nearest, if there is none; and where it is a
        link out of the tree, through which other files would be served and written.
        """
        folder = self.root / realm
        if not is_folder(folder):
            raise BadLayout(
                f"{folder}: there is no realm '{realm}'", hint=did_you_mean(realm, self.scan()[0])
            )
        refuse_escape(folder)
        return folder

    def environment(
        self, realm: RealmName, environment: EnvironmentName, key: str = "KEY"
    ) -> EnvironmentFiles:
        """The files of one environment, in either layout. Raises `BadLayout`, naming the nearest, if there is
        none, and where it is there in both; `CannotRead`. `key` is the one that a new one would begin with.
        """
        create = f"(a new one: 'arcan realm create {realm} --env {environment} --key {key}')"
        try:
            folder = self.folder(realm)
        except BadLayout as error:
            if is_folder(self.root / realm):
                raise  # it is there, and is not what it has to be
            raise BadLayout(error.message, hint=f"{error.hint} {create}") from None
        path, below = folder / f"{environment}{DOCUMENT_SUFFIX}", folder / environment
        in_files = environment != REMOVED_FOLDER and is_folder(below) and holds_key_files(below)
        if os.path.lexists(path):
            if in_files:
                raise both_layouts(realm, environment, below)
            return of_document(document_file(path, realm))
        if in_files:
            return scan_folder(below, realm, environment)
        known = {each.environment for each in self.scan_places(realm).environments}
        raise BadLayout(
            f"realm '{realm}' has no environment '{environment}'",
            hint=f"{did_you_mean(environment, known)} {create}",
        )

    def document(self, realm: RealmName, environment: EnvironmentName) -> DocumentFile:
        """The document of one environment. Raises as `environment`, and `BadLayout` where it has a file for
        each key.
        """
        found = self.environment(realm, environment)
        if found.layout is Layout.FILES:
            raise BadLayout(
                f"{found.path}: the environment has a file for each key, and is no document",
                hint=f"'arcan realm join {realm} --env {environment}' makes it one",
            )
        return found.files[0]

    def key_file(self, realm: RealmName, environment: EnvironmentName, key: KeyName) -> DocumentFile:
        """The file of one key, which is there. Raises as `environment`; what is wrong with the file; and
        `BadLayout`, naming the nearest, where the environment is a document or has no such key.
        """
        found = self.environment(realm, environment)
        if found.layout is Layout.DOCUMENT:
            raise BadLayout(
                f"{found.path}: the environment is one document, and has no files of keys",
                hint=f"'arcan realm split {realm} --env {environment}' makes them",
            )
        if key in found.bad:
            raise found.bad[key]
        for file in found.files:
            if file.key == key:
                return file
        raise BadLayout(
            f"{key_file(self.folder(realm), environment, key)}: there is no such key",
            hint=did_you_mean(key, [str(file.key) for file in found.files]),
        )

    def documents(self, realm: RealmName | None = None) -> tuple[DocumentFile, ...]:
        """The documents of one realm, or of all: those of environments and those of single keys, sorted.
        Raises the first of `scan_documents`' problems.
        """
        found: list[DocumentFile] = []
        for name in self.realms() if realm is None else (realm,):
            documents, problems = self.scan_documents(name)
            if problems:
                raise problems[0]
            found += documents
        return tuple(found)

    def scan_documents(self, realm: RealmName) -> tuple[tuple[DocumentFile, ...], tuple[ArcanError, ...]]:
        """The documents of a realm, those of environments and those of single keys, sorted, and what has no
        place beside them; a realm without one is a problem. Raises `CannotRead`.
        """
        places = self.scan_places(realm)
        good = [each for each in places.environments if each.environment not in places.bad]
        documents = tuple(file for each in good for file in each.files)
        problems = [*places.misplaced, *places.bad.values(), *places.bare.values()]
        for each in good:
            problems += (*each.misplaced, *each.bad.values())
        if not documents and not problems:
            problems = [self.no_document(realm)]
        return documents, tuple(problems)

    def no_document(self, realm: RealmName) -> BadLayout:
        """That a realm has no document."""
        return BadLayout(
            f"{self.root / realm}: the realm has no document",
            hint=f"run 'arcan realm create {realm} --env prod --key KEY', or remove the folder",
        )

    def scan_places(self, realm: RealmName) -> Places:
        """The environments of a realm, also those whose files cannot be what they stand for. Raises
        `CannotRead`, `BadLayout`.
        """
        return scan_realm(self.folder(realm), realm)

    def scan_all(
        self, realm: RealmName | None = None, environment: EnvironmentName | None = None
    ) -> tuple[tuple[DocumentFile, ...], tuple[ArcanError, ...]]:
        """The documents of one realm or of all, of one environment or of all, sorted, and what has no place
        beside them. Raises `CannotRead`, and `BadLayout` where a realm or environment is not there.
        """
        if realm is not None and environment is not None:
            one = self.environment(realm, environment)
            return one.files, (*one.misplaced, *one.bad.values())
        names, misplaced = self.scan() if realm is None else ((realm,), ())
        documents: list[DocumentFile] = []
        problems = list(misplaced)
        for name in names:
            try:
                found, misplaced = self.scan_documents(name)
                documents += found
                problems += misplaced
            except (CannotRead, BadLayout) as error:
                if realm is not None and isinstance(error, BadLayout):  # there is no such realm
                    raise
                problems.append(error)
        if environment is None:
            return tuple(documents), tuple(problems)
        wanted = tuple(document for document in documents if document.environment == environment)
        if not wanted:
            raise BadLayout(
                f"no realm has an environment '{environment}'",
                hint=did_you_mean(environment, {document.environment for document in documents}),
            )
        return wanted, tuple(problems)

    def tokens_file(self, realm: RealmName) -> Path | None:
        """`tokens.yaml` of a realm, or None if there is none."""
        return self._beside(realm, TOKENS_FILE)

    def realm_file(self, realm: RealmName) -> Path | None:
        """`realm.yaml` of a realm, or None if there is none."""
        return self._beside(realm, REALM_FILE)

    def removal_folders(self, realm: RealmName) -> tuple[tuple[EnvironmentName, ...], tuple[ArcanError, ...]]:
        """The environments that have records of removed keys, sorted, and what has no place beside them."""
        folder = self.folder(realm) / REMOVED_FOLDER
        found: list[EnvironmentName] = []
        problems: list[ArcanError] = []
        for entry in entries(folder) if os.path.lexists(folder) else ():
            path = folder / entry.name
            try:
                if entry.name.endswith(DOCUMENT_SUFFIX):
                    key_folder(folder.parent, EnvironmentName(REMOVED_FOLDER))  # raises: it cannot have one
                if not is_folder(path):
                    hint = f"records are in {folder}/ENVIRONMENT/KEY{RECORD_SUFFIX}"
                    raise BadLayout(f"{path}: not the folder of an environment", hint=hint)
                found.append(parsed(EnvironmentName, entry.name, path))
            except ArcanError as error:
                problems.append(error)
        return tuple(found), tuple(problems)

    def removal_files(
        self, realm: RealmName, environment: EnvironmentName
    ) -> tuple[dict[KeyName, Path], tuple[ArcanError, ...]]:
        """The records of an environment's removed keys, sorted, and what has no place beside them."""
        folder = self.folder(realm) / REMOVED_FOLDER
        found: dict[KeyName, Path] = {}
        problems: list[ArcanError] = []
        try:
            for step in (folder, folder / environment):
                if not os.path.lexists(step):
                    return found, ()
                refuse_escape(step)
            for entry in entries(folder / environment, hidden=True):
                path = folder / environment / entry.name
                try:
                    if entry.name.startswith(".") and not entry.name.endswith(RECORD_SUFFIX):
                        continue
                    if not entry.name.endswith(RECORD_SUFFIX):
                        hint = f"a record is named KEY{RECORD_SUFFIX}"
                        raise BadLayout(f"{path}: not the record of a removed key", hint=hint)
                    refuse_escape(path)
                    found[parsed(KeyName, entry.name.removesuffix(RECORD_SUFFIX), path)] = path
                except ArcanError as error:
                    problems.append(error)
        except ArcanError as error:
            problems.append(error)
        return found, tuple(problems)

    def _beside(self, realm: RealmName, name: str) -> Path | None:
        path = self.folder(realm) / name
        if not os.path.lexists(path):
            return None
        refuse_escape(path)
        return path


def _is_to_come(folder: Path) -> bool:
    """Whether a folder says how its realm is to be, and holds nothing of it yet."""
    return os.path.lexists(folder / REALM_FILE) and [entry.name for entry in entries(folder)] == [REALM_FILE]
