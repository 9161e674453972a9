"""Changing a tokens file on disk: one process at a time, and never half."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from arcan_gitops.atomic import locked, replace_file
from arcan_gitops.errors import ArcanError

T = TypeVar("T")


def edit_file(path: Path, change: Callable[[bytes | None], tuple[bytes, T]]) -> T:
    """Replace a file by what `change` makes of its bytes (None if there is no file), under a lock.

    `change` gives the new bytes and a result, which is returned once they are on disk. Two edits of files
    in one folder wait for each other. Raises `CannotWrite`, or whatever `change` raises; then the file is
    as it was.
    """
    with locked(path.parent):
        try:
            data: bytes | None = path.read_bytes()
        except FileNotFoundError:
            data = None
        except OSError as error:
            raise ArcanError(f"{path}: cannot be read: {error.strerror}") from None
        new, result = change(data)
        replace_file(path, new)
        return result
