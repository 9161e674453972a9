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
from arcan_gitops.server.audit_line import MAX_LINE_BYTES, Fields
from arcan_gitops.server.gauges import Field, Gauges, Row
from arcan_gitops.server.refusals import Refusals
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

    def write(self, request_id: str, fields: Fields) -> None:
        """Write one line: time, chain, sequence number, request id, then the fields that are not None.

        Raises `AuditFailed` if the whole line was not taken.
        """
        with self._lock:
            self._write(fields, request_id)

    def refuse(self, request_id: str, fields: Fields) -> None:
        """The same for a refusal of a caller without a valid token: of a second the first one is a line.

        Of those that are the same otherwise (address, status, code, reason) a count follows when the second
        is over. Raises `AuditFailed`.
        """
        with self._lock:
            try:
                self._write_counts()
            except AuditFailed:
                self._unrecorded += 1
                raise
            if self._failing or self._refusals.is_first(fields, self._clock()):
                self._write(fields, request_id)

    def tick(self) -> None:
        """Now and then: write the counts and the checkpoint that are due, and see whether a sink that failed
        has recovered.
        """
        with self._lock, suppress(AuditFailed):  # it is logged and told already
            self._write_counts()
            if self._failing:
                self._resume()
            self._write(None)

    def close(self) -> None:
        """At the end of a worker: write the counts of the running second too, and end the chain."""
        with self._lock, suppress(AuditFailed):
            self._due += self._refusals.ended(self._clock() + 1)
            self._write_counts()
            if self._chain.begun:
                self._write({"event": ENDED})

    def _write_counts(self) -> None:
        self._due += self._refusals.ended(self._clock())
        while self._due:
            self._write(self._due[0])
            self._due.pop(0)

    def _write(self, fields: Fields | None, request_id: str | None = None) -> None:
        """Write a line, or none but a checkpoint that is due; a decision that cannot be recorded, and so is
        not answered, is counted.
        """
        try:
            if self._failing:
                self._resume()
            self._put(fields, request_id)
        except AuditFailed as error:
            self._note(failing=True, reason=error.message)
            self._unrecorded += request_id is not None
            raise

    def _resume(self) -> None:
        if not self._sink.wait(0):  # a pipe with room for this short line alone has not recovered
            raise AuditFailed(_STALLED)
        self._put({"event": RESUMED, "unrecorded": self._unrecorded})
        self._unrecorded = 0
        self._note(failing=False)

    def _note(self, *, failing: bool, reason: str = "") -> None:
        if failing and not self._failing:
            log.error("%s; everything is answered 503 until it can", reason)
        elif self._failing and not failing:
            log.info("the audit log is written again")
        self._failing = failing
        if self._row is not None:
            self._row[Field.AUDIT_FAILING] = failing

    def _put(self, fields: Fields | None, request_id: str | None = None) -> None:
        now, chain = self._clock(), self._chain
        if not chain.current_from <= now < chain.current_until:
            for event in chain.upkeep():
                self._put_event(now, event)
        if fields is None:
            return
        if request_id is None:
            self._put_event(now, fields)
        else:
            self._append(chain.line(now, fields, request_id))
            chain.took()

    def _put_event(self, now: float, fields: Fields) -> None:
        chain = self._chain
        sealed = fields.get("event") in SEALED
        self._append(chain.sealed_line(now, fields) if sealed else chain.line(now, fields))
        chain.took()
        if sealed:
            chain.sealed(now)

    def _append(self, line: bytes) -> None:
        try:
            if isinstance(self._sink, LogFile) and self._sink.follow_rotation():
                self._torn[0] = 0
            if not self._torn[0]:
                self._send(line)
                return
            with self._alone():  # one process alone ends the torn line
                self._send(b"\n" + line if self._torn[0] else line)
                self._torn[0] = 0
        except OSError as error:  # from the write; the opening raises AuditFailed itself
            raise AuditFailed(f"the audit log cannot be written: {error.strerror}") from None

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
