"""Numbers that the processes of one server share: each worker writes a row of its own, everybody reads.

The rows are in anonymous memory, made before the first fork. A cell is one aligned 64-bit word with one
writer, so that it needs no lock.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from enum import IntEnum, auto
from typing import Final


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

    def __init__(self, words: memoryview[int]) -> None:
        self._words = words

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
        width = len(Field)
        self._memory = mmap.mmap(-1, many * width * _WORD)
        words = memoryview(self._memory).cast("Q")
        self._rows = [Row(words[start : start + width]) for start in range(0, many * width, width)]

    def free(self) -> Row:
        """A free row. Raises `IndexError` if there is none."""
        return next(iter([row for row in self._rows if not row[Field.PID]]))

    def taken(self) -> Iterator[Row]:
        """The rows of the workers that live."""
        return (row for row in self._rows if row[Field.PID])
