"""Whether files may have changed since they were read, by what the file system says of them.

A reload looks at each file's state and reads those that are new: what a file holds counts, and its state is
but the proof that nobody wrote to it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

# Device, inode, size, and the times of the last change of the content and of the inode, in nanoseconds. No
# program can set the last one, and the clock goes on: it shows every write, except one in the same tick.
FileState = tuple[int, int, int, int, int]
_SETTLED: Final = 2_000_000_000  # nanoseconds; no file system keeps times more coarsely than 2 s


def states_of(*paths: Path | str | None) -> tuple[FileState, ...] | None:
    """The states of files that are read after this; a path that is None has none.

    None where one cannot be looked at, or was written to so lately that the next write could leave its times
    as they are: such a file has to be read again.
    """
    states = []
    latest = time.time_ns() - _SETTLED
    try:
        for path in paths:
            if path is not None:
                found = os.stat(path)
                if max(found.st_mtime_ns, found.st_ctime_ns) > latest:
                    return None
                states.append(
                    (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
                )
    except OSError:
        return None
    return tuple(states)
