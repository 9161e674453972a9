"""Numbers that the processes of one server share: each worker writes a row of its own, everybody reads.

The rows are in anonymous memory, made before the first fork. A number is one aligned 64-bit word with one
writer, so that it needs no lock. Each row also has a place for the head of its worker's audit chain, which
stays when the worker is gone, until the next one has the row.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from enum import IntEnum, auto
from typing import Final

from arcan_gitops.audit.chain import Head
from arcan_gitops.server.chain_heads import CELL_BYTES, Cell


class Field(IntEnum):
    """The columns."""

    PID = 0  # of the worker that has the row; 0: nobody
    SERVING = auto()  # 1 once it takes connections
    ACCEPTING = auto()  # 1 unless it takes no new connections
    CONNECTIONS = auto()  # open ones
    CLOSED = auto()  # connections that were closed because it was tight, or because nobody read
    AUDIT_FAILING = auto()  # 1 while the audit log takes no lines from it


_WORD: Final = 8


class Row:
    """The numbers of one worker."""

    def __init__(self, number: int, words: memoryview[int], chain: Cell) -> None:
        self.number = number
        self._words = words
        self.chain = chain

    def __getitem__(self, field: Field) -> int:
        return self._words[field]

    def __setitem__(self, field: Field, value: int) -> None:
        self._words[field] = value

    def clear(self) -> None:
        """Free the row for another process."""
        for field in Field:
            self[field] = 0


class Gauges:
    """The rows of `many` workers at once."""

    def __init__(self, many: int) -> None:
        width, cells = len(Field), many * len(Field) * _WORD
        self._memory = mmap.mmap(-1, cells + many * CELL_BYTES)
        memory = memoryview(self._memory)
        words = memory[:cells].cast("Q")
        self._rows = [
            Row(
                number,
                words[number * width : (number + 1) * width],
                Cell(memory[cells + number * CELL_BYTES : cells + (number + 1) * CELL_BYTES]),
            )
            for number in range(many)
        ]

    def free(self) -> Row:
        """A free row. Raises `IndexError` if there is none."""
        return next(iter([row for row in self._rows if not row[Field.PID]]))

    def taken(self) -> Iterator[Row]:
        """The rows of the workers that live."""
        return (row for row in self._rows if row[Field.PID])

    def chains(self) -> list[Head]:
        """The newest line of each chain that a worker wrote, as far as its row has no newer one."""
        return [head for row in self._rows for head in row.chain.heads()]
