"""`make demo` and `make test` on a machine that lacks something: made if it can be, said if it cannot."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALL = ROOT / "scripts" / "install.py"
TOOLS = ROOT / "scripts" / "tools.py"


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """With nothing in the environment but what is given."""
    return subprocess.run(
        [str(word) for word in command], env=variables, cwd=ROOT, check=False, capture_output=True, text=True
    )


def program(folder: Path, name: str, script: str) -> None:
    """A stand-in for a program on PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def link(folder: Path, *names: str) -> None:
    """The real programs."""
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "path"
    folder.mkdir()
    return folder


def test_a_python_without_ensurepip_is_told_which_package_has_it(tmp_path: Path):
    """Debian and Ubuntu leave `ensurepip` out of their Python."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'ensurepip' else find(name, *rest)\n"
    )
    done = run(sys.executable, INSTALL, "--folder", tmp_path / "venv", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install python{}.{}-venv".format(*sys.version_info) in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_environment_is_made_once_and_anew_for_another_lock(tmp_path: Path):
    folder, lock = tmp_path / "venv", tmp_path / "some.lock"
    lock.write_text("# nothing\n")
    code = "import sys; from pathlib import Path; from install import Failed, make_venv\n"
    code += f"try: make_venv(Path({str(folder)!r}), Path({str(lock)!r}))\n"
    code += "except Failed as failed: sys.exit(str(failed))\n"
    make = (sys.executable, "-c", code)
    variables = {"PYTHONPATH": str(INSTALL.parent), "PIP_NO_INDEX": "1"}

    first = run(*make, **variables)
    assert first.returncode == 0, first.stderr
    assert "packages from some.lock" in first.stdout
    (folder / "mark").touch()
    assert run(*make, **variables).stdout == ""
    assert (folder / "mark").exists()

    lock.write_text(f"click==8.1.8 --hash=sha256:{'0' * 64}\n")
    failed = run(*make, **variables)
    assert failed.returncode == 1
    assert "the packages of some.lock could not be installed" in failed.stderr
    assert not (folder / "mark").exists()
    assert not (folder / ".lock-stamp").exists(), "the next run must try again"


def test_make_says_so_where_no_python_is_new_enough(path: Path):
    link(path, "sh", "make")
    program(path, "python3", "exit 1")  # as an older one answers when it is asked whether it is new enough
    done = run("make", "install", PATH=str(path))
    assert done.returncode != 0
    assert "no Python 3.11 or newer on PATH: make test PYTHON=" in done.stderr


def test_make_finds_a_newer_python_where_python3_is_too_old(path: Path):
    link(path, "sh", "make")
    program(path, "python3", "exit 1")
    program(path, "python3.13", '[ "$1" = -c ] || echo "installing with 3.13: $*"')
    assert run("make", "install", PATH=str(path)).stdout == "installing with 3.13: scripts/install.py\n"


def test_a_tool_on_path_is_taken_only_at_the_very_version(path: Path, tmp_path: Path):
    program(path, "kubeconform", "echo v0.7.0")
    program(path, "go", "echo 'go version go1.99.0 linux/amd64'; [ \"$1\" = version ]")
    command = (sys.executable, TOOLS, "--into", tmp_path / "tools", "kubeconform")
    done = run(*command, PATH=f"{path}:/bin")
    assert (done.returncode, done.stdout) == (0, "")

    program(path, "kubeconform", "echo v0.6.7")
    done = run(*command, PATH=f"{path}:/bin")
    assert done.returncode == 1
    assert "building github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0" in done.stdout
    assert "kubeconform: go install failed" in done.stderr


def test_a_tool_is_built_once_and_again_for_another_version(path: Path, tmp_path: Path):
    folder = tmp_path / "tools"
    program(
        path,
        "go",
        'case "$1" in version) echo "go version go1.99.0";; *) echo "#" > "$GOBIN/actionlint";; esac',
    )
    command = (sys.executable, TOOLS, "--into", folder, "actionlint")
    assert "building github.com/rhysd/actionlint" in run(*command, PATH=str(path)).stdout
    assert (folder / "bin" / "actionlint").exists()
    assert run(*command, PATH=str(path)).stdout == ""

    (folder / "actionlint.stamp").write_text("github.com/rhysd/actionlint/cmd/actionlint@v1.0.0")
    assert "building github.com/rhysd/actionlint" in run(*command, PATH=str(path)).stdout


def test_the_demo_goes_on_where_a_tool_cannot_be_built(path: Path, tmp_path: Path):
    program(path, "go", "echo 'go version go1.99.0'; [ \"$1\" = version ]")
    command = (sys.executable, TOOLS, "--into", tmp_path / "tools", "--if-possible", "kubeconform")
    done = run(*command, PATH=f"{path}:/bin")
    assert done.returncode == 0
    assert "kubeconform: go install failed" in done.stdout
    assert "going on without it" in done.stdout


def test_go_keeps_to_the_folder_of_the_project(path: Path, tmp_path: Path):
    folder = tmp_path / "tools"
    link(path, "env", "tr")
    program(
        path,
        "go",
        """[ "$1" = version ] && echo "go version go1.99.0" || { env | tr '\\n' ' ' >&2; exit 1; }""",
    )
    command = (sys.executable, TOOLS, "--into", folder, "kubeconform")
    shown = run(*command, PATH=str(path), GOOS="plan9", GOBIN="/nowhere").stderr
    for name in ("GOBIN", "GOCACHE", "GOMODCACHE", "GOPATH"):
        assert f"{name}={folder}" in shown
    assert "GOTOOLCHAIN=local" in shown
    assert "GOOS=" not in shown


def test_an_unknown_tool_is_wrong_usage():
    done = run(sys.executable, TOOLS, "kustomise", PATH=os.defpath)
    assert done.returncode == 2
    assert "no such tool: kustomise" in done.stderr
