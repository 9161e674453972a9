"""`pip install .`, without extras, gives the command with all that it needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def arcan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("install")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run(
        [folder / "venv" / "bin" / "pip", "install", "--quiet", "--constraint", "requirements.lock.txt", "."],
        cwd=_constraints(folder / "source"), check=True,
    )  # fmt: skip
    return folder / "venv" / "bin" / "arcan"


def _constraints(source: Path) -> Path:
    """The locked versions without their hashes, which pip would then demand of the project itself too."""
    lock = (source / "requirements.lock").read_text()
    lines = [line.split(" \\")[0] for line in lock.splitlines() if "==" in line and not line.startswith("#")]
    (source / "requirements.lock.txt").write_text("\n".join(lines))
    return source


def run(arcan: Path, *arguments: str, status: int = 0, data: bytes = b"") -> bytes:
    done = subprocess.run(
        [arcan, *arguments],
        input=data,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == status, done.stderr.decode()
    return done.stdout


def test_every_command_runs(arcan: Path) -> None:
    assert run(arcan, "--version").startswith(b"arcan ")
    run(arcan, "realm", "check")
    run(arcan, "token", "list")
    run(arcan, "generate", "overlays", "--check")
    assert b"no age identity" not in run(arcan, "serve", "--help")


def test_the_embedded_validator_and_its_schemas_are_there(arcan: Path) -> None:
    manifests = run(arcan, "generate", "eso", "--realm=production", "--env=prod")
    table = run(arcan, "validate", "--engine", "embedded", "--eso-version", "all", "-", data=manifests)
    assert b"4 manifests: 4 valid" in table
