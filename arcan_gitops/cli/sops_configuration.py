"""What people expect to be read in the place of `.sops.yaml`, and is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from arcan_gitops.cli.output import warn
from arcan_gitops.realms.sops_config import CONFIG_FILE, ignored_files

_VARIABLE: Final = "SOPS_CONFIG"


def warn_of_ignored(realms: Path) -> None:
    """Name a `.sops.yml`, which sops ignores too, and SOPS_CONFIG, which only sops reads."""
    for path in ignored_files(realms):
        warn(f"{path}: is ignored, by sops too: the file must be called {CONFIG_FILE}")
    if os.environ.get(_VARIABLE):
        warn(
            f"{_VARIABLE} is ignored: the rules are in {CONFIG_FILE}, in the folder of the realms or the one "
            "above it, so that they are the same for everybody"
        )
