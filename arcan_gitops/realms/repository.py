"""Loads the realms, and keeps what is good of them when a change is bad.

Each document stands by itself: one that does not load stays at its last good state, or is not loaded, and no
other realm or environment feels it. Tokens are judged apart: a bad document never delays a revocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, RealmName, did_you_mean
from arcan_gitops.realms import tokens as token_files
from arcan_gitops.realms.binding import NO_DEMANDS, Demands, Place, copies
from arcan_gitops.realms.documents import Documents, Keeping, RealmRead
from arcan_gitops.realms.kept import Fresh
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.selection import BadSelection, Selection
from arcan_gitops.realms.snapshot import Clusters, Environment, Snapshot
from arcan_gitops.realms.tree import CannotRead, RealmTree
from arcan_gitops.sops import Identities, load


@dataclass(frozen=True, slots=True)
class Reload:
    """What a load came to: the snapshot to serve from now on, and all that was wrong.

    `problems` are what is not served as the files have it; `findings` change nothing that is served.
    """

    snapshot: Snapshot
    problems: tuple[ArcanError, ...]
    findings: tuple[ArcanError, ...]
    kept: tuple[str, ...]  # the realms and places that stay at their last good tokens or documents


@dataclass(slots=True)
class _Found:
    """What the realms came to so far."""

    environments: dict[RealmName, dict[EnvironmentName, Environment]] = field(default_factory=dict)
    failed: set[Place] = field(default_factory=set)
    unknown: set[RealmName] = field(default_factory=set)
    foreign: set[RealmName] = field(default_factory=set)
    problems: list[ArcanError] = field(default_factory=list)
    findings: list[ArcanError] = field(default_factory=list)
    fresh: dict[Place, Fresh] = field(default_factory=dict)

    def add(self, realm: RealmName, read: RealmRead) -> None:
        if read.environments:
            self.environments[realm] = read.environments
        self.failed |= {(realm, name) for name in read.failed}
        self.fresh |= {(realm, name): data for name, data in read.fresh.items()}
        self.problems += read.problems
        self.findings += read.findings
        if read.unknown:
            self.unknown.add(realm)
        if read.foreign:
            self.foreign.add(realm)

    def all(self) -> Iterator[tuple[Place, Environment]]:
        """What is served."""
        for realm, environments in self.environments.items():
            for name, environment in environments.items():
                yield (realm, name), environment

    def refuse_copies(self, last: Snapshot | None, now: float) -> None:
        """Take out what is a copy of a document that is bound to its place; what stood there before stays."""
        seals = {place: each.seal for place, each in self.all() if each.seal is not None}
        refused, told = copies(seals)
        self.findings += [ArcanError(text, hint="bind the real one: arcan realm bind") for text in told]
        for place, error in refused.items():
            realm, name = place
            before = None if last is None else last.environment(realm, name)
            self.problems.append(error)
            self.failed.add(place)
            self.fresh.pop(place, None)
            if before is None or before.seal is None or before.seal.key == seals[place].key:
                del self.environments[realm][name]
            else:
                since = now if before.since is None else before.since
                self.environments[realm][name] = replace(before, since=since, files=None)

    def stale(self) -> Iterator[str]:
        """The places that stand at their last good state."""
        return (f"{realm}/{name}" for (realm, name), each in self.all() if each.since is not None)

    def not_loaded(self) -> set[Place]:
        """The places that are there, and of which nothing can be served."""
        return self.failed - {place for place, _ in self.all()}


class Repository:
    """Reads a `RealmTree` by one set of identities."""

    def __init__(
        self,
        tree: RealmTree,
        identities: Identities,
        selection: Selection = Selection(),  # noqa: B008 - frozen
        demands: Demands = NO_DEMANDS,
        open_document: Opener = load,
        keeping: Keeping = Keeping(),  # noqa: B008 - frozen
    ) -> None:
        self._tree = tree
        self._selection = selection
        self._keeping = keeping
        self._documents = Documents(tree, identities, demands, open_document, keeping)

    def load(self, clusters: Clusters = MappingProxyType({})) -> Snapshot:
        """All of the selection, as `start`."""
        return self.start(clusters).snapshot

    def start(self, clusters: Clusters = MappingProxyType({})) -> Reload:
        """All of the selection, and accounts of those clusters. Raises `SeveralErrors` with all bad files."""
        reload = self._load(None, clusters)
        problems = [*reload.problems, *self._unused()]
        if problems:
            raise self._refused([*problems, *reload.findings])
        return reload

    def start_sound(self, clusters: Clusters = MappingProxyType({})) -> Reload:
        """What is sound of the selection. Raises `SeveralErrors` where nothing is."""
        reload = self._load(None, clusters)
        unused = self._unused()
        if not reload.snapshot.environments:
            raise self._refused([*reload.problems, *unused, *reload.findings])
        return replace(reload, findings=(*unused, *reload.findings))

    def _refused(self, problems: list[ArcanError]) -> SeveralErrors:
        return SeveralErrors(f"{len(problems)} problem(s) with the realms in {self._tree.root}:", problems)

    def _unused(self) -> list[ArcanError]:
        """A problem where a pattern selects nothing. A folder that cannot be read is a problem of `_load`."""
        try:
            documents, _ = self._tree.scan_all()
        except CannotRead:
            return []
        try:
            self._selection.require_each_used([(file.realm, file.environment) for file in documents])
        except BadSelection as error:
            return [error]
        return []

    def reload(self, last: Snapshot) -> Reload:
        """The realms as they are now, what is bad as it was in `last`. Raises nothing but bugs."""
        return self._load(last, last.clusters)

    def forget_failures(self) -> None:
        """Try bad documents again though they have not changed."""
        self._documents.forget_failures()

    def reload_tokens(self, last: Snapshot) -> Snapshot:
        """`last` with the tokens as they are now: a revocation need not wait for documents to be read."""
        read = token_files.read_all(self._tree, last.tokens, last)
        return Snapshot.build(last.environments, read.tokens, last.clusters, last.failed)

    def _load(self, last: Snapshot | None, clusters: Clusters) -> Reload:
        found = _Found()
        try:
            names, misplaced = self._tree.scan()
            realms = [realm for realm in names if self._selection.has_realm(realm)]
            (found.findings if realms else found.problems).extend(misplaced)
            if names and not realms and last is not None:
                raise BadSelection(f"{self._tree.root}: nothing is selected", hint=did_you_mean("", names))
        except ArcanError as error:
            found.problems.append(error)
            realms = []
        if not realms and last is not None:
            places = [f"{realm}/{name}" for realm, name in last.names()]
            return Reload(last, tuple(found.problems), tuple(found.findings), tuple(places))
        for realm in realms:
            found.add(realm, self._documents.read(realm, self._selecting(realm), last))
        found.refuse_copies(last, self._keeping.clock())
        if realms:
            self._keep(found)
        own = [realm for realm in realms if realm not in found.foreign]
        read = token_files.read_all(self._tree, own, last)
        snapshot = Snapshot.build(found.environments, read.tokens, clusters, found.not_loaded())
        kept = dict.fromkeys((*found.stale(), *read.kept))
        problems, findings = (*found.problems, *read.problems), (*found.findings, *read.findings)
        return Reload(snapshot, problems, findings, tuple(kept))

    def _selecting(self, realm: RealmName) -> Callable[[EnvironmentName], bool]:
        return lambda environment: self._selection.has(realm, environment)

    def _keep(self, found: _Found) -> None:
        """Keep what was loaded for the next start, and forget what is there no longer."""
        store = self._keeping.documents
        if store is None:
            return
        for place, environment in found.all():
            if environment.since is None:
                data = found.fresh.get(place)
                if data is None:
                    store.touch(place)
                else:
                    store.keep(place, data)
        store.retain({place for place, _ in found.all()} | found.failed, found.unknown)
