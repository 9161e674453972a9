"""Templates and JSONPaths of all kinds, whose results Go gave: scripts/go_vectors/make.py makes the file anew.

An error shows no value of a Secret where Go shows one: there `[redacted]` stands for it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.golang import jsonpath
from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.json import marshal, parse
from arcan_gitops.golang.template import parse as parse_template
from arcan_gitops.golang.template import render

MEASURED = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
BODY = parse(json.dumps(MEASURED["body"]).encode())
# Of about 900: what is left out (functions/__init__.py), and paths that depend on the order of a map.
MOST_NOT_SUPPORTED = 25


def ours(kind: str, text: str) -> dict[str, str]:
    try:
        if kind == "path":
            return {"gives": marshal(jsonpath.get(text, BODY)).decode()}
        name = "KEY" if kind == "target" else "webhooktemplate"
        template = parse_template(text, name=name)
        return {"gives": render(template, MEASURED[kind], missing_key_is_error=kind == "target")}
    except GoError as error:
        return {"gives": "", "error": str(error)}


def same(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    pattern = re.escape(mine.get("error", "")).replace(re.escape("[redacted]"), ".*")
    agrees = re.fullmatch(pattern, theirs.get("error", ""), re.DOTALL) is not None
    return agrees and mine["gives"] == theirs["gives"]


@pytest.mark.parametrize("kind", ["target", "store", "path"])
def test_each_result_is_the_one_that_go_gives(kind: str) -> None:
    wrong: list[Any] = []
    for vector in (vector for vector in MEASURED["vectors"] if vector["kind"] == kind):
        try:
            mine = ours(kind, vector["text"])
        except NotSupported:
            continue
        if not same(mine, vector):
            wrong.append((vector, mine))
    assert wrong == []


def test_little_is_left_out() -> None:
    left_out = []
    for vector in MEASURED["vectors"]:
        try:
            ours(vector["kind"], vector["text"])
        except NotSupported:
            left_out.append(vector["text"])
    assert 0 < len(left_out) <= MOST_NOT_SUPPORTED
