"""What the main process tells its workers, in memory that they share: the current snapshot, and flags.

The main process alone writes. A worker looks at the generation before each request, and when it has moved
it takes the new snapshot over; a request that is under way keeps the one it began with. The snapshot is in
a memfd: anonymous memory, gone with the processes, with no name in any file system.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import threading
import time
from typing import Any, Final

from arcan_gitops.access import Account, Caller, Revocations, parse_revocations
from arcan_gitops.realms import Snapshot
from arcan_gitops.realms.transfer import dump, restore
from arcan_gitops.server import status_socket

_HEADER: Final = struct.Struct("<QQ32s")  # generation (odd while writing), length, SHA-256 of the payload
_RELOAD_FAILED: Final = _HEADER.size
_DRAINING: Final = _HEADER.size + 1
_END: Final = b"\0"  # of the entries that are revoked; then comes the snapshot
_GENERATION: Final = struct.Struct("<Q")


class Board:
    """Made before the workers are forked, with the snapshot that they start from."""

    def __init__(self, snapshot: Snapshot, status_address: str = "") -> None:
        """`status_address` is where the main process says how the server is."""
        self._status_address = status_address
        self.served_since = time.time()  # in the main process alone
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)
        self._payload = os.memfd_create("arcan-snapshot")
        self._lock = threading.Lock()
        self._snapshot = snapshot
        self._revocations = Revocations()
        self._generation = 0

    # The main process's side

    def publish(
        self, snapshot: Snapshot, *, reload_failed: bool, revocations: Revocations | None = None
    ) -> None:
        """Make `snapshot` the one that every request from now on is answered from.

        `revocations` take the place of those before; None keeps them.
        """
        revoked = self._revocations if revocations is None else revocations
        self._shared[_RELOAD_FAILED] = reload_failed
        payload = "\n".join(revoked.entries()).encode() + _END + dump(snapshot)
        writing = self._generation + 1  # not from the header: after a write that failed, that is odd
        self._write_header(writing, 0, bytes(32))
        os.ftruncate(self._payload, len(payload))
        view = memoryview(payload)
        written = 0
        while written < len(payload):
            written += os.pwrite(self._payload, view[written:], written)
        snapshot.policy.remember(self._snapshot.policy)
        if snapshot.revision != self._snapshot.revision:
            self.served_since = time.time()
        self._snapshot, self._revocations = snapshot, revoked
        self._generation = writing + 1
        self._write_header(writing + 1, len(payload), hashlib.sha256(payload).digest())

    def note_reload(self, *, failed: bool) -> None:
        """Say how the last reload went, where it changed nothing."""
        self._shared[_RELOAD_FAILED] = failed

    def drain(self) -> None:
        """From now on `/readyz` says 503."""
        self._shared[_DRAINING] = True

    @property
    def held(self) -> Snapshot:
        """The snapshot that this process holds, without a look at whether there is a newer one."""
        return self._snapshot

    # A worker's side

    def enter_worker(self) -> None:
        """Called once in a worker, after the fork: locks that another thread held stay locked for ever."""
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        """The newest snapshot that is published."""
        if _GENERATION.unpack_from(self._shared, 0)[0] != self._generation:
            self._refresh()
        return self._snapshot

    def revoked(self, caller: Caller | Account) -> bool:
        """Whether the caller's token is refused by the list of revoked ones that came with `snapshot`."""
        return self._revocations.cover(caller)

    def status(self) -> dict[str, Any] | None:
        """What the main process says of the server; None where it does not."""
        return status_socket.ask(self._status_address) if self._status_address else None

    def draining(self) -> bool:
        """Whether `drain` was called."""
        return bool(self._shared[_DRAINING])

    def reload_failed(self) -> bool:
        """How the last reload went."""
        return bool(self._shared[_RELOAD_FAILED])

    def _write_header(self, generation: int, length: int, digest: bytes) -> None:
        _HEADER.pack_into(self._shared, 0, generation, length, digest)

    def _refresh(self) -> None:
        """Take the published snapshot over; while one is being written, stay with the last."""
        with self._lock:
            generation, length, digest = _HEADER.unpack_from(self._shared, 0)
            if generation == self._generation or generation % 2:
                return
            payload = _pread(self._payload, length)
            if hashlib.sha256(payload).digest() != digest:
                return  # overwritten while it was read: the next request sees the newer generation
            revoked, _, snapshot = payload.partition(_END)
            self._revocations = parse_revocations(revoked.decode(), "")[0]
            restored = restore(snapshot)
            restored.policy.remember(self._snapshot.policy)
            self._snapshot = restored
            self._generation = generation


def _pread(descriptor: int, length: int) -> bytes:
    parts: list[bytes] = []
    offset = 0
    while offset < length:
        part = os.pread(descriptor, length - offset, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
    return b"".join(parts)
