"""Edits of a tree that hypothesis draws, what Python makes of them, and what of a document they may not touch."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from arcan_gitops import sops
from tests.support import sops_layouts

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Strategies:
    """What a format holds."""

    trees: st.SearchStrategy[dict[str, Any]]
    keys: st.SearchStrategy[str]
    values: st.SearchStrategy[Any]


def _untimed(value: Any) -> Any:
    """With texts for timestamps, and for numbers that are none: JSON has neither."""
    if isinstance(value, dict):
        return {key: _untimed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_untimed(child) for child in value]
    return (
        str(value) if isinstance(value, sops.Timestamp) or value in (float("inf"), -float("inf")) else value
    )


_LINE_KEYS = sops_layouts.keys.filter(
    lambda key: bool(key) and "=" not in key and not key.startswith(("#", "sops"))
)
_LINES = sops_layouts.texts.filter(lambda text: "\\n" not in text)
STRATEGIES = {
    "yaml": Strategies(sops_layouts.trees, sops_layouts.keys, sops_layouts.values),
    "json": Strategies(
        sops_layouts.trees.map(_untimed), sops_layouts.keys, sops_layouts.values.map(_untimed)
    ),
    "dotenv": Strategies(st.dictionaries(_LINE_KEYS, _LINES, min_size=1, max_size=6), _LINE_KEYS, _LINES),
}


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Of all values of a tree, maps and lists included."""
    for step, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, step)
        if isinstance(child, (dict, list)):
            yield from paths(child, (*path, step))


def at(tree: Any, path: Path) -> Any:
    """What is at a path."""
    for step in path:
        tree = tree[step]
    return tree


def draw_edit(draw: Any, tree: dict[str, Any], of: Strategies) -> tuple[str, Path, Any]:
    """(method, path, argument) of an edit that the tree allows."""
    path = draw(st.sampled_from(list(paths(tree))))
    parent = at(tree, path[:-1])
    methods = ["set", "add"]
    if len(path) > 1 or len(tree) > 1:
        methods.append("unset")
    if isinstance(parent, dict):
        methods.append("rename")
    method = draw(st.sampled_from(methods))
    names = of.keys.filter(lambda name: name not in parent and name != "sops")
    if method == "rename":
        return method, path, draw(names)
    if method == "unset":
        return method, path, None
    if method == "add":
        path = (*path[:-1], draw(names) if isinstance(parent, dict) else len(parent))
    return "set", path, draw(of.values)


def edit_tree(tree: Any, method: str, path: Path, argument: Any) -> Any:
    """The edit as Python does it."""
    tree = copy.deepcopy(tree)
    parent = at(tree, path[:-1])
    if method == "unset":
        del parent[path[-1]]
    elif method == "rename":
        entries = [(argument if key == path[-1] else key, child) for key, child in parent.items()]
        parent.clear()
        parent.update(entries)
    elif isinstance(parent, list) and path[-1] == len(parent):
        parent.append(argument)
    else:
        parent[path[-1]] = argument
    return tree


def edit_document(document: sops.Document, method: str, path: Path, argument: Any) -> None:
    """The edit as a document does it."""
    getattr(document, method)(path, *([] if method == "unset" else [argument]))


def ciphertexts(value: Any, path: Path = ()) -> dict[Path, str]:
    """The encrypted leaves by path, lists as one: their items move."""
    if isinstance(value, dict):
        return {
            place: text
            for key, child in value.items()
            for place, text in ciphertexts(child, (*path, key)).items()
        }
    return {path: json.dumps(value)} if "ENC[" in json.dumps(value) else {}
