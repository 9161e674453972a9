"""The certificate while the server runs: read anew when its files change, renewed when it is our own.

A pair that cannot be served changes nothing: the last good one stays, and the log and the metrics say so.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.server.tls import Certificate

log = logging.getLogger("arcan.server")

_LOOK_SECONDS: Final = 1.0
_RENEW_SECONDS: Final = 3600.0  # how often the own certificate is looked at for its age
_REMIND_SECONDS: Final = 86400.0
SOON: Final = timedelta(days=30)
_VERY_SOON: Final = timedelta(days=7)

_State = tuple[tuple[int, int, int, int] | None, ...]


class Renewal:
    """Used by the main thread: `look` is called often and looks seldom."""

    def __init__(
        self, certificate: Certificate, files: Sequence[Path], load: Callable[[], Certificate]
    ) -> None:
        """`load` reads and checks the pair, and renews it if it is our own; it raises `ArcanError`."""
        self.current = certificate
        self.failed = False
        self._files = files
        self._load = load
        self._seen = self._states()
        self._looked = self._loaded = time.monotonic()
        self._reminded = -_REMIND_SECONDS
        self._complaint = ""

    def look(self) -> bool:
        """Whether `current` is another certificate than before."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return False
        self._looked = now
        self.remind()
        states = self._states()
        if states == self._seen and not self.failed and now - self._loaded < _RENEW_SECONDS:
            return False
        self._seen, self._loaded = states, now
        return self._reload()

    def _reload(self) -> bool:
        try:
            certificate = self._load()
        except ArcanError as error:
            if error.message != self._complaint:  # also tried again each time: a pair is two files
                log.error("the certificate is not replaced: %s", error.message)
            self._complaint, self.failed = error.message, True
            return False
        self._complaint, self.failed = "", False
        if certificate == self.current:
            return False
        self.current = certificate
        self._reminded = -_REMIND_SECONDS
        log.info("a new certificate, which expires on %s", certificate.expires.date().isoformat())
        return True

    def remind(self) -> None:
        """Once a day, from 30 days before the end; as a warning in the last 7."""
        left = self.current.expires - datetime.now(UTC)
        if left > SOON or time.monotonic() - self._reminded < _REMIND_SECONDS:
            return
        self._reminded = time.monotonic()
        level = logging.INFO if left > _VERY_SOON else logging.WARNING
        day = self.current.expires.date().isoformat()
        if left > timedelta():
            log.log(level, "the certificate ends in %d days, on %s: renew it", left.days, day)
        else:
            log.error("the certificate ended on %s: no client trusts this server", day)

    def _states(self) -> _State:
        return tuple(map(_state, self._files))


def _state(path: Path) -> tuple[int, int, int, int] | None:
    """What changes when a file is replaced or written; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
