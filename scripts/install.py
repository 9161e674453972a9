"""Make a virtual environment from a lock file, or leave it as it is when it is up to date.

    python3 scripts/install.py [--folder .venv] [--lock requirements-dev.lock]

Standard library only: this runs before anything is installed. Every package comes with a hash from the lock
file; this project is then linked in without its dependencies and without build isolation, so that nothing
is fetched that the lock does not name.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


class Failed(Exception):
    """The text says what is wrong and what to do about it."""


def say(line: str) -> None:
    """A line of progress, at once."""
    print(line, flush=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one process at a time may change what is in `folder`; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_venv(folder: Path, lock: Path) -> None:
    """A virtual environment of this Python in `folder`, with the packages of `lock` and no others.

    It is made anew when the lock, the Python version or the place has changed, or when an earlier run was
    interrupted. Raises `Failed`.
    """
    stamp = folder / ".lock-stamp"
    python = "{}.{}".format(*sys.version_info)
    wanted = f"{python} {folder.absolute()} {hashlib.sha256(lock.read_bytes()).hexdigest()}\n"
    if _text(stamp) == wanted and (folder / "bin" / "python").exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise Failed(
            f"{sys.executable} cannot make a virtual environment with pip in it\n"
            f"  Debian and Ubuntu keep that in a package of its own: apt-get install python{python}-venv"
        )
    say(f"{_shown(folder)}: a virtual environment of Python {python}, packages from {lock.name}")
    stamp.unlink(missing_ok=True)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], "the virtual environment was not made")
    # the wheels of this lock are all there is: nothing is resolved, nothing is taken from elsewhere
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    command = [*pip, "--require-hashes", "--no-deps", "--requirement", str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            words = line.split()
            if words[:1] == ["Collecting"]:
                say(f"  {words[1].replace('==', ' ')}")
    if process.returncode != 0:
        raise Failed(
            f"the packages of {lock.name} could not be installed\n"
            "  the Python package index must be in reach (PIP_INDEX_URL names another one)"
        )
    stamp.write_text(wanted)


def link_project(folder: Path) -> None:
    """This checkout as the `arcan_gitops` of the virtual environment in `folder`. Raises `Failed`."""
    stamp = folder / ".project-stamp"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest() + "\n"
    if _text(stamp) == wanted:
        return
    say(f"{_shown(folder)}: arcan, from this checkout")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    _run([*pip, *offline, "--editable", str(ROOT)], "this checkout could not be installed")
    stamp.write_text(wanted)


def _run(command: list[str], problem: str) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        raise Failed(problem)


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".venv")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements-dev.lock")
    arguments = parser.parse_args()
    if sys.version_info < OLDEST:
        raise Failed(
            "Python {}.{} or newer is needed, and {} is {}.{}\n".format(
                *OLDEST, sys.executable, *sys.version_info
            )
            + "  name another one: make test PYTHON=python3.12"
        )
    with alone(ROOT / ".tools"):
        make_venv(arguments.folder, arguments.lock)
        link_project(arguments.folder)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"install: {failed}")
