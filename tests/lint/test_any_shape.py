"""A manifest may have anything anywhere: lint judges what it knows, and never falls over the rest."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.reading import Source
from arcan_gitops.lint.reports import FORMATS

SNIPPETS = sorted((Path(__file__).parent / "snippets").glob("*.yaml"))
SHAPES: list[Any] = [
    None,
    True,
    0,
    "",
    "{{",
    "{{ .a",
    "http://",
    "https://[",
    [],
    [None],
    {},
    {"a": None},
    [[{}]],
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in members:
        yield from paths(child, (*path, name))


def replaced(document: Any, path: tuple[Any, ...], shape: Any) -> Any:
    if not path:
        return shape
    document = copy.deepcopy(document)
    node = document
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = shape
    return document


def test_every_shape_in_every_place() -> None:
    tried = 0
    for snippet in SNIPPETS:
        documents = [document for document in yaml.safe_load_all(snippet.read_text()) if document is not None]
        for number, document in enumerate(documents):
            for path in paths(document):
                shape = SHAPES[tried % len(SHAPES)]
                tried += 1
                changed = [*documents[:number], replaced(document, path, shape), *documents[number + 1 :]]
                text = "\n---\n".join(json.dumps(one) for one in [*changed, "not nothing"])
                report = lint([Source("a", text.encode())], EsoVersion(0, 15 + tried % 7))
                for render in FORMATS.values():
                    assert render(report)
    assert tried > 300
