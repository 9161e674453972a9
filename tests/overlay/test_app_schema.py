"""The schema for editors and the parser say the same of every file, as far as a schema can speak."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from arcan_gitops.overlay import App, app_schema
from arcan_gitops.yamlio import InvalidFile, emit, read_documents
from tests.overlay.test_golden_overlays import GOLDEN

CASES = ("cluster-stores/apps/shop", "default-overlays/apps/everything", "every-secret/apps/*")
FILES = sorted(file for case in (*CASES, "every-store/apps/*") for file in GOLDEN.glob(f"{case}.yaml"))
# What only the parser can say, by its messages.
BEYOND = re.compile(
    "not the file's name|already has an entry|cannot be a key of a Kubernetes Secret|needs the key|"
    "'registry'|deletionPolicy|is not a duration|duration|is not an app's to write|is the name of a namespace|is not the name of a team|names nobody|a Role is in|"
    "'all' asks for all of a realm|'extract' is for an app with a store|is for an app with a store|"
    "is not a valid key name"
)


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = app_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def refusal(document: Any, file: Path) -> str | None:
    """What the parser says against a file, or None."""
    try:
        App.parse(emit([document]).encode(), str(file))
    except InvalidFile as error:
        return error.message
    return None


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for step in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield (*path, step)
        yield from places(node[step], (*path, step))


def mutations(document: Any) -> Iterator[tuple[str, Any]]:
    """The file with one thing removed, misspelt, or of another type or grammar."""
    for path in places(document):
        for what, value in (
            ("removed", None), ("misspelt", None), ("a number", 12), ("a flag", True), ("no list", []),
            ("no mapping", {}), ("a bad text", "Not valid!"), ("another text", "something"), ("empty", ""),
        ):  # fmt: skip
            changed = copy.deepcopy(document)
            parent = changed
            for step in path[:-1]:
                parent = parent[step]
            if what == "removed":
                del parent[path[-1]]
            elif what == "misspelt":
                if not isinstance(parent, dict):
                    continue
                parent[f"{path[-1]}X"] = parent.pop(path[-1])
            else:
                parent[path[-1]] = value
            yield f"{'.'.join(map(str, path))}: {what}", changed


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parents[1].name}-{file.stem}")
def test_they_agree_on_a_good_file_and_on_every_way_to_spoil_it(file: Path):
    (document,) = read_documents(file.read_bytes(), str(file))
    assert refusal(document, file) is None
    validator().validate(document)
    for what, spoilt in mutations(document):
        said, fits = refusal(spoilt, file), validator().is_valid(spoilt)
        if fits:
            assert said is None or BEYOND.search(said), f"{what}: the schema lets pass: {said}"
        else:
            assert said is not None, f"{what}: the schema refuses what the parser takes"


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"store": "vault"}, False),
        ({"realm": None, "token": None, "store": "vault"}, True),
        ({"realm": None, "token": None, "store": "vault", "consistency": "latest"}, False),
        ({"namespaces": ["a"]}, False),
        ({"namespace": None, "namespaces": {"matchLabels": {"a": "b"}}}, True),
        ({"namespace": None, "namespaces": {"matchLabels": {}}}, False),
        ({"secrets": [{"name": "a", "all": True, "keys": ["A"]}]}, False),
        ({"secrets": [{"name": "a", "keys": ["A"], "rewrite": [{"source": "a", "target": "b"}]}]}, False),
        ({"secrets": [{"name": "a", "all": True, "rewrite": [{"source": "a", "transform": "b"}]}]}, False),
        ({"secrets": [{"name": "a", "all": True, "rewrite": [{"transform": "b"}]}]}, True),
        ({"labels": {"a/b/c": "d"}}, False),
        ({"labels": {"a": "d e"}}, False),
        ({"team": {"groups": ["a"]}}, True),
    ],
)
def test_what_excludes_what_is_known_to_both(change: dict[str, Any], fits: bool):
    app = {
        "name": "shop",
        "realm": "r",
        "token": "t",
        "namespace": "n",
        "secrets": [{"name": "a", "keys": ["A"]}],
    }
    document = {name: value for name, value in {**app, **change}.items() if value is not None}
    assert validator().is_valid(document) is fits
    assert (refusal(document, Path("shop.yaml")) is None) is fits
