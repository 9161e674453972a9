"""Files that are either the old one or the whole new one, whatever happens in between."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from arcan_gitops.errors import ArcanError


class CannotWrite(ArcanError):
    """A file could not be written; what was there before is still there."""


def replace_file(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write `data` to `path` by temporary file, fsync and rename.

    Permissions are `mode`, or those of the file that is replaced, or 0644. Raises `CannotWrite`.
    """
    if mode is None:
        try:
            mode = path.stat().st_mode & 0o7777
        except OSError:
            mode = 0o644
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
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
    with suppress(OSError):  # the new file is in place; not every file system can sync a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
