"""Reloads when the realm files change, on SIGHUP, and every minute in case a change went unseen."""

from __future__ import annotations

import logging
import math
import threading
import time
from pathlib import Path
from typing import Final

from watchfiles import watch

from arcan_gitops.errors import ArcanError, place_of
from arcan_gitops.realms import Repository
from arcan_gitops.server.board import Board

log = logging.getLogger("arcan.server")

_LOOK_SECONDS: Final = 60.0
_TICK_MILLISECONDS: Final = 250  # how soon SIGHUP and the end are noticed
_DEBOUNCE_MILLISECONDS: Final = 400  # a merge writes many files: read them when it is through


class Watcher:
    """One thread of the main process. It alone reloads, so that two reloads never overlap."""

    def __init__(self, root: Path, repository: Repository, board: Board) -> None:
        self._root = root
        self._repository = repository
        self._board = board
        self._asked = False
        self._unwatched = False
        self._stop = threading.Event()
        self._logged: frozenset[str] = frozenset()

    def start(self) -> None:
        """Start watching; the thread ends with the process."""
        threading.Thread(target=self._run, name="arcan-watch", daemon=True).start()

    def ask(self) -> None:
        """Reload now, even if nothing seems to have changed (SIGHUP)."""
        self._asked = True

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
                    asked, self._asked = self._asked, False
                    self.reload(asked=asked)

    def _watch(self) -> None:
        """Watch until the folder at the path is another one: a checkout was swapped by rename or symlink."""
        folder = _identity(self._root)
        looked = -math.inf  # what changed before the watch was in place is seen by a first look
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
            asked = self._asked
            if not changes and not asked and time.monotonic() - looked < _LOOK_SECONDS:
                continue
            self._asked = False
            looked = time.monotonic()
            self.reload(asked=asked)

    def reload(self, *, asked: bool) -> None:
        """Load what changed and publish it; a bad realm keeps its last good state, and the log says so."""
        try:
            last = self._repository.reload_tokens(self._board.held)
            if last.revision != self._board.held.revision:
                self._board.publish(last, reload_failed=self._board.reload_failed())
            reload = self._repository.reload(last)
            failed = bool(reload.problems)
            if asked or reload.snapshot.revision != last.revision:
                self._board.publish(reload.snapshot, reload_failed=failed)
                log.info("serving revision %s", reload.snapshot.revision[:12])
            else:
                self._board.note_reload(failed=failed)
            self._report(reload.problems, reload.kept)
        except Exception as error:
            self._board.note_reload(failed=True)
            bug = f"{type(error).__name__} at {place_of(error)}"
            log.error("the reload failed unexpectedly (%s); the last good state stays", bug)

    def _report(self, problems: tuple[ArcanError, ...], kept: tuple[str, ...]) -> None:
        found = frozenset(problem.message for problem in problems)
        if found and found != self._logged:
            log.error("reload: problems; at the last good state: %s", ", ".join(kept) or "nothing")
            for problem in problems:
                log.error("  %s%s", problem.message, f" (hint: {problem.hint})" if problem.hint else "")
        elif self._logged and not found:
            log.info("reload: all realms are good again")
        self._logged = found


def _identity(path: Path) -> tuple[int, int]:
    """What tells one folder from another at the same path. Raises `OSError` where there is none."""
    status = path.stat()
    return status.st_dev, status.st_ino
