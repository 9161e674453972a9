"""Reloads when the realm files change, on SIGHUP, and every minute in case a change went unseen.

Tokens and clusters are looked at apart, four times a second, so that a revocation waits for no document.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from watchfiles import watch

from arcan_gitops.errors import ArcanError, place_of, some
from arcan_gitops.names import place_name
from arcan_gitops.realms import Reload, Repository, Snapshot
from arcan_gitops.realms.tree import TOKENS_FILE
from arcan_gitops.server.board import Board
from arcan_gitops.server.cluster_list import ClusterList
from arcan_gitops.server.gone import Gone
from arcan_gitops.server.revoked_list import RevokedList
from arcan_gitops.server.seen_state import state_of

log = logging.getLogger("arcan.server")

_LOOK_SECONDS: Final = 60.0
_TICK_MILLISECONDS: Final = 250  # how soon SIGHUP and the end are noticed
_TOKENS_SECONDS: Final = 0.25  # between two looks at the tokens' files
_DEBOUNCE_MILLISECONDS: Final = 400  # a merge writes many files: read them when it is through


class Watcher:
    """Two threads of the main process: one reloads documents, so that no two reloads overlap, one tokens."""

    def __init__(
        self,
        root: Path,
        repository: Repository,
        board: Board,
        *,
        revoked: RevokedList | None = None,
        clusters: ClusterList | None = None,
    ) -> None:
        self._root = root
        self._repository = repository
        self._board = board
        self.gone = Gone()
        self.problems: tuple[ArcanError, ...] = ()  # what was wrong at the last load
        self._revoked = revoked or RevokedList(None)
        self._clusters = clusters or ClusterList(None)
        self._publishing = threading.Lock()
        self._tokens: object = None  # the states of the tokens' files when they were last read
        self._documents_failed = False  # whether something is not served as the files have it
        self._asked = False
        self._unwatched = False
        self._stop = threading.Event()
        self._logged: frozenset[str] = frozenset()

    def start(self) -> None:
        """Start watching; the threads end with the process."""
        threading.Thread(target=self._run, name="arcan-watch", daemon=True).start()
        threading.Thread(target=self._run_tokens, name="arcan-watch-tokens", daemon=True).start()

    def ask(self) -> None:
        """Reload now, even if nothing seems to have changed (SIGHUP)."""
        self._asked = True

    def _take_asked(self) -> bool:
        """Whether somebody asked; who asks from now on is answered by another reload."""
        asked = self._asked
        if asked:  # else what is asked at this moment would be lost
            self._asked = False
        return asked

    def stop(self) -> None:
        """Reload no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except Exception as error:  # the folder is gone, or inotify is used up: look by the clock
                if not self._unwatched:
                    log.warning("cannot watch %s (%s): looking every 5 s", self._root, type(error).__name__)
                self._unwatched = True
                if not self._stop.wait(5):
                    self.reload(asked=self._take_asked())

    def _watch(self) -> None:
        """Watch until the folder at the path is another one: a checkout was swapped by rename or symlink."""
        folder = _identity(self._root)
        looked = -math.inf  # at all; what changed before the watch was in place is seen by a first look
        for changes in watch(
            self._root,
            watch_filter=None,
            debounce=_DEBOUNCE_MILLISECONDS,
            rust_timeout=_TICK_MILLISECONDS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        ):
            self._unwatched = False
            if _identity(self._root) != folder:
                return
            asked = self._take_asked()
            if asked or time.monotonic() - looked >= _LOOK_SECONDS:
                looked = time.monotonic()
                self.reload(asked=asked)
            elif changes:
                self.reload(asked=False, changed=[Path(path) for _, path in changes])

    def _run_tokens(self) -> None:
        while not self._stop.wait(_TOKENS_SECONDS):
            try:
                self.look_at_tokens()
            except Exception as error:
                log.error(
                    "the tokens are not read: unexpected %s at %s", type(error).__name__, place_of(error)
                )

    def look_at_tokens(self, *, again: bool = False) -> None:
        """Publish the tokens, those that are revoked, and the clusters, if their files have changed."""
        if self._revoked.look():
            with self._publishing:
                failed = self._failed
                revoked = self._revoked.current
                self._board.publish(self._board.held, reload_failed=failed, revocations=revoked)
        moved = self._clusters.look(again=again)
        states = tuple(state_of(self._root / realm / TOKENS_FILE) for realm in self._board.held.tokens)
        if states == self._tokens and not moved:
            self._board.note_reload(failed=self._failed)
            return
        self._tokens = states
        with self._publishing:
            held = replace(self._board.held, clusters=self._clusters.current)
            self._publish(self._repository.reload_tokens(held))

    @property
    def _failed(self) -> bool:
        """Whether something stays at its last good state."""
        return self._documents_failed or self._clusters.failing

    def _publish(self, snapshot: Snapshot, *, always: bool = False) -> None:
        held, failed = self._board.held, self._failed
        if not always and snapshot.revision == held.revision:
            self._board.hold(snapshot)
            self._board.note_reload(failed=failed)
            return
        self.gone.note(held, snapshot)
        self._board.publish(snapshot, reload_failed=failed)
        log.info("serving revision %s", snapshot.revision[:12])

    def reload(self, *, asked: bool, changed: Sequence[Path] | None = None) -> None:
        """Load what changed and publish it; what is bad keeps its last good state, and the log says so.

        `changed` are the paths that changed since the last look, where they are known.
        """
        try:
            self.look_at_tokens(again=True)
            if asked:
                self._repository.forget_failures()
            reload = self._repository.reload(self._board.held, changed)
            with self._publishing:
                # documents take their time: tokens that were published meanwhile are newer than the reload's
                newer = {
                    realm: self._board.held.tokens.get(realm, tokens)
                    for realm, tokens in reload.snapshot.tokens.items()
                }
                clusters = self._board.held.clusters
                snapshot = self._repository.reload_tokens(
                    replace(reload.snapshot, tokens=newer, clusters=clusters)
                )
                self._documents_failed = bool(reload.problems)
                self._publish(snapshot, always=asked)
            self.report(reload)
        except Exception as error:
            self._documents_failed = True
            self._board.note_reload(failed=True)
            bug = f"{type(error).__name__} at {place_of(error)}"
            log.error("the reload failed unexpectedly (%s); the last good state stays", bug)

    def report(self, reload: Reload) -> None:
        """Log what a load came to, unless it was said already."""
        self.problems = reload.problems
        self._documents_failed = bool(reload.problems)
        found = frozenset(problem.message for problem in (*reload.problems, *reload.findings))
        if found and found != self._logged:
            if reload.problems:
                log.error("reload: problems; at the last good state: %s", some(reload.kept, 50) or "nothing")
            if not_loaded := [*_not_loaded(reload.snapshot)]:
                log.error("not loaded, so that reads are answered 503: %s", some(not_loaded, 50))
            for problem in reload.problems:
                log.error("  %s", _said(problem))
            for finding in reload.findings:
                log.warning("  %s", _said(finding))
        elif self._logged and not found:
            log.info("reload: all realms are good again")
        self._logged = found


def _not_loaded(snapshot: Snapshot) -> Iterator[str]:
    """The environments, and the keys of others, that are there and were not loaded."""
    yield from (place_name(*place) for place in sorted(snapshot.failed))
    for realm, name in sorted(snapshot.names()):
        environment = snapshot.environment(realm, name)
        if environment is not None:
            yield from (f"{place_name(realm, name)}/{key}" for key in sorted(environment.failed))


def _said(problem: ArcanError) -> str:
    return f"{problem.message} (hint: {problem.hint})" if problem.hint else problem.message


def _identity(path: Path) -> tuple[int, int]:
    """What tells one folder from another at the same path. Raises `OSError` where there is none."""
    status = path.stat()
    return status.st_dev, status.st_ino
