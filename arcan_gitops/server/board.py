"""What the main process tells its workers, in memory that they share: the current snapshot, and flags.

The main process alone writes. A worker looks at the generation before each request, and when it has moved
it takes over what has changed; a request that is under way keeps the snapshot it began with. Each publication
is a record behind the one before, of what is other in it. When the records have become long, the file begins
anew with one record of all there is. It is a memfd: anonymous memory, gone with the processes, with no name
in any file system.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from arcan_gitops.access import Account, Caller, Revocations, parse_revocations
from arcan_gitops.realms import Snapshot
from arcan_gitops.realms.transfer import dump, restore
from arcan_gitops.server import status_socket

# Generation (odd while writing), how often the file began anew, its length, and a digest that chains its
# records: SHA-256 over the one before and the record.
_HEADER: Final = struct.Struct("<QQQ32s")
_RELOAD_FAILED: Final = _HEADER.size
_DRAINING: Final = _HEADER.size + 1
_LENGTH: Final = struct.Struct("<Q")  # before each record
_END: Final = b"\0"  # of the entries that are revoked; then comes the snapshot
_GENERATION: Final = struct.Struct("<Q")
_SHORT: Final = 1024 * 1024  # records that have become no longer than this, or than all there is, go on


@dataclass(frozen=True, slots=True)
class _At:
    """What one process has read, or written, of the file; replaced as one, for a fork may come between."""

    snapshot: Snapshot
    revocations: Revocations
    generation: int = 0
    times: int = 0  # that the file began anew
    end: int = 0
    chain: bytes = bytes(32)


class Board:
    """Made before the workers are forked, with the snapshot that they start from."""

    def __init__(self, snapshot: Snapshot, status_address: str = "") -> None:
        """`status_address` is where the main process says how the server is."""
        self._status_address = status_address
        self.served_since = time.time()  # in the main process alone
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)
        self._payload = os.memfd_create("arcan-snapshot")
        self._lock = threading.Lock()
        self._at = _At(snapshot, Revocations())
        self._first = 0  # length of the record of all there is, which the file begins with, if it does
        self._torn = False  # a record may be half written

    # The main process's side

    def publish(
        self, snapshot: Snapshot, *, reload_failed: bool, revocations: Revocations | None = None
    ) -> None:
        """Make `snapshot` the one that every request from now on is answered from.

        `revocations` take the place of those before; None keeps them.
        """
        at = self._at
        revoked = at.revocations if revocations is None else revocations
        self._shared[_RELOAD_FAILED] = reload_failed
        header = "\n".join(revoked.entries()).encode() + _END
        record = header + dump(snapshot, at.snapshot)
        times, start, chain, first = at.times, at.end, at.chain, self._first
        if self._torn or at.end - first + len(record) > max(_SHORT, first):
            record = header + dump(snapshot)
            times, start, chain, first = times + 1, 0, bytes(32), len(record)
        writing = at.generation + 1  # not from the header: after a write that failed, that is odd
        self._torn = True
        self._write_header(writing, times, 0, bytes(32))
        self._write(_LENGTH.pack(len(record)) + record, start)
        self._torn = False
        snapshot.policy.remember(at.snapshot.policy)
        if snapshot.revision != at.snapshot.revision:
            self.served_since = time.time()
        chain = hashlib.sha256(chain + record).digest()
        end = start + _LENGTH.size + len(record)
        self._at, self._first = _At(snapshot, revoked, writing + 1, times, end, chain), first
        self._write_header(writing + 1, times, end, chain)

    def _write(self, data: bytes, start: int) -> None:
        os.ftruncate(self._payload, start)  # what was there before is gone
        view = memoryview(data)
        written = 0
        while written < len(data):
            written += os.pwrite(self._payload, view[written:], start + written)

    def hold(self, snapshot: Snapshot) -> None:
        """Have this process hold a snapshot that answers as the one that is published, and knows more of the
        files that it came from.
        """
        snapshot.policy.remember(self._at.snapshot.policy)
        self._at = replace(self._at, snapshot=snapshot)

    def note_reload(self, *, failed: bool) -> None:
        """Say how the last reload went, where it changed nothing."""
        self._shared[_RELOAD_FAILED] = failed

    def drain(self) -> None:
        """From now on `/readyz` says 503."""
        self._shared[_DRAINING] = True

    @property
    def held(self) -> Snapshot:
        """The snapshot that this process holds, without a look at whether there is a newer one."""
        return self._at.snapshot

    # A worker's side

    def enter_worker(self) -> None:
        """Called once in a worker, after the fork: locks that another thread held stay locked for ever."""
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        """The newest snapshot that is published."""
        if _GENERATION.unpack_from(self._shared, 0)[0] != self._at.generation:
            self._refresh()
        return self._at.snapshot

    def revoked(self, caller: Caller | Account) -> bool:
        """Whether the caller's token is refused by the list of revoked ones that came with `snapshot`."""
        return self._at.revocations.cover(caller)

    def status(self) -> dict[str, Any] | None:
        """What the main process says of the server; None where it does not."""
        return status_socket.ask(self._status_address) if self._status_address else None

    def draining(self) -> bool:
        """Whether `drain` was called."""
        return bool(self._shared[_DRAINING])

    def reload_failed(self) -> bool:
        """How the last reload went."""
        return bool(self._shared[_RELOAD_FAILED])

    def _write_header(self, generation: int, times: int, length: int, digest: bytes) -> None:
        _HEADER.pack_into(self._shared, 0, generation, times, length, digest)

    def _refresh(self) -> None:
        """Take over what was published since; while more is being written, stay with the last."""
        with self._lock:
            generation, times, end, digest = _HEADER.unpack_from(self._shared, 0)
            at = self._at
            if generation == at.generation or generation % 2:
                return
            start, chain = (at.end, at.chain) if times == at.times else (0, bytes(32))
            records = list(_records(_pread(self._payload, start, end)))
            for record in records:
                chain = hashlib.sha256(chain + record).digest()
            if chain != digest or not records:
                return  # overwritten while it was read: the next request sees the newer generation
            split = [record.partition(_END) for record in records]
            snapshot = restore(*(record for *_, record in split), before=at.snapshot)
            snapshot.policy.remember(at.snapshot.policy)
            revoked = parse_revocations(split[-1][0].decode(), "")[0]
            self._at = _At(snapshot, revoked, generation, times, end, chain)


def _records(data: bytes) -> Iterator[bytes]:
    start = 0
    while start + _LENGTH.size <= len(data):
        [length] = _LENGTH.unpack_from(data, start)
        start += _LENGTH.size
        yield data[start : start + length]
        start += length


def _pread(descriptor: int, start: int, end: int) -> bytes:
    parts: list[bytes] = []
    while start < end:
        part = os.pread(descriptor, end - start, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)
