"""What the kernel is asked for: dying with the parent, open files, no core dumps."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
from typing import Final

log = logging.getLogger("arcan.server")

_PR_SET_PDEATHSIG: Final = 1
_OTHER_FILES: Final = 384  # what a process has open beside its connections, and what it keeps free


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)


def forbid_core_dumps() -> None:
    """A core file would hold every secret in clear."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def allow_open_files(connections: int) -> None:
    """Raise the soft limit of open files as far as `connections` need; say so where it does not reach."""
    wanted = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    if reachable < wanted:
        log.warning(
            "the limit of open files is %d, and %d connections need %d: raise it (ulimit -n), or lower "
            "--max-connections",
            reachable,
            connections,
            wanted,
        )
