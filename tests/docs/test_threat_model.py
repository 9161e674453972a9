"""Each claim of the threat model names tests, and they exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_claim_is_proved_by_a_test_that_exists() -> None:
    rows = re.findall(
        r"^\| (?!claim|-)(.*?) \| (.*) \|$", (ROOT / "docs" / "threat-model.md").read_text(), re.M
    )
    assert len(rows) >= 10
    for claim, proofs in rows:
        named = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", proofs)
        assert named, claim
        for path, test in named:
            functions = {
                node.name
                for node in ast.walk(ast.parse((ROOT / path).read_text()))
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            }
            assert functions
            assert not test or test in functions, f"{path}::{test}"
