"""Where the programs are that `make e2e` has built."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Programs:
    """Program -> path; and "crds", the folder of ESO's CustomResourceDefinitions."""

    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "scripts" / "e2e_programs.py"), "--paths"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        self._paths: dict[str, str] = json.loads(done.stdout)

    def __getitem__(self, name: str) -> Path:
        path = Path(self._paths[name])
        assert path.exists(), f"{path}: not built yet: run 'make e2e'"
        return path
