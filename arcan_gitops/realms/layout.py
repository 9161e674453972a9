"""How an environment lies on disk: one document of all its keys, or a folder with one document for each key.

    realms/<realm>/<environment>.sops.yaml
    realms/<realm>/<environment>/<KEY>.sops.yaml

It is one or the other. Names alone are read here, and where links lead; sorted is by the bytes of names.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, place_name
from arcan_gitops.realms.files import BadLayout, any_entry, entries, is_folder, read_file, refuse_escape

DOCUMENT_SUFFIX: Final = ".sops.yaml"
REMOVED_FOLDER: Final = "removed"  # the records of keys that were removed: no folder of key files
LONGEST_KEY_OF_A_FILE: Final = 243  # a ConfigMap's keys, which the files become, have 253 characters
REALM_FILE: Final = "realm.yaml"
TOKENS_FILE: Final = "tokens.yaml"
README: Final = "README.md"
# What may stand in a realm's folder without being a document; dot files may too.
BESIDE: Final = frozenset(
    {REALM_FILE, TOKENS_FILE, REMOVED_FOLDER, "kustomization.yaml", "inventory.yaml", README}
)

_N = TypeVar("_N", RealmName, EnvironmentName, KeyName)


class WrongKey(ArcanError):
    """A key file that holds another key than its name says, or several, or none."""


class Layout(Enum):
    """How an environment lies on disk."""

    DOCUMENT = "document"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """One SOPS document on disk: of all keys of an environment, or of `key` alone."""

    realm: RealmName
    environment: EnvironmentName
    where: str  # the path as text: of 10,000 files most are only opened
    key: KeyName | None = None

    @property
    def path(self) -> Path:
        """The path of the file."""
        return Path(self.where)

    @property
    def place(self) -> str:
        """`REALM/ENVIRONMENT`, which its `arcan_place` must say."""
        return place_name(self.realm, self.environment)

    @property
    def realm_folder(self) -> Path:
        """The folder of its realm."""
        return self.path.parent if self.key is None else self.path.parent.parent

    @property
    def name(self) -> str:
        """`REALM/ENVIRONMENT`, and of a key file `/KEY`: what people call it."""
        return self.place if self.key is None else f"{self.place}/{self.key}"

    def read(self) -> bytes:
        """The bytes of the file. Raises `CannotRead`."""
        return read_file(self.where)

    def require_its_key(self, keys: Collection[str]) -> None:
        """Raise `WrongKey` where this is a key file, and the keys in it (the binding is none) are not the one
        that it is named for. In the document of an environment any will do.
        """
        if self.key is None or tuple(keys) == (self.key,):
            return
        others = sorted(key for key in keys if key != self.key)
        if not keys:
            raise WrongKey(f"holds no key, where '{self.key}' is wanted", hint=_ONE_KEY)
        has = f"holds {some([repr(key) for key in others])}"
        raise WrongKey(
            f"{has} beside '{self.key}'" if self.key in keys else f"{has}, where '{self.key}' is wanted",
            hint=_ONE_KEY,
        )


_ONE_KEY: Final = "a key file holds the key that it is named for, and no other: restore it from Git"


@dataclass(frozen=True, slots=True)
class EnvironmentFiles:
    """The files of one environment, sorted by key: the document alone, or its key files.

    `where` is the path of the document or the folder. `bad` are key files that cannot be what they stand for
    (a link out of the folder, a folder), which are not in `files`; `misplaced` is what has no place beside
    them. `linked` is whether one of them is a link, so that a change elsewhere changes it.
    """

    realm: RealmName
    environment: EnvironmentName
    layout: Layout
    where: str
    files: tuple[DocumentFile, ...]
    bad: Mapping[KeyName, ArcanError] = field(default_factory=lambda: MappingProxyType({}))
    misplaced: tuple[ArcanError, ...] = ()
    linked: bool = False

    @property
    def path(self) -> Path:
        """The path of the document or the folder."""
        return Path(self.where)


def key_folder(realm: Path, environment: EnvironmentName) -> Path:
    """The folder of an environment's key files, whether it is there or not; `realm` is the realm's folder.

    Raises `BadLayout` for the one environment that cannot have one.
    """
    if environment == REMOVED_FOLDER:
        raise BadLayout(
            f"{realm / environment}: holds the records of removed keys, so that the environment "
            f"'{environment}' cannot be a folder of key files",
            hint=f"keep it one document, {environment}{DOCUMENT_SUFFIX}; or give it another name",
        )
    return realm / environment


def key_file(realm: Path, environment: EnvironmentName, key: KeyName) -> Path:
    """Where the file of a key is, or would be. Raises `BadLayout` for a key that is too long for one."""
    folder = key_folder(realm, environment)
    _refuse_long(folder, key)
    return folder / f"{key}{DOCUMENT_SUFFIX}"


def _refuse_long(folder: Path, key: KeyName) -> None:
    if len(key) > LONGEST_KEY_OF_A_FILE:
        raise BadLayout(
            f"{folder}: a key with a file of its own has at most {LONGEST_KEY_OF_A_FILE} characters, and "
            f"'{key[:40]}...' has {len(key)}",
            hint="give it a shorter name",
        )


def document_file(path: Path, realm: RealmName) -> DocumentFile:
    """The document at `path` in the folder of `realm`. Raises `BadLayout` for a name that no document has."""
    if is_folder(path) or not path.name.endswith(DOCUMENT_SUFFIX):
        raise not_a_document(path)
    refuse_escape(path)
    return DocumentFile(realm, parsed_stem(EnvironmentName, path), str(path))


def not_a_document(path: Path) -> BadLayout:
    """That something in the folder of a realm has no place there."""
    return BadLayout(
        f"{path}: not a document",
        hint=f"a document is named <environment>{DOCUMENT_SUFFIX}, the file of one key "
        f"<environment>/<KEY>{DOCUMENT_SUFFIX}; beside them only {', '.join(sorted(BESIDE))}",
    )


def of_document(file: DocumentFile) -> EnvironmentFiles:
    """The files of an environment that is one document."""
    return EnvironmentFiles(file.realm, file.environment, Layout.DOCUMENT, file.where, (file,))


def both_layouts(realm: RealmName, environment: EnvironmentName, folder: Path) -> BadLayout:
    """That an environment is there as a document and as a folder of key files."""
    return BadLayout(
        f"{folder}: the environment is there twice: as this folder of key files, and as the document "
        f"{environment}{DOCUMENT_SUFFIX}",
        hint="keep the one that is meant, and remove the other: "
        f"'arcan realm split {realm} --env {environment}' makes key files of a document, "
        f"'arcan realm join {realm} --env {environment}' a document of key files",
    )


def no_key_file(folder: Path) -> BadLayout:
    """That the folder of an environment holds no key file."""
    return BadLayout(
        f"{folder}: not a document, and no folder of key files: it holds none",
        hint=f"a key's file is named <KEY>{DOCUMENT_SUFFIX}; if it is no environment, remove the folder",
    )


def scan_folder(folder: Path, realm: RealmName, environment: EnvironmentName) -> EnvironmentFiles:
    """The key files in the folder of an environment. Raises `CannotRead`; `BadLayout` for a link out of the
    realm's folder.
    """
    refuse_escape(folder)
    files: dict[KeyName, DocumentFile] = {}
    bad: dict[KeyName, ArcanError] = {}
    misplaced: list[ArcanError] = []
    linked = os.path.islink(folder)
    for entry in entries(folder, hidden=True):
        if not is_key_file(entry.name):
            if not entry.name.startswith(".") and entry.name != README:
                misplaced.append(_no_key_file(folder / entry.name))
            continue
        where = f"{folder}/{entry.name}"
        try:
            key = parsed(KeyName, entry.name[: -len(DOCUMENT_SUFFIX)], where)
            _refuse_long(folder, key)
        except BadLayout as error:
            misplaced.append(error)
            continue
        try:
            if not entry.is_file(follow_symlinks=False):
                linked = True
                path = Path(where)
                if is_folder(path):
                    raise _no_key_file(path)
                refuse_escape(path)
            files[key] = DocumentFile(realm, environment, where, key)
        except ArcanError as error:
            bad[key] = error
    for names in alike((*files, *bad)):
        misplaced.append(_differ_in_case(names, folder))
    return EnvironmentFiles(
        realm,
        environment,
        Layout.FILES,
        str(folder),
        tuple(files[key] for key in sorted(files)),
        MappingProxyType(bad),
        tuple(misplaced),
        linked,
    )


def is_key_file(name: str) -> bool:
    """Whether a file name in the folder of an environment is that of a key, also where no key can have it.

    Of `.sops.yaml` it is not: that is the file with sops's creation rules.
    """
    return name.endswith(DOCUMENT_SUFFIX) and name != DOCUMENT_SUFFIX


def holds_key_files(folder: Path) -> bool:
    """Whether any file of a folder is named like that of a key. Raises `CannotRead`."""
    return any_entry(folder, is_key_file)


def alike(keys: Iterable[str]) -> list[list[str]]:
    """The names that differ from another one only in case, together, sorted."""
    folded: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        folded[key.lower()].append(key)
    return sorted(sorted(names) for names in folded.values() if len(names) > 1)


def refuse_alike(keys: Iterable[str], folder: Path, among: Collection[str] | None = None) -> None:
    """Raise `BadLayout` for keys whose files would differ only in case, if one of them is `among`."""
    for names in alike(keys):
        if among is None or not set(names).isdisjoint(among):
            raise _differ_in_case(names, folder)


def _differ_in_case(names: Sequence[str], folder: Path) -> BadLayout:
    return BadLayout(
        f"{folder}: {some(names, between=' and ')} differ only in case: one of them is lost on a file "
        "system that does not tell cases apart",
        hint="give one of them another name",
    )


def _no_key_file(path: Path) -> BadLayout:
    return BadLayout(f"{path}: not the file of a key", hint=f"a key's file is named <KEY>{DOCUMENT_SUFFIX}")


def parsed_stem(kind: type[_N], path: Path) -> _N:
    """The name that a document's file is named for. Raises `BadLayout`."""
    return parsed(kind, path.name.removesuffix(DOCUMENT_SUFFIX), path)


def parsed(kind: type[_N], text: str, path: Path | str) -> _N:
    """The name, for which something stands at `path`. Raises `BadLayout`."""
    try:
        return kind.parse(text)
    except InvalidName as error:
        raise BadLayout(f"{path}: {error.message}", hint=error.hint) from None
