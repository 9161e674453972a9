"""The documents of one realm: each is loaded, or stands at its last good state, or is not loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.binding import NO_DEMANDS, Demands, NotBound, OtherPlace
from arcan_gitops.realms.bugs import bug
from arcan_gitops.realms.file_state import FileState, states_of
from arcan_gitops.realms.kept import Fresh, KeptDocuments
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.removals import removals_of
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import Environment, Snapshot, load_environment
from arcan_gitops.realms.tree import BadLayout, DocumentFile, Layout, RealmTree, digest, read_file
from arcan_gitops.sops import (
    ClearLeaf,
    EmptyLeaf,
    Identities,
    Malformed,
    NoMatchingIdentity,
    NotEncrypted,
    Tampered,
    TooLarge,
    Unsupported,
    load,
)

# What is wrong with the bytes themselves, and stays wrong: unlike a key service that cannot be reached.
_LASTING: Final = (
    NotEncrypted,
    Malformed,
    Unsupported,
    NoMatchingIdentity,
    Tampered,
    ClearLeaf,
    EmptyLeaf,
    TooLarge,
    OtherPlace,
    NotBound,
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How last good documents are kept: where, for the next start (None: nowhere), and for how long they may
    be served in the place of bad ones (seconds; None: for as long as the server runs).
    """

    documents: KeptDocuments | None = None
    seconds: float | None = None
    clock: Callable[[], float] = time.time


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
    fresh: dict[EnvironmentName, Fresh] = field(default_factory=dict)
    unknown: bool = False  # nobody can say which documents there are
    foreign: bool = False  # it is a link out of the tree, and never was a realm


@dataclass(frozen=True, slots=True)
class _Rules:
    """`realm.yaml` as it was read; `states` is None where it has to be read again."""

    data: bytes
    settings: RealmSettings
    states: tuple[FileState, ...] | None


class Documents:
    """Reads the documents of realms by one set of identities."""

    def __init__(
        self,
        tree: RealmTree,
        identities: Identities,
        demands: Demands = NO_DEMANDS,
        open_document: Opener = load,
        keeping: Keeping = Keeping(),
    ) -> None:
        self._tree = tree
        self._identities = identities
        self._demands = demands
        self._open_document = open_document
        self._keeping = keeping
        self._failures: dict[Path, tuple[str, ArcanError]] = {}  # by the digest of the bytes that failed

    def forget_failures(self) -> None:
        """Try bad documents again though they have not changed."""
        self._failures.clear()

    def read(
        self, realm: RealmName, selected: Callable[[EnvironmentName], bool], last: Snapshot | None
    ) -> RealmRead:
        """The selected documents of a realm as they are now. Raises nothing but bugs."""
        found = RealmRead()
        before = {} if last is None else last.environments.get(realm, {})
        try:
            places = self._tree.scan_places(realm)
            if not places.environments:
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
        found.findings += places.misplaced
        found.findings += places.bare.values()
        documents = [
            DocumentFile(each.realm, each.environment, each.path, None) for each in places.environments
        ]
        rules = self._rules(documents, before, found)
        in_files = {each.environment for each in places.environments if each.layout is Layout.FILES}
        for document in documents:
            name = document.environment
            if not selected(name):
                continue
            try:
                if rules is None:
                    raise _Untold
                if name in places.bad:
                    raise places.bad[name]
                if name in in_files:
                    raise BadLayout(f"{document.path}: is a folder of key files, which no server loads yet")
                found.environments[name] = self._environment(document, rules, before.get(name), found)
            except (ArcanError, _Untold) as error:
                if isinstance(error, ArcanError):
                    found.problems.append(error)
                self._fail(found, document, before.get(name), rules)
            except Exception as error:  # a bug that one file brings out must not stop the others
                found.problems.append(bug(document.path, error))
                self._fail(found, document, before.get(name), rules)
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

    def _rules(
        self, places: Sequence[DocumentFile], before: Mapping[EnvironmentName, Environment], found: RealmRead
    ) -> _Rules | None:
        """`realm.yaml`, or None where it cannot be read: then no document of the realm can be judged."""
        realm = places[0].realm
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
        if self._demands.recorded:
            settings = replace(settings, deletions="recorded")
        elif settings.deletions is None and self._recorded_before(places, before):
            # what is lost or cut must not turn a key that is missing into one that was removed
            settings = replace(settings, deletions="recorded")
            found.findings.append(
                ArcanError(
                    f"{self._tree.root / realm}: realm.yaml says nothing of deletions any more; they stay "
                    "recorded",
                    hint="restore it from Git; or write 'deletions: unrecorded', if that is meant",
                )
            )
        return _Rules(data, settings, states)

    def _recorded_before(
        self, places: Sequence[DocumentFile], before: Mapping[EnvironmentName, Environment]
    ) -> bool:
        if before:
            return any(each.removed is not None for each in before.values())
        store = self._keeping.documents
        kept = () if store is None else (store.find((each.realm, each.environment)) for each in places)
        return any(each is not None and each.recorded for each in kept)

    def _environment(
        self, document: DocumentFile, rules: _Rules, before: Environment | None, found: RealmRead
    ) -> Environment:
        """The document as it is now; `before`, where nothing of it has changed. Raises `ArcanError`."""
        records, removed = b"", None
        record_states: tuple[FileState, ...] | None = ()
        if rules.settings.recorded:
            files, _ = self._tree.removal_files(document.realm, document.environment)
            record_states = states_of(*files.values())
        state = states_of(document.path)
        states = None
        if state is not None and rules.states is not None and record_states is not None:
            states = (*state, *rules.states, *record_states)
        if before is not None and before.since is None and before.files == states is not None:
            return before
        if rules.settings.recorded:
            read, problems = removals_of(self._tree, document.realm, document.environment)
            found.findings += problems
            records = b"".join(digest(key.encode(), data).encode() for key, (_, data) in read.items())
            removed = frozenset(read)
        data = document.read()
        key = digest(data, rules.data, records) if records else digest(data, rules.data)
        if before is not None and before.digest == key and (before.removed is None) is (removed is None):
            return replace(before, files=states, since=None)
        return self._opened(document, data, rules, key, removed, states, found)

    def _opened(
        self,
        document: DocumentFile,
        data: bytes,
        rules: _Rules,
        key: str,
        removed: frozenset[KeyName] | None,
        states: tuple[FileState, ...] | None,
        found: RealmRead,
    ) -> Environment:
        failed, failure = self._failures.get(document.path, ("", None))
        if failure is not None and failed == key:  # costly, and known: all must wait for it
            raise failure
        try:
            values, versions, seal = load_environment(
                data, document, rules.settings, self._identities, self._demands, self._open_document
            )
        except _LASTING as error:
            self._failures[document.path] = (key, error)
            raise
        self._failures.pop(document.path, None)
        found.fresh[document.environment] = Fresh(data, rules.data, rules.settings.recorded)
        return Environment(values, key, versions, removed, None, seal, states)

    def _fail(
        self, found: RealmRead, document: DocumentFile, before: Environment | None, rules: _Rules | None
    ) -> None:
        found.failed.add(document.environment)
        if before is None:
            before = self._kept(document, rules)
        if before is not None:
            self._stand_in(found, document.environment, before)

    def _stand_in(self, found: RealmRead, name: EnvironmentName, before: Environment) -> None:
        """Serve the last good state of an environment, while it is not too old."""
        now = self._keeping.clock()
        since = now if before.since is None else before.since
        if self._keeping.seconds is None or now - since <= self._keeping.seconds:
            found.environments[name] = replace(before, since=since, files=None)

    def _kept(self, document: DocumentFile, rules: _Rules | None) -> Environment | None:
        """What an earlier run of the server kept of a document, if it is sound by the rules that hold now."""
        store = self._keeping.documents
        kept = None if store is None else store.find((document.realm, document.environment))
        if kept is None:
            return None
        try:
            settings = RealmSettings.parse(kept.rules, document.place) if rules is None else rules.settings
            values, versions, seal = load_environment(
                kept.data, document, settings, self._identities, self._demands, self._open_document
            )
            removed = None
            if settings.recorded:
                removed = frozenset(removals_of(self._tree, document.realm, document.environment)[0])
        except ArcanError:
            return None
        key = digest(kept.data, kept.rules)
        return Environment(values, key, versions, removed, kept.good, seal)


class _Untold(Exception):
    """Why a document cannot be judged was told once for its realm. Never leaves this module."""
