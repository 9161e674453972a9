"""The environments of one realm: each is loaded, or stands at its last good state, or is not loaded."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.bugs import bug
from arcan_gitops.realms.file_state import FileState, states_of
from arcan_gitops.realms.files import BadLayout, digest, read_file
from arcan_gitops.realms.kept import Fresh
from arcan_gitops.realms.layout import DOCUMENT_SUFFIX, DocumentFile, EnvironmentFiles, Layout, of_document
from arcan_gitops.realms.loaded_keys import KeyFiles, KeysRead, assembled
from arcan_gitops.realms.loading import Loader, Rules
from arcan_gitops.realms.removals import Records, records_of
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import Environment, Snapshot
from arcan_gitops.realms.tree import RealmTree


@dataclass(slots=True)
class RealmRead:
    """What a realm's folder came to.

    `failed` are the environments that are there and could not be loaded, `problems` why; each has a last good
    state in `environments` or none. `findings` change nothing that is served. `fresh` has what was just
    loaded.
    """

    environments: dict[EnvironmentName, Environment] = field(default_factory=dict)
    failed: set[EnvironmentName] = field(default_factory=set)
    problems: list[ArcanError] = field(default_factory=list)
    findings: list[ArcanError] = field(default_factory=list)
    fresh: dict[tuple[EnvironmentName, KeyName | None], Fresh] = field(default_factory=dict)
    linked: bool = False  # something of it is a link: what changes it may have another name
    unknown: bool = False  # nobody can say which documents there are
    foreign: bool = False  # it is a link out of the tree, and never was a realm


class Documents:
    """Reads the environments of realms."""

    def __init__(self, tree: RealmTree, loader: Loader) -> None:
        self._tree = tree
        self._loader = loader
        self._key_files = KeyFiles(loader)
        self._rules: dict[RealmName, Rules] = {}  # as they were read last

    def read(
        self, realm: RealmName, selected: Callable[[EnvironmentName], bool], last: Snapshot | None
    ) -> RealmRead:
        """The selected environments of a realm as they are now. Raises nothing but bugs."""
        found = RealmRead()
        before = {} if last is None else last.environments.get(realm, {})
        try:
            places = self._tree.scan_places(realm)
            emptied = {name for name in places.bare if self._is_known(realm, name, last)}
            if not places.environments and not emptied:
                raise self._tree.no_document(realm)
        except ArcanError as error:
            link = os.path.islink(self._tree.root / realm)
            found.foreign = link and isinstance(error, BadLayout) and not before
            (found.findings if found.foreign else found.problems).append(error)
            self._unknown(found, realm, last)
            return found
        except Exception as error:
            found.problems.append(bug(self._tree.root / realm, error))
            self._unknown(found, realm, last)
            return found
        found.linked = os.path.islink(self._tree.root / realm) or any(
            files.linked for files in places.environments
        )
        found.findings += places.misplaced
        names = {*emptied, *(each.environment for each in places.environments)}
        rules = self._read_rules(realm, names, before, found)
        for files in places.environments:
            if selected(files.environment):
                self._read(files, rules, places.bad.get(files.environment), before, found)
        for name, bare in places.bare.items():
            if name in emptied and selected(name):
                found.problems.append(bare)
                self._fail(found, self._document(realm, name), before.get(name), rules)
            else:
                found.findings.append(bare)
        return found

    def _read(
        self,
        files: EnvironmentFiles,
        rules: Rules | None,
        bad: ArcanError | None,
        before: Mapping[EnvironmentName, Environment],
        found: RealmRead,
    ) -> None:
        """One environment as it is now."""
        name = files.environment
        document = self._document(files.realm, name) if files.layout is Layout.FILES else files.files[0]
        try:
            if rules is None:
                raise _Untold
            if bad is not None:
                raise bad
            if files.layout is Layout.DOCUMENT:
                found.environments[name] = self._environment(document, rules, before.get(name), found)
            else:
                found.findings += files.misplaced
                read = self._key_files.read(files, rules, before.get(name))
                self._add_keys(files, read, rules, before.get(name), found)
        except (ArcanError, _Untold) as error:
            if isinstance(error, ArcanError):
                found.problems.append(error)
            self._fail(found, document, before.get(name), rules)
        except Exception as error:  # a bug that one file brings out must not stop the others
            found.problems.append(bug(files.path, error))
            self._fail(found, document, before.get(name), rules)

    def _document(self, realm: RealmName, name: EnvironmentName) -> DocumentFile:
        """What stands for an environment of key files as a whole: its folder."""
        return DocumentFile(realm, name, str(self._tree.root / realm / name))

    def _is_known(self, realm: RealmName, name: EnvironmentName, last: Snapshot | None) -> bool:
        """Whether a folder without key files was an environment."""
        if last is not None:
            return last.environment(realm, name) is not None or (realm, name) in last.failed
        store = self._loader.keeping.documents
        return store is not None and bool(store.keys((realm, name)))

    def _add_keys(
        self,
        files: EnvironmentFiles,
        read: KeysRead,
        rules: Rules,
        before: Environment | None,
        found: RealmRead,
    ) -> None:
        """Take over what the key files of an environment came to."""
        name = files.environment
        records = Records()
        if rules.settings.recorded:
            records, problems = records_of(self._tree, files.realm, name)
            found.findings += problems
        found.problems += read.told(files.path)
        found.fresh |= {(name, key): fresh for key, fresh in read.fresh.items()}
        if not read.parts:
            found.failed.add(name)
            return
        found.environments[name] = assembled(read.parts, read.failed, rules.data, records, before)

    def read_units(
        self, realm: RealmName, name: EnvironmentName, keys: Sequence[KeyName], before: Environment
    ) -> RealmRead | None:
        """An environment where nothing has changed but its document, or the files of these keys, all of which
        it had; None where that cannot be relied on, so that all has to be read.
        """
        rules = self._rules.get(realm)
        if rules is None or rules.states is None or before.stale or before.failed:
            return None
        try:
            if states_of(self._tree.realm_file(realm)) != rules.states:
                return None
        except ArcanError:
            return None
        folder = self._tree.root / realm / name
        wanted = [f"{folder}/{key}{DOCUMENT_SUFFIX}" for key in keys] or [f"{folder}{DOCUMENT_SUFFIX}"]
        if not all(map(_is_plain, wanted)):
            return None
        found, parts = RealmRead(), before.parts
        if parts is None:
            files = of_document(DocumentFile(realm, name, wanted[0]))
            self._read(files, rules, None, {name: before}, found)
            return found
        read = KeysRead(dict(parts.by_key))
        for key, path in zip(keys, wanted, strict=True):
            self._key_files.read_one(DocumentFile(realm, name, path, key), rules, parts.by_key, read)
        found.problems += read.told(folder)
        found.fresh |= {(name, key): fresh for key, fresh in read.fresh.items()}
        records = Records(parts.records, before.removed)
        found.environments[name] = assembled(read.parts, read.failed, rules.data, records)
        return found

    def _unknown(self, found: RealmRead, realm: RealmName, last: Snapshot | None) -> None:
        """Nobody can say which documents there are: all stay as they were."""
        found.unknown = True
        if last is None:
            return
        before = last.environments.get(realm, {})
        found.failed = {*before, *(name for at, name in last.failed if at == realm)}
        for name, environment in before.items():
            self._stand_in(found, name, environment)

    def _read_rules(
        self,
        realm: RealmName,
        places: Iterable[EnvironmentName],
        before: Mapping[EnvironmentName, Environment],
        found: RealmRead,
    ) -> Rules | None:
        """`realm.yaml`, or None where it cannot be read: then no document of the realm can be judged."""
        self._rules.pop(realm, None)
        try:
            path = self._tree.realm_file(realm)
            states = states_of(path)  # before it is read, as all states
            data = b"" if path is None else read_file(path)
            settings = RealmSettings() if path is None else RealmSettings.parse(data, str(path))
        except ArcanError as error:
            found.problems.append(error)
            return None
        except Exception as error:
            found.problems.append(bug(self._tree.root / realm, error))
            return None
        if self._loader.demands.recorded:
            settings = replace(settings, deletions="recorded")
        elif settings.deletions is None and self._recorded_before(realm, places, before):
            # what is lost or cut must not turn a key that is missing into one that was removed
            settings = replace(settings, deletions="recorded")
            found.findings.append(
                ArcanError(
                    f"{self._tree.root / realm}: realm.yaml says nothing of deletions any more; they stay "
                    "recorded",
                    hint="restore it from Git; or write 'deletions: unrecorded', if that is meant",
                )
            )
        self._rules[realm] = Rules(data, settings, states)
        return self._rules[realm]

    def _recorded_before(
        self,
        realm: RealmName,
        places: Iterable[EnvironmentName],
        before: Mapping[EnvironmentName, Environment],
    ) -> bool:
        if before:
            return any(each.removed is not None for each in before.values())
        store = self._loader.keeping.documents
        return store is not None and any(store.recorded((realm, name)) for name in places)

    def _environment(
        self, document: DocumentFile, rules: Rules, before: Environment | None, found: RealmRead
    ) -> Environment:
        """The document as it is now; `before`, where nothing of it has changed. Raises `ArcanError`."""
        records = Records()
        record_states: tuple[FileState, ...] | None = ()
        if rules.settings.recorded:
            files, _ = self._tree.removal_files(document.realm, document.environment)
            record_states = states_of(*files.values())
        state = states_of(document.where)
        states = None
        if state is not None and rules.states is not None and record_states is not None:
            states = (*state, *rules.states, *record_states)
        if before is not None and before.since is None and before.files == states is not None:
            return before
        if rules.settings.recorded:
            records, problems = records_of(self._tree, document.realm, document.environment)
            found.findings += problems
            if problems:
                states = None  # so that it is told at each look
        data = document.read()
        key = digest(data, rules.data, records.data) if records.data else digest(data, rules.data)
        if before is not None and before.digest == key and (before.removed is None) is (records.keys is None):
            return replace(before, files=states, since=None)
        loaded = self._loader.load(document, data, rules, key)
        found.fresh[document.environment, None] = Fresh(data, rules.data, rules.settings.recorded)
        return Environment(loaded.values, key, loaded.versions, records.keys, None, loaded.seal, states)

    def _fail(
        self, found: RealmRead, document: DocumentFile, before: Environment | None, rules: Rules | None
    ) -> None:
        found.failed.add(document.environment)
        if before is None:
            before = self._kept(document, rules)
        if before is not None:
            self._stand_in(found, document.environment, before)

    def _stand_in(self, found: RealmRead, name: EnvironmentName, before: Environment) -> None:
        """Serve the last good state of an environment, while it is not too old."""
        since = self._loader.keeping.since(before.since)
        if since is not None:
            found.environments[name] = replace(before, since=since, files=None)

    def _kept(self, document: DocumentFile, rules: Rules | None) -> Environment | None:
        """What an earlier run of the server kept of a document, if it is sound by the rules that hold now."""
        store, place = self._loader.keeping.documents, (document.realm, document.environment)
        if store is None:
            return None
        recorded = self._loader.demands.recorded or store.recorded(place)
        if rules is not None:
            recorded = rules.settings.recorded
        records = records_of(self._tree, *place)[0] if recorded else Records()
        kept = self._loader.kept(document, None if rules is None else rules.settings)
        if kept is None:
            return self._key_files.kept(document, rules, records)
        loaded, from_disk = kept
        key = digest(from_disk.data, from_disk.rules)
        return Environment(loaded.values, key, loaded.versions, records.keys, from_disk.good, loaded.seal)


def _is_plain(path: str) -> bool:
    """Whether a file is there, and is no link and no folder."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


class _Untold(Exception):
    """Why a document cannot be judged was told once for its realm. Never leaves this module."""
