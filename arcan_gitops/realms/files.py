"""Files and folders of realms, read with care: what they are and where they lead is looked at first."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError

MAX_FILE_BYTES: Final = 64 * 1024 * 1024  # a document's own limit is lower; this one keeps memory safe
_NO_LINK: Final = "put the file or folder itself there; the folder of all realms may be a link (--realms)"


class BadLayout(ArcanError):
    """A file or folder that has no place where it stands."""


class CannotRead(ArcanError):
    """A file or folder that cannot be read."""


def is_folder(path: Path) -> bool:
    """Whether it is a folder, or a link to one. Raises `CannotRead`."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read: {error.strerror}") from None


def refuse_escape(path: Path) -> None:
    """Raise `BadLayout` for a link out of the folder where it stands: it could show the readers of a file or
    a realm what another realm, or the machine, holds. `CannotRead` where it leads nowhere.
    """
    if not os.path.islink(path):
        return
    try:
        inside = path.resolve().is_relative_to(path.parent.resolve())
    except (OSError, RuntimeError):
        raise CannotRead(f"{path}: cannot be read: a link that leads nowhere") from None
    if not inside:
        raise BadLayout(f"{path}: is a link out of the folder '{path.parent.name}'", hint=_NO_LINK)


def read_file(path: Path | str) -> bytes:
    """The bytes of a regular file of at most `MAX_FILE_BYTES`. Raises `CannotRead`.

    Anything else (a FIFO, a device) could keep a server waiting for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:  # not fdopen(): for a folder it raises, and leaves the descriptor open
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise CannotRead(f"{path}: cannot be read: not a regular file")
            data = b""
            wanted = min(status.st_size, MAX_FILE_BYTES) + 1  # one more, and it is known that this is the end
            while len(data) <= MAX_FILE_BYTES and (more := os.read(descriptor, wanted)):
                data += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise CannotRead(f"{path}: has more than the {MAX_FILE_BYTES} bytes that are read of a file")
    return data


def digest(*parts: bytes) -> str:
    """SHA-256 over the parts, each by its own digest, so that no byte can move from one to the next."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def entries(folder: Path, *, hidden: bool = False) -> list[os.DirEntry[str]]:
    """What is in a folder, by the order of names; names that begin with a dot only with `hidden`. Raises
    `CannotRead`.
    """
    try:
        with os.scandir(folder) as found:
            shown = [entry for entry in found if hidden or not entry.name.startswith(".")]
        return sorted(shown, key=attrgetter("name"))
    except OSError as error:
        raise _not_listed(folder, error) from None


def any_entry(folder: Path, wanted: Callable[[str], bool]) -> bool:
    """Whether any name in a folder, hidden or not, is wanted; the others are not looked at. Raises
    `CannotRead`.
    """
    try:
        with os.scandir(folder) as found:
            return any(wanted(entry.name) for entry in found)
    except OSError as error:
        raise _not_listed(folder, error) from None


def _not_listed(folder: Path, error: OSError) -> CannotRead:
    return CannotRead(
        f"{folder}: cannot be read: {error.strerror}",
        hint="give the folder that holds the realms with --realms",
    )
