"""The workers of one server, as the main process sees them: forked, replaced when they die, stopped."""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass
from typing import Final

from arcan_gitops.errors import place_of
from arcan_gitops.server.gauges import Gauges, Row
from arcan_gitops.server.tls import Certificate
from arcan_gitops.server.worker import Worker

log = logging.getLogger("arcan.server")

_STOP_SECONDS: Final = 8.0  # for requests in flight
_STEP_SECONDS: Final = 0.02
_SOUND_SECONDS: Final = 60.0  # a worker that lived this long did not die of its start
_FIRST_BACK_OFF: Final = 0.5
_LONGEST_BACK_OFF: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    row: Row
    born: float  # by the monotonic clock


@dataclass(slots=True)
class _Slot:
    """The place of one worker; it is empty between a worker's death and the next."""

    process: _Process | None = None
    deaths: int = 0  # in a row, each soon after a start
    due: float = 0.0  # when the next one is started, by the monotonic clock


class Workers:
    """Used by the main thread alone: a child is reaped by nobody else."""

    def __init__(self, many: int, worker: Worker, certificate: Certificate, gauges: Gauges) -> None:
        self._worker = worker
        self._certificate = certificate
        self._gauges = gauges
        self._slots = [_Slot() for _ in range(many)]

    def look(self) -> None:
        """Take note of the workers that died, and start those that are due."""
        now = time.monotonic()
        for number, slot in enumerate(self._slots, 1):
            process = slot.process
            if process is not None and (status := _ended(process.pid)) is not None:
                self._note_death(number, slot, status, now)
            if slot.process is None and now >= slot.due:
                slot.process = self._fork()

    def _note_death(self, number: int, slot: _Slot, status: int, now: float) -> None:
        assert slot.process is not None
        lived = now - slot.process.born
        slot.deaths = 1 if lived >= _SOUND_SECONDS else slot.deaths + 1
        delay = 0.0 if slot.deaths == 1 else min(_FIRST_BACK_OFF * 2 ** (slot.deaths - 2), _LONGEST_BACK_OFF)
        slot.due = now + delay
        how = f"signal {-status}" if status < 0 else f"status {status}"
        log.error("worker %d ended with %s; the next one starts in %g s", number, how, delay)
        slot.process.row.clear()
        slot.process = None

    def _fork(self) -> _Process:
        row = self._gauges.free()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return _Process(pid, row, time.monotonic())
        status = 1
        try:
            self._worker.run(self._certificate, row, parent)
            status = 0
        except BaseException as error:  # a worker never returns into the main process's code
            log.error("a worker failed: %s at %s", type(error).__name__, place_of(error))
        finally:
            os._exit(status)

    def stop(self) -> None:
        """End them all: requests in flight get a few seconds."""
        left = [slot.process.pid for slot in self._slots if slot.process is not None]
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        while left and time.monotonic() < end:
            left = [pid for pid in left if _ended(pid) is None]
            time.sleep(_STEP_SECONDS)
        for pid in left:
            log.warning("a worker has not ended after %g s, and is killed", _STOP_SECONDS)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _ended(pid: int) -> int | None:
    """The exit status of a child, minus the signal's number where one killed it; None while it lives."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None
