"""`kustomize build` by the oldest version that what is generated is for, and by the newest."""

from __future__ import annotations

import subprocess
from pathlib import Path

OLDEST, NEWEST = "kustomize-oldest", "kustomize"


def run_kustomize(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """How one of them ends."""
    return subprocess.run([program, "build", str(folder)], capture_output=True, check=False, text=True)


def build(folder: Path) -> str:
    """What both versions make of a folder, which has to be the same."""
    built = {}
    for program in (OLDEST, NEWEST):
        done = run_kustomize(program, folder)
        assert done.returncode == 0, f"{program}: {folder}: {done.stderr[:1000]}"
        built[program] = done.stdout
    assert built[OLDEST] == built[NEWEST], folder
    return built[NEWEST]
