"""`--clusters`: the folder with the keys of the clusters, looked at as often as the tokens.

A cluster whose file goes is out at once; one whose file is bad stays as it was, and so do all where the
folder cannot be read. At a start nothing was before: the accounts of a cluster whose file is bad are refused.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import MappingProxyType

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.realms.clusters import read_clusters
from arcan_gitops.realms.snapshot import Clusters
from arcan_gitops.server.seen_state import state_of

log = logging.getLogger("arcan.server")


class ClusterList:
    """Used by the thread that looks at tokens."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._states: object = None  # of the files when they were last read
        self._complaints: frozenset[str] = frozenset()
        self.current: Clusters = MappingProxyType({})

    @property
    def failing(self) -> bool:
        """Whether something in the folder is not as it has to be."""
        return bool(self._complaints)

    def load(self, *, whole: bool) -> None:
        """At the start. With `whole` it raises `SeveralErrors` with all that is wrong; without, what is wrong
        is told, and only a folder that cannot be read raises `CannotRead`.
        """
        if self._folder is None:
            return
        self._states = _states(self._folder)
        found, problems = read_clusters(self._folder, {})
        if problems and whole:
            raise SeveralErrors(f"{len(problems)} problem(s) with the clusters in {self._folder}:", problems)
        self._complain(problems, "no account of that cluster is let in")
        self.current = MappingProxyType(found)

    def look(self, *, again: bool = False) -> bool:
        """Whether `current` is another than before; `again` also where no file seems to have changed."""
        if self._folder is None:
            return False
        states = _states(self._folder)
        if states == self._states and not again:
            return False
        self._states = states
        try:
            found, problems = read_clusters(self._folder, self.current)
        except ArcanError as error:
            self._complain([error])
            return False
        self._complain(problems)
        changed = found != self.current
        for name in sorted(self.current.keys() - found.keys()):
            log.warning("cluster %s is gone: the tokens of its accounts are refused", name)
        for name in sorted(found):
            if self.current.get(name) != found[name]:
                log.info("cluster %s: %d keys", name, len(found[name].cluster.keys))
        self.current = MappingProxyType(found)
        return changed

    def _complain(
        self, problems: list[ArcanError], so: str = "what was there before holds on, if anything was"
    ) -> None:
        complaints = {f"{each.message}; {so}" for each in problems}
        for complaint in sorted(complaints - self._complaints):
            log.error("%s", complaint)
        self._complaints = frozenset(complaints)


def _states(folder: Path) -> object:
    try:
        return {path.name: state_of(path) for path in folder.iterdir()}
    except OSError:
        return None
