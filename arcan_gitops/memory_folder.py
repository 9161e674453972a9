"""A private folder that no disk ever sees: where values in clear stand while an editor has them open.

Source: Linux proc(5) on mountinfo; tmpfs(5). (Its pages can be swapped out, as those of any program.)
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError

_MOUNTS: Final = Path("/proc/self/mountinfo")
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
# Waits until its standard input ends, which is when the process that holds the other end has gone.
_REMOVER: Final = 'trap \'\' HUP INT QUIT TERM; read -r _; exec "$1" -rf -- "$2"'


class NoMemoryFolder(ArcanError):
    """There is no memory file system to put values in clear on."""


@contextmanager
def memory_folder(candidates: Sequence[Path]) -> Iterator[Path]:
    """A new folder of mode 0700 on the first of the candidates that is on a memory file system.

    It is removed with all that is in it when the block ends, however it ends; where this process is killed, a
    process that waits for just that removes it. Raises `NoMemoryFolder`, and `ArcanError` if it stays.
    """
    folder = _make(candidates)
    try:
        with _removed_even_if_killed(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.lexists(folder):
            raise ArcanError(
                f"{folder}: cannot be removed, and may hold values in clear",
                hint=f"remove it: rm -rf {shlex.quote(str(folder))}",
            )


def _make(candidates: Sequence[Path]) -> Path:
    types = _types_by_device()
    for parent in candidates:
        with suppress(OSError):
            if types.get(parent.stat().st_dev) in _IN_MEMORY:
                return Path(tempfile.mkdtemp(prefix="arcan-", dir=parent))
    tried = ", ".join(map(str, candidates))
    raise NoMemoryFolder(
        f"no memory file system to edit on (tried: {tried}), and values in clear are not written to a disk",
        hint=None if sys.platform == "linux" else f"on {sys.platform} there is no such file system",
    )


def _types_by_device() -> dict[int, str]:
    """The types of the mounted file systems by device number; empty where the system is not Linux."""
    types: dict[int, str] = {}
    try:
        lines = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return types
    for line in lines:
        before, _, after = line.partition(" - ")
        major, _, minor = before.split()[2].partition(":")
        types[os.makedev(int(major), int(minor))] = after.split()[0]
    return types


@contextmanager
def _removed_even_if_killed(folder: Path) -> Iterator[None]:
    try:
        remover = subprocess.Popen(
            ["/bin/sh", "-c", _REMOVER, "sh", shutil.which("rm") or "/bin/rm", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,  # what the terminal sends to this process does not reach it
        )
    except OSError as error:
        raise NoMemoryFolder(f"/bin/sh cannot be started: {error.strerror}") from None
    try:
        yield
    finally:
        remover.communicate()
