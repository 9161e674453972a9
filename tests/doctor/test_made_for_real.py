"""Each check has a story in which its fault is made for real, against the API server and the operator."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from arcan_gitops.doctor.checks import CHECKS

STORIES = sorted((Path(__file__).parents[1] / "e2e").glob("story_doctor*.py"))

# what the stories cannot make, and why
NOT_MADE: dict[str, str] = {}


def named_in(function: ast.FunctionDef) -> Iterator[str]:
    """Constants of a story, but for what may stand `beside` a finding."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.keyword) and node.arg == "beside":
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        waiting += ast.iter_child_nodes(node)


def asks_the_doctor(function: ast.FunctionDef) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    asked = {"names", "findings", "report"}
    return bool(asked & {call.attr for call in calls if isinstance(call, ast.Attribute)})


def made() -> set[str]:
    stories = [
        node
        for path in STORIES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and asks_the_doctor(node)
    ]
    assert len(stories) > 15
    return {word for story in stories for word in named_in(story)}


def test_every_check_has_a_story_or_a_reason() -> None:
    checks = {check.id for check in CHECKS}
    assert checks - made() == NOT_MADE.keys()
    assert all(NOT_MADE.values())
