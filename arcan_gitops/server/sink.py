"""Descriptors that never make their writer wait, and the one that audit lines go to.

What an inherited descriptor is decides how: of a pipe or a terminal a description of our own is opened, so
that the inherited one, which others hold too, stays blocking (proc_pid_fd(5)); a socket takes MSG_DONTWAIT. A
regular file does not block.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError

STDOUT: Final = "-"
_LOOK_SECONDS: Final = 0.05
_OWN: Final = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class AuditFailed(ArcanError):
    """The line could not be written: the decision must not be answered."""


class Outlet:
    """A descriptor that was inherited, such as standard error, written to without waiting."""

    def __init__(self, descriptor: int) -> None:
        """Raises `OSError` where it is closed."""
        self._descriptor = descriptor
        self._socket: socket.socket | None = None
        self._shared = False
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISSOCK(kind):
            self._socket = socket.socket(fileno=os.dup(descriptor))
        elif not stat.S_ISREG(kind):
            try:
                self._descriptor = os.open(f"/proc/self/fd/{descriptor}", _OWN)
            except OSError:  # made by another user, as by sudo: what is left is the inherited description
                self._shared = True

    def send(self, data: bytes) -> int:
        """How many of the bytes were taken. Raises `BlockingIOError` where there is no room, or `OSError`."""
        if self._socket is not None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        if self._shared:
            try:
                return os.pwritev(self._descriptor, [data], -1, os.RWF_NOWAIT)
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise
            if not _has_room(self._descriptor, 0):
                raise BlockingIOError
        return os.write(self._descriptor, data)

    def wait(self, seconds: float) -> bool:
        """Whether there is room within that time."""
        return _has_room(self._descriptor, seconds)

    def follow_rotation(self) -> bool:
        """Never: an inherited descriptor has no path that a rotation could move."""
        return False


class LogFile:
    """A file by its path, opened for appending, and anew when a log rotation moved it away."""

    def __init__(self, path: str) -> None:
        """Raises `AuditFailed` where it cannot be opened."""
        self._path = path
        self._descriptor = self._open()
        self._look = time.monotonic() + _LOOK_SECONDS

    def _open(self) -> int:
        try:
            return os.open(Path(self._path), _OWN | os.O_APPEND | os.O_CREAT, 0o640)
        except OSError as error:
            raise AuditFailed(
                f"{self._path}: the audit log cannot be written: {error.strerror}",
                hint="give a file in a folder that exists and is writable with --audit-log, or '-'",
            ) from None

    def ends_torn(self) -> bool:
        """Whether it ends in the middle of a line, as one does that a full disk cut short."""
        try:
            with Path(self._path).open("rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or not file.seek(0, os.SEEK_END):
                    return False
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        except OSError:
            return False

    def follow_rotation(self) -> bool:
        """Open the path anew if it is another file now; whether it was. Raises `AuditFailed`, `OSError`.

        It is looked at 20 times a second at the most: lines of that time still go into the file of before.
        """
        now = time.monotonic()
        if now < self._look:
            return False
        self._look = now + _LOOK_SECONDS
        held = os.fstat(self._descriptor)
        try:
            named = os.stat(self._path)
        except OSError:
            named = None
        if named is not None and (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino):
            return False
        old, self._descriptor = self._descriptor, self._open()
        os.close(old)
        return True

    def send(self, data: bytes) -> int:
        """How many of the bytes were taken. Raises `BlockingIOError` where there is no room, or `OSError`."""
        return os.write(self._descriptor, data)

    def wait(self, seconds: float) -> bool:
        """Whether there is room within that time."""
        return _has_room(self._descriptor, seconds)


def open_sink(target: str) -> Outlet | LogFile:
    """A path, or standard output (`-`). Raises `AuditFailed`."""
    if target != STDOUT:
        return LogFile(target)
    if sys.stdout is None:
        raise AuditFailed("standard output is closed, and takes the audit log", hint="--audit-log FILE")
    return Outlet(1)


def _has_room(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(max(0.0, seconds) * 1000))
