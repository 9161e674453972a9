"""What the benchmarks share: a command measured, the memory of processes, and progress on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Taken(NamedTuple):
    """What one run of a command took: wall clock from start to end, and its memory at the highest."""

    seconds: float
    mebibytes: float


def measure(command: Sequence[str | Path], folder: Path) -> Taken:
    """Run the command in the folder, its standard output thrown away.

    Raises `CalledProcessError`, with what it said on standard error, if it fails. What is said of its memory
    is never less than what this process has itself (Linux hands that on), so this one has to be small.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace")
            raise subprocess.CalledProcessError(process.returncode, list(command), stderr=said)
    return Taken(seconds, mebibytes(usage.ru_maxrss))


def mebibytes(maxrss: int) -> float:
    """`ru_maxrss` in MiB: macOS counts bytes, Linux KiB."""
    return maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20


def say(what: str) -> None:
    """Progress, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)
