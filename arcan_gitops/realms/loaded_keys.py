"""The environments of key files: each key is loaded, or stands at its last good state, or is not loaded.

The unit of failure is the key: a bad file makes reads of that key and unpinned reads of all keys fail, and
nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName
from arcan_gitops.realms.bugs import bug
from arcan_gitops.realms.file_state import FileState, states_of
from arcan_gitops.realms.files import digest
from arcan_gitops.realms.kept import Fresh
from arcan_gitops.realms.layout import DocumentFile, EnvironmentFiles, scan_folder
from arcan_gitops.realms.loading import Loader, Rules
from arcan_gitops.realms.removals import Records
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import Environment, Part, Parts
from arcan_gitops.sops import Digests
from arcan_gitops.sops.digests import digest_of_all

_TOLD: Final = 20  # problems of one environment, each by itself
_LOOK_AGAIN_SECONDS: Final = 0.1
_MOST_LOOKS: Final = 20


@dataclass(slots=True)
class KeysRead:
    """What the key files of an environment came to. `failed` are those that could not be loaded, also where
    a last good state stands in for them.
    """

    parts: dict[KeyName, Part] = field(default_factory=dict)
    failed: set[KeyName] = field(default_factory=set)
    problems: list[ArcanError] = field(default_factory=list)
    fresh: dict[KeyName, Fresh] = field(default_factory=dict)

    def told(self, place: object) -> list[ArcanError]:
        """The problems; of very many, the first ones and how many there are."""
        more = len(self.problems) - _TOLD
        if more <= 1:
            return self.problems
        return [*self.problems[:_TOLD], ArcanError(f"{place}: {more} more keys cannot be loaded")]


def assembled(
    parts: Mapping[KeyName, Part],
    failed: Collection[KeyName],
    rules: bytes,
    records: Records,
    before: Environment | None = None,
) -> Environment:
    """The environment that is made of these parts; `failed` are the keys that could not be loaded. It is
    `before`, where that is made of the very same.
    """
    if before is not None and not failed and _is_made_of(before, parts, rules, records):
        return before
    by_key = {key: parts[key] for key in sorted(parts, key=str)}
    versions: dict[str, str] = {key: part.version for key, part in by_key.items()}
    stale = {key: part.since for key, part in by_key.items() if part.since is not None}
    lost = frozenset(key for key in failed if key not in by_key)
    decided = [f"{key}={part.digest}" for key, part in by_key.items()]
    decided += [f"{key}!" for key in sorted({*lost, *stale})]
    return Environment(
        MappingProxyType({key: part.value for key, part in by_key.items()}),
        digest("\n".join(decided).encode(), rules, records.data),
        Digests(MappingProxyType(versions), digest_of_all(versions)),
        records.keys,
        min(stale.values(), default=None),
        failed=lost,
        stale=frozenset(stale),
        parts=Parts(MappingProxyType(by_key), rules, records.data),
    )


def _is_made_of(
    environment: Environment, parts: Mapping[KeyName, Part], rules: bytes, records: Records
) -> bool:
    made = environment.parts
    return (
        made is not None
        and not environment.failed
        and (made.rules, made.records, environment.removed) == (rules, records.data, records.keys)
        and len(made.by_key) == len(parts)
        and all(parts.get(key) is part for key, part in made.by_key.items())
    )


def without(environment: Environment, refused: Mapping[KeyName, Part | None]) -> Environment | None:
    """The environment where keys are refused, and the last good state of each stands in for it, if there is
    one; None where no key is left.
    """
    assert environment.parts is not None
    parts = {key: part for key, part in environment.parts.by_key.items() if key not in refused}
    parts |= {key: part for key, part in refused.items() if part is not None}
    if not parts:
        return None
    records = Records(environment.parts.records, environment.removed)
    return assembled(parts, {*environment.failed, *refused}, environment.parts.rules, records)


def parts_of(environment: Environment | None) -> Mapping[KeyName, Part]:
    """The parts of an environment as it was, in either layout: last good states of its keys."""
    if environment is None:
        return {}
    if environment.parts is not None:
        return environment.parts.by_key
    return {
        key: Part(value, environment.versions.keys[key], "", environment.seal, environment.since)
        for key, value in environment.values.items()
    }


class KeyFiles:
    """Reads key files. What is bad of them is judged key by key."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def read(self, files: EnvironmentFiles, rules: Rules, before: Environment | None) -> KeysRead:
        """All key files of an environment as they are now. Raises `CannotRead` for the folder."""
        if not rules.settings.recorded and before is not None:
            files = _at_rest(files, before)
        found = KeysRead()
        held = parts_of(before)
        same_rules = (
            before is not None
            and before.parts is not None
            and before.parts.rules == rules.data
            and rules.states is not None
        )
        for file in files.files:
            self.read_one(file, rules, held, found, by_state=same_rules)
        for key, error in files.bad.items():
            found.problems.append(error)
            file = DocumentFile(files.realm, files.environment, files.where, key)
            self._fail(file, rules, held.get(key), found)
        return found

    def read_one(
        self,
        file: DocumentFile,
        rules: Rules,
        held: Mapping[KeyName, Part],
        found: KeysRead,
        *,
        by_state: bool = False,
    ) -> None:
        """One key file as it is now; `by_state`: as it was, where its state shows that nobody wrote to it."""
        assert file.key is not None
        before = held.get(file.key)
        try:
            found.parts[file.key] = self._part(file, rules, before, found, by_state)
            return
        except ArcanError as error:
            found.problems.append(error)
        except Exception as error:  # a bug that one file brings out must not stop the others
            found.problems.append(bug(file.path, error))
        self._fail(file, rules, before, found)

    def _part(
        self, file: DocumentFile, rules: Rules, before: Part | None, found: KeysRead, by_state: bool
    ) -> Part:
        assert file.key is not None
        states = states_of(file.where)
        state: FileState | None = None if states is None else states[0]
        if by_state and before is not None and before.since is None and before.state == state is not None:
            return before
        data = file.read()
        key = digest(data, rules.data)
        if before is not None and before.digest == key:
            return replace(before, state=state, since=None)
        loaded = self._loader.load(file, data, rules, key)
        found.fresh[file.key] = Fresh(data, rules.data, rules.settings.recorded)
        return Part(loaded.values[file.key], loaded.versions.keys[file.key], key, loaded.seal, None, state)

    def _fail(self, file: DocumentFile, rules: Rules, before: Part | None, found: KeysRead) -> None:
        """Have the last good state of a key stand in for it, while it is not too old."""
        assert file.key is not None
        found.failed.add(file.key)
        found.parts.pop(file.key, None)
        if before is None:
            before = self._kept(file, rules.settings)
        since = None if before is None else self._loader.keeping.since(before.since)
        if before is not None and since is not None:
            found.parts[file.key] = replace(before, since=since, state=None)

    def _kept(self, file: DocumentFile, settings: RealmSettings | None) -> Part | None:
        kept = self._loader.kept(file, settings)
        if kept is None or file.key is None:
            return None
        loaded, from_disk = kept
        version, key = loaded.versions.keys[file.key], digest(from_disk.data, from_disk.rules)
        return Part(loaded.values[file.key], version, key, loaded.seal, from_disk.good)

    def kept(self, folder: DocumentFile, rules: Rules | None, records: Records) -> Environment | None:
        """What an earlier run of the server kept of an environment whose folder tells nothing now."""
        store = self._loader.keeping.documents
        keys = () if store is None else store.keys((folder.realm, folder.environment))
        settings = None if rules is None else rules.settings
        parts = {key: self._kept(replace(folder, key=key), settings) for key in keys}
        sound = {key: part for key, part in parts.items() if part is not None}
        if not sound:
            return None
        return assembled(sound, keys, b"" if rules is None else rules.data, records)


def _at_rest(files: EnvironmentFiles, before: Environment) -> EnvironmentFiles:
    """The files of an environment, where none that was there is missing; else as they are once two looks in a
    row see the same.

    Git takes a file away before it writes the new one, and a folder is deleted file by file. A key that was
    missing for that moment would be answered 404, where no record of its removal is asked for.
    """
    for _ in range(_MOST_LOOKS):
        here = {file.key for file in files.files} | set(files.bad)
        if here >= set(before.values):
            return files
        time.sleep(_LOOK_AGAIN_SECONDS)
        again = scan_folder(files.path, files.realm, files.environment)
        if {file.key for file in again.files} | set(again.bad) == here:
            return again
        files = again
    return files
