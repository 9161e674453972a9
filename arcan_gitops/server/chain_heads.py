"""The newest line of each chain, where it outlives the process that wrote it.

In memory that all processes of a server share, for one that takes the place of a worker that was killed; in
the data directory, for the next server.
"""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.audit.chain import Head

log = logging.getLogger("arcan.server")

_SLOT: Final = struct.Struct("<Q16s64sQ")  # sequence, chain, hash, sequence again: whole if both agree
CELL_BYTES: Final = 2 * _SLOT.size
_MOST: Final = 1024


class Cell:
    """Where one process notes the head of its chain after each line; others read it, also when it is dead.

    Two slots take turns, so that a process which is killed while it writes one leaves the other.
    """

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory

    def note(self, chain: bytes, sequence: int, digest: bytes) -> None:
        """`chain` is 16 digits, `digest` 64."""
        _SLOT.pack_into(self._memory, _SLOT.size * (sequence & 1), sequence, chain, digest, sequence)

    def heads(self) -> list[Head]:
        """The newest line of each chain that is noted here: of one, or of two while one begins."""
        found: dict[str, Head] = {}
        cell = bytes(self._memory)
        while cell != bytes(self._memory):  # its process is writing
            cell = bytes(self._memory)
        for offset in (0, _SLOT.size):
            sequence, chain, digest, again = _SLOT.unpack_from(cell, offset)
            if sequence and sequence == again:
                head = Head(chain.decode(), sequence, digest.decode())
                found[head.chain] = max(found.get(head.chain, head), head, key=lambda one: one.sequence)
        return list(found.values())


def load_heads(path: Path) -> list[Head]:
    """What the server before this one left; nothing where there is no such file, or it is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return [Head(**record) for record in json.loads(path.read_bytes())][:_MOST]
    return []


def save_heads(path: Path, heads: Iterable[Head]) -> bool:
    """Whether they could be written."""
    records = [{"chain": head.chain, "sequence": head.sequence, "hash": head.hash} for head in heads]
    try:
        replace_file(path, json.dumps(records).encode() + b"\n", mode=0o600, durable=False)
    except CannotWrite:
        return False
    return True
