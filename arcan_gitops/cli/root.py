"""The root of the repository, so that a command works from every folder below it.

A root is a folder that has one of: `kustomize/arcan.yaml`; `realms/` with `.sops.yaml` beside it; a document
`realms/*/*.sops.yaml`. The nearest one at or above the current folder counts. The search ends at the top of
the Git repository, and at a folder of another owner: nobody else's files, in /tmp say, become ours. Without a
root, the current folder is taken. Folders that are given as options stay relative to the current folder.
"""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Final

REALMS: Final = "realms"
KUSTOMIZE: Final = "kustomize"
CLUSTERS: Final = "clusters"


def at_root(name: str) -> Path:
    """The path of a file or folder of the repository, relative to the current folder: `../../realms`."""
    return Path(*[os.pardir] * _levels_up(), name)


def _levels_up() -> int:
    """How far the root is above the current folder: 0 where it is that folder, or where there is none."""
    try:
        here = Path.cwd()
        owner = here.stat().st_uid
        for levels, folder in enumerate((here, *here.parents)):
            if folder.stat().st_uid != owner:
                break
            if _is_root(folder):
                return levels
            if os.path.lexists(folder / ".git"):
                break
    except OSError:  # a current folder that was removed, or one above it that may not be looked at
        pass
    return 0


def _is_root(folder: Path) -> bool:
    realms = folder / REALMS
    return (
        os.path.isfile(folder / KUSTOMIZE / "arcan.yaml")
        or (os.path.isfile(folder / ".sops.yaml") and os.path.isdir(realms))
        or any(glob.iglob(f"{glob.escape(str(realms))}/*/*.sops.yaml"))  # the first one is enough
    )
