"""The last good documents on disk, as the ciphertext that they are: for a start beside a bad document.

Never values, never tokens. A kept document is opened, verified and judged like any other, by the realm's
present rules where these can be read. It stands for a document that is there and cannot be loaded, and for
nothing else: what was removed, or is not selected, is forgotten.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.atomic import replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.realms.binding import Place
from arcan_gitops.realms.tree import DOCUMENT_SUFFIX, REALM_FILE, read_file

log = logging.getLogger("arcan.realms")

_TOUCH_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Fresh:
    """A document that was just loaded, the `realm.yaml` beside it, and whether its realm records removals."""

    data: bytes
    rules: bytes
    recorded: bool


@dataclass(frozen=True, slots=True)
class Kept(Fresh):
    """The same from the disk, with when it was last what the files held (Unix seconds)."""

    good: float


class KeptDocuments:
    """A folder `<realm>/<environment>.sops.yaml` of what was loaded last, with the realm's `realm.yaml`."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._failing = False

    def keep(self, place: Place, fresh: Fresh) -> None:
        """Keep what was just loaded. A disk that takes no more is told of once, and costs nothing else."""
        path = self._path(place)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if fresh.recorded:
                self._recorded(place).touch(0o600)
            else:
                self._recorded(place).unlink(missing_ok=True)
            replace_file(self._rules(place), fresh.rules, mode=0o600, durable=False)
            replace_file(path, fresh.data, mode=0o600)
            now = self._clock()
            os.utime(path, (now, now))
            self._failing = False
        except (OSError, ArcanError) as error:
            if not self._failing:
                reason = getattr(error, "message", None) or getattr(error, "strerror", "")
                log.warning("the last good documents are not kept for the next start: %s", reason)
            self._failing = True

    def touch(self, place: Place) -> None:
        """It still is what the files hold."""
        with suppress(OSError):
            path, now = self._path(place), self._clock()
            if not 0 <= now - path.stat().st_mtime < _TOUCH_SECONDS:
                os.utime(path, (now, now))

    def find(self, place: Place) -> Kept | None:
        """What was kept of a place."""
        path = self._path(place)
        try:
            good = path.stat().st_mtime
            recorded = self._recorded(place).exists()
            return Kept(read_file(path), read_file(self._rules(place)), recorded, good)
        except (OSError, ArcanError):
            return None

    def retain(self, places: Set[Place], realms: Set[RealmName]) -> None:
        """Forget all that is neither one of the places nor of one of the realms."""
        of_place = (self._path, self._rules, self._recorded)
        names = {path(place) for place in places for path in of_place}
        for path in self._folder.glob("*/*"):
            if path not in names and path.parent.name not in realms:
                with suppress(OSError):
                    path.unlink()

    def _path(self, place: Place) -> Path:
        return self._folder / place[0] / f"{place[1]}{DOCUMENT_SUFFIX}"

    def _recorded(self, place: Place) -> Path:
        return self._folder / place[0] / f"{place[1]}.recorded"

    def _rules(self, place: Place) -> Path:
        return self._folder / place[0] / f"{place[1]}.{REALM_FILE}"
