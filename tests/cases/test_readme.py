"""Every row of README.md is about inputs that are there, and every input has a row and a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.cases import CASES

README = (CASES / "README.md").read_text()
FOLDERS = ("eso", "sops", "kustomize")
_START = re.compile(r"\b[a-z][0-9]{2}\b")


def rows() -> list[str]:
    """The first cell of each row, and the headings that are about one input."""
    cells = [line.split(" | ")[0].removeprefix("| ") for line in README.splitlines() if line.startswith("| ")]
    found = [cell for cell in cells if cell != "file"]
    return [*found, *re.findall(r"^## kustomize/(\S+)", README, re.M)]


def inputs() -> list[str]:
    """The files and folders, by what a row and a test call them: `k03` or `numbers.json`; not the answers."""
    names = [path.name for folder in FOLDERS for path in sorted((CASES / folder).iterdir())]
    names.remove("answers.json")
    return [_START.match(name)[0] if _START.match(name) else name for name in names]  # type: ignore[index]


def words_of_tests() -> set[str]:
    """The texts of the test modules but their docstrings."""
    found: set[str] = set()
    for path in sorted(CASES.glob("test_*.py")):
        if path == Path(__file__):
            continue
        tree = ast.parse(path.read_text())
        prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in prose]
        found |= {
            word for node in texts if isinstance(node.value, str) for word in re.split(r"[/\s,]", node.value)
        }
    return found


def has_test(name: str, words: set[str]) -> bool:
    return any(
        word and (name == word or name.startswith(f"{word}.") or name == f"{word}.sops.yaml")
        for word in words
    )


def test_every_input_is_used_by_a_test() -> None:
    words = words_of_tests()
    assert [name for name in inputs() if not has_test(name, words)] == []


def test_every_input_has_a_row() -> None:
    named = " ".join(rows())
    assert [name for name in inputs() if name not in named] == []


def test_every_row_names_inputs_that_are_there_or_an_input_of_its_own() -> None:
    there = set(inputs())
    for row in rows():
        starts = set(_START.findall(row))
        names = {name for name in there if name.partition(".")[0] in row}
        assert starts <= there, row
        assert starts or names or row.startswith("`{"), row
        if row.startswith("`{"):
            assert any("_unencrypted" in word for word in words_of_tests()), row


def test_an_input_that_no_test_uses_is_seen() -> None:
    assert not has_test("k03", {"k04", "k0", ""})
    assert has_test("k03", {"k03"})
    assert has_test("sops-yaml-users.yaml", {"sops-yaml-users"})
