"""Install the server into an empty folder, as the image has it: locked packages, then this project's wheel.

    python scripts/install_root.py /opt/arcan

The folder becomes a virtual environment of the Python that runs this, without pip in it. Every package comes
with a hash from a lock file; the wheel is built from this checkout with the build backend of
requirements-build.lock, and nothing else is resolved or fetched. pip compiles what it installs, which nobody
can do later: the root is read-only then. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the wheel is built from: in a copy, for the build backend leaves folders behind.
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "arcan_gitops")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
_LOCKED = ("install", "--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:", "--requirement")
_BUILT = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
_ALONE = ("install", "--quiet", "--no-deps", "--no-index")


def install(root: Path) -> None:
    """Make `root`, which must be empty or absent. Raises `CalledProcessError` where pip fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        backend, source = folder / "backend", folder / "source"
        _run(*_PIP, *_LOCKED, ROOT / "requirements-build.lock", "--target", backend)
        source.mkdir()
        for path in SOURCES:
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy
            copy(ROOT / path, source / path)
        _run(*_PIP, *_BUILT, folder, source, PYTHONPATH=str(backend))
        (wheel,) = folder.glob("*.whl")
        venv.create(root)
        into = (*_PIP, "--python", root / "bin" / "python")
        _run(*into, *_LOCKED, ROOT / "requirements.lock")
        _run(*into, *_ALONE, wheel)


def _run(*command: str | Path, **variables: str) -> None:
    subprocess.run([str(word) for word in command], check=True, env={**os.environ, **variables})


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", type=Path, metavar="FOLDER")
    root: Path = parser.parse_args().root.absolute()
    if root.exists() and any(root.iterdir()):
        print(f"install_root: {root}: is not empty", file=sys.stderr)
        return 1
    install(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
