"""Files that are either the old one or the whole new one, whatever happens in between."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError

_SECONDS_FOR_LOCK: Final = 10.0


class CannotWrite(ArcanError):
    """A file could not be written; what was there before is still there."""


def replace_file(path: Path, data: bytes, *, mode: int | None = None, durable: bool = True) -> None:
    """Write `data` to `path` by temporary file, fsync and rename.

    Permissions are `mode`, or those of the file that is replaced, or 0644; its owner and group stay too
    where this user may give a file to them. Without `durable` it does not wait for the disk: who reads the
    file still finds the old one or the whole new one, and only a power cut can lose it. Raises `CannotWrite`.
    """
    old: os.stat_result | None = None
    with suppress(OSError):
        old = path.stat()
    if mode is None:
        mode = 0o644 if old is None else old.st_mode & 0o7777
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if old is not None:
                for uid, gid in (
                    (-1, old.st_gid),
                    (old.st_uid, -1),
                ):  # a user may do the one and not the other
                    with suppress(OSError):
                        os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise CannotWrite(
            f"{path}: cannot be written: {error.strerror}",
            hint="check that the folder exists, is writable and has space; the old file is untouched",
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    if not durable:
        return
    with suppress(OSError):  # the new file is in place; not every file system can sync a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which every edit of a file in it takes; waits ten seconds for who holds it.

    The folder itself is what is locked: no lock file is left behind, in Git or elsewhere. Raises
    `CannotWrite`.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be opened: {error.strerror}") from None
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Anybody who can read the folder can hold its lock, so waiting for it has an end."""
    end = time.monotonic() + _SECONDS_FOR_LOCK
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise CannotWrite(
                    f"{folder}: another program holds its lock; nothing was written",
                    hint=f"see who it is: lsof {folder}",
                ) from None
            time.sleep(0.05)
        except OSError as error:
            raise CannotWrite(f"{folder}: cannot be locked: {error.strerror}") from None
