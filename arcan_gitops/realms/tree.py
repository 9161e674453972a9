"""The realm files on disk: `realms/<realm>/<environment>.sops.yaml`, and what stands beside them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, did_you_mean, place_name

DOCUMENT_SUFFIX: Final = ".sops.yaml"
REALM_FILE: Final = "realm.yaml"
TOKENS_FILE: Final = "tokens.yaml"
REMOVED_FOLDER: Final = "removed"  # the records of keys that were removed
RECORD_SUFFIX: Final = ".yaml"
MAX_FILE_BYTES: Final = 64 * 1024 * 1024  # a document's own limit is lower; this one keeps memory safe
# What may stand in a realm's folder without being a document; dot files may too.
_BESIDE: Final = frozenset(
    {REALM_FILE, TOKENS_FILE, REMOVED_FOLDER, "kustomization.yaml", "inventory.yaml", "README.md"}
)
_NO_LINK: Final = "put the file or folder itself there; the folder of all realms may be a link (--realms)"

_N = TypeVar("_N", RealmName, EnvironmentName, KeyName)


class BadLayout(ArcanError):
    """A file or folder that has no place where it stands."""


class CannotRead(ArcanError):
    """A file or folder that cannot be read."""


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """One SOPS document on disk."""

    realm: RealmName
    environment: EnvironmentName
    path: Path

    @property
    def place(self) -> str:
        """`REALM/ENVIRONMENT`, which its `arcan_place` must say."""
        return place_name(self.realm, self.environment)

    def read(self) -> bytes:
        """The bytes of the file. Raises `CannotRead`."""
        return read_file(self.path)


def removal_file(realm: Path, environment: EnvironmentName, key: str) -> Path:
    """Where the record of a removed key is, or would be; `realm` is the realm's folder."""
    return realm / REMOVED_FOLDER / environment / f"{key}{RECORD_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Places:
    """The documents of a realm, sorted; why some of them are none (`bad`: a link out of the realm, a folder);
    and what has no place beside them.
    """

    documents: tuple[DocumentFile, ...]
    bad: Mapping[EnvironmentName, ArcanError]
    misplaced: tuple[ArcanError, ...]


def _environment_of(path: Path) -> EnvironmentName | None:
    """The environment that a file or folder is named for."""
    if not path.name.endswith(DOCUMENT_SUFFIX):
        return None
    try:
        return EnvironmentName.parse(path.name.removesuffix(DOCUMENT_SUFFIX))
    except InvalidName:
        return None


def document_file(path: Path, realm: RealmName) -> DocumentFile:
    """The document at `path` in the folder of `realm`. Raises `BadLayout` for a name that no document has."""
    if _is_folder(path) or not path.name.endswith(DOCUMENT_SUFFIX):
        raise BadLayout(
            f"{path}: not a document",
            hint=f"a document is named <environment>{DOCUMENT_SUFFIX}; beside it only {_beside()}",
        )
    _refuse_escape(path)
    return _document(path, realm)


def _document(path: Path, realm: RealmName) -> DocumentFile:
    stem = path.name.removesuffix(DOCUMENT_SUFFIX)
    return DocumentFile(realm, _parse(EnvironmentName, stem, path), path)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read: {error.strerror}") from None


def _refuse_escape(path: Path) -> None:
    """A link out of the folder where a file or a realm stands could show its readers what another realm, or
    the machine, holds.
    """
    if not os.path.islink(path):
        return
    try:
        inside = path.resolve().is_relative_to(path.parent.resolve())
    except (OSError, RuntimeError):
        raise CannotRead(f"{path}: cannot be read: a link that leads nowhere") from None
    if not inside:
        raise BadLayout(f"{path}: is a link out of the folder '{path.parent.name}'", hint=_NO_LINK)


def read_file(path: Path) -> bytes:
    """The bytes of a regular file of at most `MAX_FILE_BYTES`. Raises `CannotRead`.

    Anything else (a FIFO, a device) could keep a server waiting for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:  # not fdopen(): for a folder it raises, and leaves the descriptor open
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise CannotRead(f"{path}: cannot be read: not a regular file")
            data = b""
            wanted = min(status.st_size, MAX_FILE_BYTES) + 1  # one more, and it is known that this is the end
            while len(data) <= MAX_FILE_BYTES and (more := os.read(descriptor, wanted)):
                data += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise CannotRead(f"{path}: has more than the {MAX_FILE_BYTES} bytes that are read of a file")
    return data


def digest(*parts: bytes) -> str:
    """SHA-256 over the parts, each by its own digest, so that no byte can move from one to the next."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


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
        for entry in _entries(self.root):
            try:
                path = self.root / entry.name
                if (entry.is_dir(follow_symlinks=False) or _is_folder(path)) and not _is_to_come(path):
                    names.append(_parse(RealmName, entry.name, path))
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
        if not _is_folder(folder):
            raise BadLayout(
                f"{folder}: there is no realm '{realm}'", hint=did_you_mean(realm, self.scan()[0])
            )
        _refuse_escape(folder)
        return folder

    def document(self, realm: RealmName, environment: EnvironmentName) -> DocumentFile:
        """The document of one environment. Raises `BadLayout`, naming the nearest, if there is none."""
        create = f"(a new one: 'arcan realm create {realm} --env {environment} --key KEY')"
        try:
            path = self.folder(realm) / f"{environment}{DOCUMENT_SUFFIX}"
        except BadLayout as error:
            if _is_folder(self.root / realm):
                raise  # it is there, and is not what it has to be
            raise BadLayout(error.message, hint=f"{error.hint} {create}") from None
        if os.path.lexists(path):
            return document_file(path, realm)
        known = [document.environment for document in self.scan_documents(realm)[0]]
        raise BadLayout(
            f"realm '{realm}' has no environment '{environment}'",
            hint=f"{did_you_mean(environment, known)} {create}",
        )

    def documents(self, realm: RealmName | None = None) -> tuple[DocumentFile, ...]:
        """The documents of one realm, or of all, sorted. Raises the first of `scan_documents`' problems."""
        found: list[DocumentFile] = []
        for name in self.realms() if realm is None else (realm,):
            documents, problems = self.scan_documents(name)
            if problems:
                raise problems[0]
            found += documents
        return tuple(found)

    def scan_documents(self, realm: RealmName) -> tuple[tuple[DocumentFile, ...], tuple[ArcanError, ...]]:
        """The documents of a realm, sorted, and what has no place beside them; a realm without one is a
        problem. Raises `CannotRead`.
        """
        places = self.scan_places(realm)
        documents = tuple(each for each in places.documents if each.environment not in places.bad)
        problems = (*places.misplaced, *places.bad.values())
        if not documents and not problems:
            problems = (self.no_document(realm),)
        return documents, problems

    def no_document(self, realm: RealmName) -> BadLayout:
        """That a realm has no document."""
        return BadLayout(
            f"{self.root / realm}: the realm has no document",
            hint=f"run 'arcan realm create {realm} --env prod --key KEY', or remove the folder",
        )

    def scan_places(self, realm: RealmName) -> Places:
        """The environments of a realm, also those whose documents cannot be what they stand for. Raises
        `CannotRead`, `BadLayout`.
        """
        folder = self.folder(realm)
        documents: list[DocumentFile] = []
        bad: dict[EnvironmentName, ArcanError] = {}
        problems: list[ArcanError] = []
        for entry in _entries(folder):
            if entry.name in _BESIDE:
                continue
            try:
                path = folder / entry.name
                if entry.is_file(follow_symlinks=False) and entry.name.endswith(DOCUMENT_SUFFIX):
                    documents.append(_document(path, realm))  # no link, no folder: nothing more to ask
                else:
                    documents.append(document_file(path, realm))
            except ArcanError as error:
                known = _environment_of(path)
                if known is None:
                    problems.append(error)
                else:
                    documents.append(DocumentFile(realm, known, path))
                    bad[known] = error
        return Places(tuple(documents), bad, tuple(problems))

    def scan_all(
        self, realm: RealmName | None = None, environment: EnvironmentName | None = None
    ) -> tuple[tuple[DocumentFile, ...], tuple[ArcanError, ...]]:
        """The documents of one realm or of all, of one environment or of all, sorted, and what has no place
        beside them. Raises `CannotRead`, and `BadLayout` where a realm or environment is not there.
        """
        if realm is not None and environment is not None:
            return (self.document(realm, environment),), ()
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
        for entry in _entries(folder) if os.path.lexists(folder) else ():
            path = folder / entry.name
            try:
                if not _is_folder(path):
                    hint = f"records are in {folder}/ENVIRONMENT/KEY{RECORD_SUFFIX}"
                    raise BadLayout(f"{path}: not the folder of an environment", hint=hint)
                found.append(_parse(EnvironmentName, entry.name, path))
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
                _refuse_escape(step)
            for entry in _entries(folder / environment, hidden=True):
                path = folder / environment / entry.name
                try:
                    if entry.name.startswith(".") and not entry.name.endswith(RECORD_SUFFIX):
                        continue
                    if not entry.name.endswith(RECORD_SUFFIX):
                        hint = f"a record is named KEY{RECORD_SUFFIX}"
                        raise BadLayout(f"{path}: not the record of a removed key", hint=hint)
                    _refuse_escape(path)
                    found[_parse(KeyName, entry.name.removesuffix(RECORD_SUFFIX), path)] = path
                except ArcanError as error:
                    problems.append(error)
        except ArcanError as error:
            problems.append(error)
        return found, tuple(problems)

    def _beside(self, realm: RealmName, name: str) -> Path | None:
        path = self.folder(realm) / name
        if not os.path.lexists(path):
            return None
        _refuse_escape(path)
        return path


def _entries(folder: Path, *, hidden: bool = False) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if hidden or not entry.name.startswith(".")]
        return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise CannotRead(
            f"{folder}: cannot be read: {error.strerror}",
            hint="give the folder that holds the realms with --realms",
        ) from None


def _is_to_come(folder: Path) -> bool:
    """Whether a folder says how its realm is to be, and holds nothing of it yet."""
    return os.path.lexists(folder / REALM_FILE) and [entry.name for entry in _entries(folder)] == [REALM_FILE]


def _beside() -> str:
    return ", ".join(sorted(_BESIDE))


def _parse(kind: type[_N], text: str, path: Path) -> _N:
    try:
        return kind.parse(text)
    except InvalidName as error:
        raise BadLayout(f"{path}: {error.message}", hint=error.hint) from None
