"""Bounds on another system's answers: their time, their size, and the pages of a list.

The timeout of a client library holds for each wait for bytes, so a server that sends a byte a second never
exceeds it. Here the whole call is timed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn, TypeVar

from arcan_gitops.migrate.source import CannotImport

ANSWER_SECONDS = 60.0  # of one call, from its first byte to the last one of the answer
ANSWER_BYTES = 64 * 1024 * 1024  # of one answer
MOST_PAGES = 10_000  # of one list
MOST_FOLDERS_DEEP: Final = 64

_T = TypeVar("_T")


class _Late(BaseException):
    """Not an `Exception`: client libraries catch those, and try again."""


@contextmanager
def in_time(who: str) -> Iterator[None]:
    """Raise `CannotImport` where the block, a call to another system, does not end in `ANSWER_SECONDS`.

    By SIGALRM, and so in the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number: int, frame: FrameType | None) -> NoReturn:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    try:
        signal.setitimer(signal.ITIMER_REAL, ANSWER_SECONDS, 1)  # again, where a library swallowed the first
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Late:
        raise CannotImport(
            f"{who}: an answer is not complete after {ANSWER_SECONDS:g} seconds",
            hint="check the address, and what stands between; then run the command again",
        ) from None
    finally:
        signal.signal(signal.SIGALRM, before)


def bounded(chunks: Iterable[bytes], who: str) -> bytes:
    """The bytes of an answer. Raises `CannotImport` for more than `ANSWER_BYTES`."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > ANSWER_BYTES:
            raise CannotImport(
                f"{who}: an answer has more than {ANSWER_BYTES} bytes, and is not read further",
                hint="check the address: no list of secrets is that long",
            )
    return bytes(data)


def pages(found: Iterable[_T], who: str) -> Iterator[_T]:
    """The pages of a list. Raises `CannotImport` after `MOST_PAGES`."""
    for number, page in enumerate(found):
        if number >= MOST_PAGES:
            raise CannotImport(
                f"{who}: a list has more than {MOST_PAGES} pages, and is not read further",
                hint="take a part of it: a path or a namespace",
            )
        yield page
