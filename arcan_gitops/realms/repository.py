"""Loads the realms, and keeps what is good of them when a change is bad.

Each document stands by itself: one that does not load stays at its last good state, or is not loaded, and no
other realm or environment feels it. Tokens are judged apart: a bad document never delays a revocation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, did_you_mean
from arcan_gitops.realms import tokens as token_files
from arcan_gitops.realms.binding import NO_DEMANDS, Demands, Place
from arcan_gitops.realms.documents import Documents
from arcan_gitops.realms.found import Found
from arcan_gitops.realms.layout import DOCUMENT_SUFFIX, is_key_file
from arcan_gitops.realms.loading import Keeping, Loader
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.selection import BadSelection, Selection
from arcan_gitops.realms.snapshot import Clusters, Snapshot
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
        self._loader = Loader(identities, demands, open_document, keeping)
        self._documents = Documents(tree, self._loader)
        self._clean: Found | None = None  # what the last load came to, if nothing was wrong

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
        if not self._selection.patterns:
            return []
        try:
            documents, _ = self._tree.scan_all()
        except CannotRead:
            return []
        try:
            self._selection.require_each_used({(file.realm, file.environment) for file in documents})
        except BadSelection as error:
            return [error]
        return []

    def reload(self, last: Snapshot, changed: Iterable[Path] | None = None) -> Reload:
        """The realms as they are now, what is bad as it was in `last`. Raises nothing but bugs.

        `changed` are all paths that may have changed since `last` was loaded, if that is known: where they
        are documents and key files that were there, nothing else is read.
        """
        if changed is not None:
            units = self._units_among(changed, last)
            reload = None if units is None else self._reload_units(units, last)
            if reload is not None:
                return reload
        return self._load(last, last.clusters)

    def forget_failures(self) -> None:
        """Try bad documents again though they have not changed."""
        self._loader.forget_failures()

    def reload_tokens(self, last: Snapshot) -> Snapshot:
        """`last` with the tokens as they are now: a revocation need not wait for documents to be read."""
        read = token_files.read_all(self._tree, last.tokens, last)
        return Snapshot.build(last.environments, read.tokens, last.clusters, last.failed)

    def _load(self, last: Snapshot | None, clusters: Clusters) -> Reload:
        found = Found()
        self._clean = None
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
        as_read = found.as_read()
        found.refuse_copies(last, self._keeping)
        if realms:
            self._keep(found)
        own = [realm for realm in realms if realm not in found.foreign]
        read = token_files.read_all(self._tree, own, last)
        if not (found.problems or found.linked or read.problems or read.findings):
            self._clean = as_read
        snapshot = Snapshot.build(found.environments, read.tokens, clusters, found.not_loaded())
        kept = dict.fromkeys((*found.stale(), *read.kept))
        problems, findings = (*found.problems, *read.problems), (*found.findings, *read.findings)
        return Reload(snapshot, problems, findings, tuple(kept))

    def _selecting(self, realm: RealmName) -> Callable[[EnvironmentName], bool]:
        return lambda environment: self._selection.has(realm, environment)

    def _units_among(self, changed: Iterable[Path], last: Snapshot) -> dict[Place, set[KeyName]] | None:
        """The documents and key files that the paths are, all of which were there: keys by environment, none
        for a document. None where a path may be anything else.
        """
        units: dict[Place, set[KeyName]] = defaultdict(set)
        for path in changed:
            try:
                realm, *folder, file = path.relative_to(self._tree.root).parts
            except ValueError:
                return None
            name = file.removesuffix(DOCUMENT_SUFFIX)
            place = RealmName(realm), EnvironmentName(folder[0] if folder else name)
            environment = last.environment(*place)
            if len(folder) > 1:
                return None
            if file.startswith(".") and not is_key_file(file) and (not folder or environment is not None):
                continue  # what programs write before they rename it
            if environment is None or name == file:
                return None
            if folder and environment.parts is not None and name in environment.values:
                units[place].add(KeyName(name))
            elif not folder and environment.parts is None:
                units[place] = set()
            else:
                return None
        return units

    def _reload_units(self, units: Mapping[Place, Set[KeyName]], last: Snapshot) -> Reload | None:
        """`last`, where these documents and key files were read anew; None where all has to be read."""
        clean, self._clean = self._clean, None
        if clean is None or not clean.is_served_by(last):
            return None
        found = clean.as_read()
        found.environments = {realm: dict(loaded) for realm, loaded in clean.environments.items()}
        for (realm, name), keys in units.items():
            loaded = found.environments[realm]
            read = self._documents.read_units(realm, name, sorted(keys), loaded[name])
            if read is None:
                return None
            loaded |= read.environments
            found.add(realm, replace(read, environments=loaded))
        found.findings = list({finding.message: finding for finding in found.findings}.values())
        as_read = found.as_read()
        found.refuse_copies(last, self._keeping)
        if not found.problems:
            self._clean = as_read
        if self._keeping.documents is not None:
            self._keeping.documents.keep(found.fresh)
        snapshot = Snapshot.build(found.environments, last.tokens, last.clusters, found.not_loaded())
        kept = tuple(dict.fromkeys(found.stale()))
        return Reload(snapshot, tuple(found.problems), tuple(found.findings), kept)

    def _keep(self, found: Found) -> None:
        """Keep what was loaded for the next start, and forget what is there no longer."""
        store = self._keeping.documents
        if store is None:
            return
        units = {unit: each.since for unit, each in found.units()}
        good = [unit for unit, since in units.items() if since is None]
        store.keep({unit: found.fresh[unit] for unit in good if unit in found.fresh})
        store.touch(unit for unit in good if unit not in found.fresh)
        failed = {(*place, key) for place, each in found.all() for key in each.failed}
        store.retain(units.keys() | failed, found.failed, found.unknown)
