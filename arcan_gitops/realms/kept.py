"""The last good documents on disk, as the ciphertext that they are: for a start beside a bad document.

Never values, never tokens. A kept document is opened, verified and judged like any other, by the realm's
present rules where these can be read. It stands for a document that is there and cannot be loaded, and for
nothing else: what was removed, or is not selected, is forgotten.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.atomic import replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName, RealmName
from arcan_gitops.realms.binding import Place, Unit, unit_name
from arcan_gitops.realms.files import read_file
from arcan_gitops.realms.layout import DOCUMENT_SUFFIX, REALM_FILE, is_key_file

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
    """A folder `<realm>/<environment>.sops.yaml`, or `<realm>/<environment>/<KEY>.sops.yaml`, of what was
    loaded last, with the realm's `realm.yaml`.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._failing = False
        self._retained: tuple[Set[object], ...] = ()
        self._touched = float("-inf")

    def keep(self, fresh: Mapping[Unit, Fresh]) -> None:
        """Keep what was just loaded. A disk that takes no more is told of once, and costs nothing else."""
        try:
            for place, each in {unit[:2]: each for unit, each in fresh.items()}.items():
                self._keep_rules(place, each)
            for unit, each in fresh.items():
                path = self._path(unit)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                if unit[2] is None or not _holds(path, each.data):
                    # of thousands of key files each is not waited for: a power cut may lose some
                    replace_file(path, each.data, mode=0o600, durable=unit[2] is None)
                now = self._clock()
                os.utime(path, (now, now))
            self._failing = False
        except (OSError, ArcanError) as error:
            if not self._failing:
                reason = getattr(error, "message", None) or getattr(error, "strerror", "")
                log.warning("the last good documents are not kept for the next start: %s", reason)
            self._failing = True

    def _keep_rules(self, place: Place, fresh: Fresh) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._rules(place).parent.mkdir(mode=0o700, exist_ok=True)
        if fresh.recorded:
            self._recorded(place).touch(0o600)
        else:
            self._recorded(place).unlink(missing_ok=True)
        replace_file(self._rules(place), fresh.rules, mode=0o600, durable=False)

    def touch(self, units: Iterable[Unit]) -> None:
        """They still are what the files hold. It is written down once in a minute at the most."""
        now = self._clock()
        if 0 <= now - self._touched < _TOUCH_SECONDS:
            return
        self._touched = now
        for unit in units:
            with suppress(OSError):
                path = self._where(unit)
                if not 0 <= now - os.stat(path).st_mtime < _TOUCH_SECONDS:
                    os.utime(path, (now, now))

    def find(self, unit: Unit) -> Kept | None:
        """What was kept of a document."""
        path, place = self._path(unit), unit[:2]
        try:
            good = os.stat(path).st_mtime
            return Kept(read_file(path), read_file(self._rules(place)), self.recorded(place), good)
        except (OSError, ArcanError):
            return None

    def keys(self, place: Place) -> tuple[KeyName, ...]:
        """The keys of a place that were kept in files of their own."""
        folder = self._folder / place[0] / place[1]
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if is_key_file(entry.name))
        except OSError:
            return ()
        return tuple(KeyName(name.removesuffix(DOCUMENT_SUFFIX)) for name in names)

    def recorded(self, place: Place) -> bool:
        """Whether the realm recorded removals when something of a place was kept last."""
        return self._recorded(place).exists()

    def retain(self, units: Set[Unit], places: Set[Place], realms: Set[RealmName]) -> None:
        """Forget all that is neither one of the documents, nor of one of the places or realms."""
        if self._retained == (units, places, realms):
            return
        beside = {path(unit[:2]) for unit in units for path in (self._rules, self._recorded)}
        names = {*map(self._where, units), *map(str, beside)}
        for folder, folders, files in os.walk(self._folder, topdown=False):
            realm, *environment = Path(folder).relative_to(self._folder).parts or [""]
            if realm in ("", *realms):
                continue
            for file in files:
                path = os.path.join(folder, file)
                place = environment[0] if environment else file.split(".")[0]
                if path not in names and (realm, place) not in places:
                    with suppress(OSError):
                        os.unlink(path)
            if environment and not folders:
                with suppress(OSError):  # it is not empty
                    os.rmdir(folder)
        self._retained = (units, places, realms)

    def _path(self, unit: Unit) -> Path:
        return Path(self._where(unit))

    def _where(self, unit: Unit) -> str:
        return f"{self._folder}/{unit_name(unit)}{DOCUMENT_SUFFIX}"

    def _recorded(self, place: Place) -> Path:
        return self._folder / place[0] / f"{place[1]}.recorded"

    def _rules(self, place: Place) -> Path:
        return self._folder / place[0] / f"{place[1]}.{REALM_FILE}"


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_file(path) == data
    except ArcanError:
        return False
