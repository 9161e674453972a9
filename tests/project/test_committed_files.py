"""What no committed file may hold: it would tie the project to one machine or one registry."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# in pieces, so that this file does not hold them either
HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "proxy.golang" + ".org",
    "sum.golang" + ".org",
    "registry.npmjs" + ".org",
    "crates" + ".io",
]
HOMES = ["home", "Users", "root", "work"]
HOST = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)
MACHINE_PATH = re.compile(rf"(?<![\w.)}}/$-])/(?:{'|'.join(HOMES)})/\w")


def committed() -> Iterator[tuple[Path, str]]:
    """Every text file that is committed, or that would be: what Git knows and what it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes():
            yield path, path.read_text(errors="replace")


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in committed()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_committed_file_names_the_host_of_a_package_registry():
    assert places(HOST) == []


def test_no_committed_file_holds_a_path_of_somebodys_machine():
    assert places(MACHINE_PATH) == []


def test_the_patterns_find_what_they_are_for():
    assert HOST.search(f"--index-url https://{HOSTS[0]}/simple")
    assert MACHINE_PATH.search(f"python = /{HOMES[0]}/anna/.venv/bin/python")
    assert not MACHINE_PATH.search(f"$HOME/{HOMES[3]}/x and kustomize/{HOMES[0]}/base")
