"""The revision that a server has of a commit, and the keys that it served then."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.errors import ArcanError
from arcan_gitops.git import Git, GitFailed
from arcan_gitops.realms import Selection, Snapshot
from arcan_gitops.realms.binding import Demands
from arcan_gitops.realms.revision import served
from arcan_gitops.review.export import write_files


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a server loads of a repository; `clusters` is None for a server without `--clusters`."""

    realms: Path
    clusters: Path | None
    selection: Selection
    demands: Demands

    def now(self) -> Snapshot:
        """As the files are. Raises `ArcanError`."""
        clusters = self.clusters if self.clusters is not None and self.clusters.is_dir() else None
        return served(self.realms, clusters, self.selection, self.demands)

    def at(self, commit: str) -> Snapshot:
        """As they are in a commit, by its id. Raises `ArcanError`."""
        with tempfile.TemporaryDirectory(prefix="arcan-") as folder:
            realms, clusters = Path(folder, "realms"), Path(folder, "clusters")
            write_files(realms, self._git(self.realms).read(commit, [""]))
            if self.clusters is not None and self.clusters.is_dir():
                write_files(clusters, self._git(self.clusters).read(commit, [""]))
            known = clusters if clusters.is_dir() else None
            try:
                return served(realms, known, self.selection, self.demands)
            except ArcanError as error:
                raise GitFailed(f"commit {commit[:12]}: {error.message.replace(folder + '/', '')}") from None

    def commit(self, name: str) -> str:
        """The id of a commit. Raises as `Git`."""
        return self._git(self.realms).commit(name)

    def history(self, most: int, newest: str = "HEAD") -> tuple[str, ...]:
        """A commit, and the newest ones before it that change what is served. Raises as `Git`."""
        git = self._git(self.realms)
        folders = [git.folder]
        if self.clusters is not None and self.clusters.is_dir():
            folders.append(self._git(self.clusters).folder)
        return git.history(git.commit(newest), [folder or "." for folder in folders], most)

    def _git(self, folder: Path) -> Git:
        return Git.of(folder, for_other_programs())


@dataclass
class History:
    """Finds the commit of a revision: commits are looked at once, the newest first, and as far as needed."""

    checkout: Checkout
    most: int
    newest: str = "HEAD"
    _left: Iterator[str] | None = None
    _found: dict[str, tuple[str, Mapping[tuple[str, str], tuple[str, ...]]]] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)  # revisions, the newest first
    looked_at: int = 0
    _problem: str = ""  # why there are no commits to look at

    def why(self) -> str:
        """Why a revision was not found."""
        return self._problem or f"none of the {self.looked_at} newest commits that change the realms has it"

    def commit(self, revision: str) -> str | None:
        """The newest commit with that revision."""
        found = self._find(revision)
        return None if found is None else found[0]

    def newer(self, revision: str) -> int:
        """How many other states there are after one that was found."""
        at = self._order.index(revision)
        return len(dict.fromkeys(self._order[:at]))

    def keys(self, revision: str, realm: str, environment: str) -> tuple[str, tuple[str, ...]] | None:
        """The commit, and the keys of an environment in it."""
        found = self._find(revision)
        if found is None or (realm, environment) not in found[1]:
            return None
        return found[0], found[1][realm, environment]

    def _find(self, revision: str) -> tuple[str, Mapping[tuple[str, str], tuple[str, ...]]] | None:
        if self._left is None:
            try:
                self._left = iter(self.checkout.history(self.most, self.newest))
            except ArcanError as error:  # no repository, say: everything else can be answered
                self._left, self._problem = iter(()), error.message
        while revision not in self._found:
            commit = next(self._left, None)
            if commit is None:
                return None
            self.looked_at += 1
            try:
                snapshot = self.checkout.at(commit)
            except ArcanError:  # there was nothing to serve then
                continue
            names = {
                (str(realm), str(name)): tuple(sorted(map(str, environment.values)))
                for (realm, name), environment in snapshot.all()
            }
            self._order.append(snapshot.revision)
            self._found.setdefault(snapshot.revision, (commit, names))
        return self._found[revision]
