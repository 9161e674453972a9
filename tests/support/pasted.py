"""A hint, done as somebody does it who pastes it into a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ARCAN = Path(sys.executable).parent


def pasted(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs in `folder`, with the `arcan` of these tests and this process's variables; nothing is typed."""
    environment = {**os.environ, "PATH": f"{_ARCAN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
