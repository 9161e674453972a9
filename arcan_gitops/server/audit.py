"""The audit log: a JSON line for each decision, written before the answer goes out, chained to the last one.

Written by the thread of the request itself, on a descriptor that never blocks. A sink that takes nothing, or
fails, makes answers impossible and is known to `/readyz` and the metrics, until it takes lines again. The
fields are described in docs/audit-log.md.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from arcan_gitops.audit.chain import Head
from arcan_gitops.audit.fields import ENDED, RESUMED, SEALED
from arcan_gitops.audit.key import AuditKey
from arcan_gitops.server.audit_chain import Chain
from arcan_gitops.server.audit_line import MAX_LINE_BYTES, Fields, encoded
from arcan_gitops.server.gauges import Field, Gauges, Row
from arcan_gitops.server.refusals import Refusals, Source
from arcan_gitops.server.sink import AuditFailed, LogFile, open_sink

__all__ = ["MAX_LINE_BYTES", "AuditFailed", "AuditLog"]

log = logging.getLogger("arcan.server")

_WAIT_SECONDS: Final = 0.25  # for room, once; then the sink counts as stalled
_STALLED: Final = "the audit log takes no line: its reader has stalled"


class AuditLog:
    """Safe in threads, and in processes that share the sink; made before the workers are forked."""

    def __init__(
        self,
        target: str,
        clock: Callable[[], float] = time.time,
        key: AuditKey | None = None,
        before: Sequence[Head] = (),
    ) -> None:
        """`key` seals the chains, and `before` are the newest lines of those of the server before this one.

        Raises `AuditFailed` where the sink cannot be opened.
        """
        self._sink = open_sink(target)
        self._clock = clock
        self._lock = threading.Lock()
        self._instance = socket.gethostname()
        self._key = key
        self._before = tuple(before)
        self._chain = Chain(self._instance, key=key, before=before)
        self._refusals = Refusals()
        self._due: list[dict[str, str | int | None]] = []  # counts that are not written yet
        self._failing = False
        self._unrecorded = 0
        self._row: Row | None = None
        self._gauges: Gauges | None = None
        # One byte that all processes share: whether the sink ends in a torn line. The descriptor is a lock.
        self._torn = mmap.mmap(-1, mmap.PAGESIZE)
        self._torn_lock = os.memfd_create("arcan-audit-lock")
        self._torn[0] = isinstance(self._sink, LogFile) and self._sink.ends_torn()

    def enter_worker(self, row: Row, gauges: Gauges) -> None:
        """Count lines as this process's own from here on, and tell the others in `row` how the sink is."""
        before = (*self._before, *gauges.chains())
        self._chain = Chain(self._instance, os.getpid(), self._key, before, row.chain)
        self._lock = threading.Lock()
        self._row, self._gauges = row, gauges

    @property
    def key_id(self) -> str | None:
        """Which key seals its chains."""
        return None if self._key is None else self._key.id

    @property
    def failing(self) -> bool:
        """Whether the sink took no line when one was last written, here or in another worker."""
        if self._failing or self._gauges is None:
            return self._failing
        return any(row[Field.AUDIT_FAILING] for row in self._gauges.taken())

    def write(self, fields: str, least: str = "") -> None:
        """Write the line of a decision: time, chain, sequence number, then the fields, encoded.

        `least` are fields too, and are left out of a line that would be too long. Raises `AuditFailed` if the
        whole line was not taken: a decision that cannot be recorded, and so is not answered, is counted.
        """
        with self._lock:
            try:
                self._write(fields, least)
            except AuditFailed:
                self._unrecorded += 1
                raise

    def refuse(self, source: Source, fields: str, least: str = "") -> None:
        """The same for a refusal of a caller without a valid token: of a second the first one is a line.

        Of those that have one source (address, status, code, reason) a count follows when the second is over.
        """
        with self._lock:
            try:
                self._write_counts()
                if self._failing or self._refusals.is_first(source, self._clock()):
                    self._write(fields, least)
            except AuditFailed:
                self._unrecorded += 1
                raise

    def tick(self) -> None:
        """Now and then: write the counts and the checkpoint that are due, and see whether a sink that failed
        has recovered.
        """
        with self._lock, suppress(AuditFailed):  # it is logged and told already
            self._write_counts()
            self._ready()

    def close(self) -> None:
        """At the end of a worker: write the counts of the running second too, and end the chain."""
        with self._lock, suppress(AuditFailed):
            self._due += self._refusals.ended(self._clock() + 1)
            self._write_counts()
            if self._chain.begun:
                self._write_event(self._ready(), {"event": ENDED})

    def _write_counts(self) -> None:
        self._due += self._refusals.ended(self._clock())
        while self._due:
            self._write(encoded(self._due[0]))
            self._due.pop(0)

    def _write(self, fields: str, least: str = "") -> None:
        self._append(self._chain.line(self._ready(), fields, least))
        self._chain.took()

    def _write_event(self, now: float, fields: Fields) -> None:
        chain = self._chain
        sealed = fields.get("event") in SEALED
        self._append(chain.sealed_line(now, fields) if sealed else chain.line(now, encoded(fields)))
        chain.took()
        if sealed:
            chain.sealed(now)

    def _ready(self) -> float:
        """The time of the next line, once the sink takes lines and the checkpoint that is due is written."""
        if self._failing and not self._sink.wait(0):
            # a pipe with room for a short line alone has not recovered
            raise AuditFailed(_STALLED)
        now, chain = self._clock(), self._chain
        if not chain.current_from <= now < chain.current_until:
            for event in chain.upkeep():
                self._write_event(now, event)
        if self._failing:
            self._write_event(now, {"event": RESUMED, "unrecorded": self._unrecorded})
            self._unrecorded = 0
            self._note(failing=False)
        return now

    def _note(self, *, failing: bool, reason: str = "") -> None:
        if failing and not self._failing:
            log.error("%s; everything is answered 503 until it can", reason)
        elif self._failing and not failing:
            log.info("the audit log is written again")
        self._failing = failing
        if self._row is not None:
            self._row[Field.AUDIT_FAILING] = failing

    def _append(self, line: bytes) -> None:
        try:
            if self._sink.follow_rotation():
                self._torn[0] = 0
            if not self._torn[0]:
                self._send(line)
                return
            with self._alone():  # one process alone ends the torn line
                self._send(b"\n" + line if self._torn[0] else line)
                self._torn[0] = 0
        except (AuditFailed, OSError) as error:
            failed = error if isinstance(error, AuditFailed) else _cannot_write(error)
            self._note(failing=True, reason=failed.message)
            raise failed from None

    def _send(self, data: bytes) -> None:
        try:
            taken = self._sink.send(data)
        except BlockingIOError:
            taken = self._send_later(data)
        if taken != len(data):
            self._torn[0] = 1
            raise AuditFailed("the audit log took only a part of a line")

    def _send_later(self, data: bytes) -> int:
        end = time.monotonic() + (0 if self._failing else _WAIT_SECONDS)
        while (left := end - time.monotonic()) > 0 and self._sink.wait(left):
            with suppress(BlockingIOError):
                return self._sink.send(data)
        raise AuditFailed(_STALLED)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.lockf(self._torn_lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._torn_lock, fcntl.LOCK_UN)


def _cannot_write(error: OSError) -> AuditFailed:
    return AuditFailed(f"the audit log cannot be written: {error.strerror}")
