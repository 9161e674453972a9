"""Changing an environment that has a file for each key: which files become new, and which go.

A value that is set is a new document, for those whom `.sops.yaml` names: that takes no private key, and
nothing is decrypted. Only `edit` opens what is there, each key when it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, did_you_mean
from arcan_gitops.realms.editing import OpenDocument
from arcan_gitops.realms.kinds import require_kinds
from arcan_gitops.realms.layout import EnvironmentFiles, key_file, refuse_alike
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.recipients import drift
from arcan_gitops.realms.removals import forget, forget_keys, record
from arcan_gitops.realms.sealing import Sealing
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import values_of
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.realms.writing import Change, write_all
from arcan_gitops.sops import CannotEdit, Document, Identities, NoKeys, NoSuchKey, digests, load
from arcan_gitops.sops.trees import plain_value

Steps = Sequence[str | int] | str


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """The key files of one environment as they were found for an edit, with what its realm allows."""

    found: EnvironmentFiles
    settings: RealmSettings
    config: SopsConfig
    identities: Identities = field(repr=False)
    _read: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> Path:
        """The folder of the files."""
        return self.found.path

    @property
    def realm_folder(self) -> Path:
        """The folder of the realm."""
        return self.found.path.parent

    @property
    def environment(self) -> EnvironmentName:
        """The environment."""
        return self.found.environment

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the keys, sorted."""
        return tuple(sorted((*(str(file.key) for file in self.found.files), *self.found.bad)))

    def sealing(self, key: str) -> Sealing:
        """How a new value of a key is encrypted. Raises as `Sealing.plan`, and `BadLayout`."""
        path = key_file(self.realm_folder, self.environment, KeyName.parse(key))
        return Sealing.plan(self.config, path, self.place, self.settings)

    @property
    def place(self) -> str:
        """`REALM/ENVIRONMENT`"""
        return f"{self.found.realm}/{self.found.environment}"

    def read(self, key: str) -> bytes | None:
        """The file of a key as it is now, and stays for this edit; None where there is none.

        Raises `CannotRead`, and what is wrong with a file that is none of the environment's.
        """
        if key in self.found.bad:
            raise self.found.bad[KeyName(key)]
        if key not in self._read:
            for file in self.found.files:
                if file.key == key:
                    self._read[key] = file.read()
        return self._read.get(key)

    def open(self, key: str) -> OpenDocument:
        """The file of a key, to decrypt it. Raises `NoSuchKey`, naming the nearest, and as `read`."""
        data = self.read(key)
        for file in self.found.files:
            if file.key == key and data is not None:
                return OpenDocument(file, self.settings, data, self.identities)
        raise NoSuchKey(f"{self.path}: there is no key '{key}'", hint=did_you_mean(key, self.keys))

    def edit(self, opener: Opener = load) -> FilesEdit:
        """The values, each decrypted and verified when it is asked for."""
        return FilesEdit(self, opener)

    def put(self, values: Mapping[str, Any]) -> None:
        """Make a new document of each value, in the place of what is there. Raises as `write`."""
        self.write(values, {}, ())

    def remove(self, keys: Collection[str], reason: str) -> None:
        """Remove the files of keys. Raises `NoSuchKey`, `NoKeys`, and as `write`."""
        self.write({}, {}, keys, reason)

    def write(
        self,
        new: Mapping[str, Any],
        edited: Mapping[str, bytes],
        gone: Collection[str],
        reason: str = "removed by an edit",
    ) -> bool:
        """Write new values and edited documents, and remove keys, with their records where the realm keeps
        those: all or nothing. False where nothing is to be written.

        Raises what the server would refuse to load, `NoRule`, `CannotWrite`, `ChangedMeanwhile`.
        """
        changes = self.changes(new, edited, gone)
        if not changes:
            return False
        realm, environment = self.realm_folder, self.environment
        written = record(realm, environment, self._versions(gone), reason) if self.settings.recorded else ()
        try:
            write_all(changes)
        except BaseException:
            forget(written)
            raise
        forget_keys(realm, environment, [*new, *edited])
        return True

    def changes(
        self, new: Mapping[str, Any], edited: Mapping[str, bytes], gone: Collection[str]
    ) -> list[Change]:
        """What `write` would do. Raises as it does, but for what the disk refuses."""
        left = [key for key in self.keys if key not in gone]
        if gone and not (left or new or edited):
            raise NoKeys(
                f"{self.path}: an environment needs a key; nothing was changed",
                hint="to remove the environment, delete its folder",
            )
        refuse_alike({*left, *new, *edited}, self.path, among={*new, *edited} - set(self.keys))
        problems: list[ArcanError] = []
        changes: list[Change] = []
        for key in sorted({*new, *edited, *gone}):
            try:
                changes += self._changes(key, new, edited)
            except ArcanError as error:
                problems.append(error)
        if len(problems) > 1:
            raise SeveralErrors(f"{len(problems)} key(s) cannot be set; nothing was changed:", problems)
        if problems:
            raise problems[0]
        return changes

    def _changes(self, key: str, new: Mapping[str, Any], edited: Mapping[str, bytes]) -> Iterator[Change]:
        path = key_file(self.realm_folder, self.environment, KeyName.parse(key))
        before = self.read(key)
        if key in new:
            require_kinds({key: new[key]}, self.settings.kinds)
            yield Change(path, before, self.sealing(key).seal({key: new[key]}), follow=False)
        elif key in edited:
            if edited[key] != before:
                yield Change(path, before, edited[key], follow=False)
        elif before is not None:
            yield Change(path, before, None)
        else:
            raise NoSuchKey(f"{self.path}: there is no key '{key}'", hint=did_you_mean(key, self.keys))

    def _versions(self, keys: Iterable[str]) -> dict[str, str]:
        """The version of each key's value, which its record names. Raises what is wrong with a file."""
        found: dict[str, str] = {}
        for key in keys:
            data = self.read(key)
            if data is None:
                continue
            try:
                found[key] = digests(data).keys[key]
            except (ArcanError, KeyError) as error:
                problem = error.message if isinstance(error, ArcanError) else "holds another key"
                raise ArcanError(
                    f"{self.path}: the version of '{key}', which its record names, cannot be read: {problem}",
                    hint="restore the file from Git first",
                ) from None
        return found


class FilesEdit:
    """The values of an environment in files, and what is to become of them. Its repr shows names only."""

    def __init__(self, opened: OpenFiles, opener: Opener) -> None:
        self._opened, self._opener = opened, opener
        self._documents: dict[str, Document] = {}  # those that were opened, by the key that they hold now
        self._new: dict[str, Any] = {}
        self._gone: set[str] = set()

    def __repr__(self) -> str:
        return f"FilesEdit(keys={list(self.keys)!r})"

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the keys, sorted."""
        there = {*self._opened.keys, *self._documents, *self._new}
        return tuple(sorted(there - self._gone))

    @property
    def tree(self) -> Mapping[str, Any]:
        """The values by key, each opened when it is read."""
        return _Values(self)

    def value(self, key: str) -> Any:
        """The value of a key that is there. Raises as `OpenDocument.load`."""
        return self._new[key] if key in self._new else self._document(key).tree[key]

    def set(self, path: Steps, value: Any) -> None:
        """`Document.set`: a new key becomes a new document, another one is edited."""
        key, *below = _parted(path)
        if key in self._gone or key not in self.keys:
            for step in reversed(below):
                value = {str(step): value}
            self._new[key] = plain_value(value, (key,))
            self._gone.discard(key)
        else:
            self._document(key).set((key, *below), value)

    def update(self, values: Mapping[str, Any]) -> None:
        """`Document.update`. Raises `SeveralErrors` with what is wrong with each; nothing is changed then."""
        problems: list[ArcanError] = []
        there = set(self.keys)
        for key, value in values.items():
            try:
                self._opened.sealing(key).seal({key: value})
            except ArcanError as error:
                problems.append(error)
        if problems:
            raise SeveralErrors(f"{len(problems)} key(s) cannot be set; nothing was changed:", problems)
        for key, value in values.items():
            if key in there:
                self._document(key).set((key,), value)
            else:
                self.set((key,), value)

    def unset(self, path: Steps) -> None:
        """`Document.unset`."""
        key, *below = _parted(path)
        if key not in self.keys:
            raise NoSuchKey(f"key '{key}': is not there", hint=did_you_mean(key, self.keys))
        if below:
            self._document(key).unset((key, *below))
            return
        self._new.pop(key, None)
        self._documents.pop(key, None)
        self._gone.add(key)

    def rename(self, path: Steps, name: str) -> None:
        """`Document.rename`: of a key, the document is encrypted anew if another rule is for the new name."""
        old, *below = _parted(path)
        if below:
            self._document(old).rename((old, *below), name)
            return
        if old not in self.keys:
            raise NoSuchKey(f"key '{old}': is not there", hint=did_you_mean(old, self.keys))
        if name == old:
            return
        if name in self.keys:
            raise CannotEdit(f"key '{name}': is there already", hint="unset it first")
        value = self.value(old)
        document = self._documents.get(old)
        rule = self._opened.sealing(name).rule
        self.unset(old)
        self._gone.discard(name)
        if document is None or drift(document.metadata, rule):
            self._new[name] = value
        else:
            document.rename(old, name)
            self._documents[name] = document

    def changed(self) -> bool:
        """Whether `save` would write anything. Raises as it does."""
        return bool(self._opened.changes(self._new, self._edited(), self._gone_files()))

    def save(self, reason: str = "removed by an edit") -> bool:
        """`OpenFiles.write` what was changed; False if nothing was."""
        return self._opened.write(self._new, self._edited(), self._gone_files(), reason)

    def _gone_files(self) -> frozenset[str]:
        return frozenset(self._gone).intersection(self._opened.keys)

    def _edited(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for key, document in self._documents.items():
            path = self._opened.path
            try:
                found[key] = document.dump()
                if found[key] != self._opened.read(key):
                    require_kinds(document.tree, self._opened.settings.kinds)
                    values_of(document.tree, self._opened.settings)
            except ArcanError as error:
                raise error.located(path) from None
        return found

    def _document(self, key: str) -> Document:
        if key not in self._documents:
            self._documents[key] = self._opened.open(key).load(self._opener)
        return self._documents[key]


class _Values(Mapping[str, Any]):
    """What `FilesEdit.tree` gives."""

    def __init__(self, edit: FilesEdit) -> None:
        self._edit = edit

    def __getitem__(self, key: str) -> Any:
        if key not in self._edit.keys:
            raise KeyError(key)
        return self._edit.value(key)

    def __contains__(self, key: object) -> bool:
        return key in self._edit.keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._edit.keys)

    def __len__(self) -> int:
        return len(self._edit.keys)

    def __repr__(self) -> str:
        return f"values of {list(self._edit.keys)!r}"


def _parted(path: Steps) -> tuple[Any, ...]:
    return (path,) if isinstance(path, str) else tuple(path)
