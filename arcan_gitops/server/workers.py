"""The workers of one server, as the main process sees them: forked, replaced, stopped."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Final

from arcan_gitops.errors import place_of
from arcan_gitops.server.gauges import Field, Gauges, Row
from arcan_gitops.server.signals import RETIRE
from arcan_gitops.server.tls import Certificate
from arcan_gitops.server.worker import Worker

log = logging.getLogger("arcan.server")

_STOP_SECONDS: Final = 8.0  # for requests in flight
_STEP_SECONDS: Final = 0.02
_SOUND_SECONDS: Final = 60.0  # a worker that lived this long did not die of its start
_FIRST_BACK_OFF: Final = 0.5
_LONGEST_BACK_OFF: Final = 30.0
# A worker that is replaced keeps its connections this long: an idle one is closed after 10 s.
_LEAVE_SECONDS: Final = 12.0
_SHORT_LOOKS: Final = 20  # in a row, without a free descriptor: what should mend that is not working
_LOOK_SECONDS: Final = 0.5
_FIRST_REPLACEMENT: Final = 60.0  # between two replacements for want of descriptors; doubled each time
_LONGEST_REPLACEMENT: Final = 3600.0
_START_SECONDS: Final = 10.0  # until a worker that replaces another must serve


@dataclass(slots=True)
class _Process:
    pid: int
    row: Row
    born: float  # all times by the monotonic clock
    retired: float | None = None
    stopped: float | None = None


@dataclass(slots=True)
class _Slot:
    """The place of one worker; it is empty between a worker's death and the next."""

    process: _Process | None = None
    successor: _Process | None = None  # until it serves
    leaving: list[_Process] = field(default_factory=list)
    outdated: bool = False  # its process serves an old certificate
    deaths: int = 0  # in a row, each soon after a start
    due: float = 0.0  # when the next one is started
    short: int = 0  # looks in a row at which its process had no descriptor left


class Workers:
    """Used by the main thread alone: a child is reaped by nobody else."""

    def __init__(self, many: int, worker: Worker, certificate: Certificate, gauges: Gauges) -> None:
        self._worker = worker
        self._certificate = certificate
        self._gauges = gauges
        self._slots = [_Slot() for _ in range(many)]
        self._served = time.monotonic()  # when there was a worker last
        self._looked = 0.0
        self._replace_after, self._pause = 0.0, _FIRST_REPLACEMENT

    @property
    def serving(self) -> int:
        """How many there are that answer."""
        processes = [slot.process for slot in self._slots]
        return sum(process is not None and bool(process.row[Field.SERVING]) for process in processes)

    def none_for(self, seconds: float) -> bool:
        """Whether no worker has answered for that long."""
        return not self.serving and time.monotonic() - self._served > seconds

    def serve_with(self, certificate: Certificate) -> None:
        """Replace each worker by one with this certificate, which Granian takes at a start alone.

        No request fails: the new one serves before the old one takes no more connections, and that one ends
        when those that it has are closed.
        """
        self._certificate = certificate
        for slot in self._slots:
            slot.outdated = True

    def look(self) -> None:
        """Take note of the workers that died or came up, and start those that are due."""
        now = time.monotonic()
        for number, slot in enumerate(self._slots, 1):
            self._bury(number, slot, now)
            if slot.process is None and now >= slot.due:
                slot.process, slot.outdated = self._fork(), False
            elif slot.outdated and slot.successor is None and not slot.leaving and now >= slot.due:
                slot.successor, slot.outdated = self._fork(), False
            self._hand_over(slot, now)
            for process in slot.leaving:
                _see_off(process, now)
        if self.serving:
            self._served = now
        if now - self._looked >= _LOOK_SECONDS:  # looks are counted, so that a machine that slept is no fault
            self._looked = now
            self._find_short(now)

    def _find_short(self, now: float) -> None:
        """A worker mends a want of descriptors itself; one that does not is replaced, seldom."""
        for number, slot in enumerate(self._slots, 1):
            process = slot.process
            if process is None or _free_descriptors(process.pid) > 2:
                slot.short = 0
                continue
            slot.short += 1
            if slot.short >= _SHORT_LOOKS and now >= self._replace_after:
                log.error("worker %d has no descriptor left, and is replaced", number)
                slot.short, slot.outdated = 0, True
                self._replace_after, self._pause = (
                    now + self._pause,
                    min(2 * self._pause, _LONGEST_REPLACEMENT),
                )

    def _bury(self, number: int, slot: _Slot, now: float) -> None:
        process, successor = slot.process, slot.successor
        if process is not None and (status := _ended(process.pid)) is not None:
            process.row.clear()
            self._note_death(number, slot, process, status, now)
            slot.process, slot.successor = successor, None
        if (
            successor is not None
            and slot.successor is successor
            and (status := _ended(successor.pid)) is not None
        ):
            successor.row.clear()
            self._note_death(number, slot, successor, status, now)
            slot.successor, slot.outdated = None, True
        for process in [process for process in slot.leaving if _ended(process.pid) is not None]:
            process.row.clear()
            slot.leaving.remove(process)

    def _note_death(self, number: int, slot: _Slot, process: _Process, status: int, now: float) -> None:
        slot.deaths = 1 if now - process.born >= _SOUND_SECONDS else slot.deaths + 1
        delay = 0.0 if slot.deaths == 1 else min(_FIRST_BACK_OFF * 2 ** (slot.deaths - 2), _LONGEST_BACK_OFF)
        slot.due = now + delay
        process.row.clear()
        how = f"signal {-status}" if status < 0 else f"status {status}"
        log.error("worker %d ended with %s; the next one starts in %g s", number, how, delay)

    def _hand_over(self, slot: _Slot, now: float) -> None:
        successor = slot.successor
        if successor is None:
            return
        if successor.row[Field.SERVING]:
            if slot.process is not None:
                os.kill(slot.process.pid, RETIRE)
                slot.process.retired = now
                slot.leaving.append(slot.process)
            slot.process, slot.successor = successor, None
        elif now - successor.born > _START_SECONDS:
            os.kill(successor.pid, signal.SIGKILL)  # it is buried by the next look

    def _fork(self) -> _Process:
        row = self._gauges.free()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            row[Field.PID] = pid
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
        left = [
            process.pid
            for slot in self._slots
            for process in (slot.process, slot.successor, *slot.leaving)
            if process is not None
        ]
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


def _see_off(process: _Process, now: float) -> None:
    """A worker that was replaced: asked to end when its connections are gone, or have had their time."""
    assert process.retired is not None
    left = now - process.retired
    if process.stopped is None and (
        left >= _LEAVE_SECONDS or (left >= 1 and not process.row[Field.CONNECTIONS])
    ):
        os.kill(process.pid, signal.SIGTERM)
        process.stopped = now
    elif process.stopped is not None and now - process.stopped >= _STOP_SECONDS:
        os.kill(process.pid, signal.SIGKILL)


def _free_descriptors(pid: int) -> int:
    try:
        used = os.stat(f"/proc/{pid}/fd").st_size or len(os.listdir(f"/proc/{pid}/fd"))
        return resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] - used
    except OSError:  # it has ended
        return sys.maxsize


def _ended(pid: int) -> int | None:
    """The exit status of a child, minus the signal's number where one killed it; None while it lives."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None
