"""What shows that a small file has changed: for files that are looked at several times a second."""

from __future__ import annotations

from pathlib import Path


def state_of(path: Path) -> tuple[int, ...] | None:
    """What changes with a file's content; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
