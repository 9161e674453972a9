"""The same subschema written once.

The CRDs repeat themselves: a selector of a Secret stands some two hundred times in ESO's stores. With every
repeated subschema moved to `definitions` a schema is about a tenth of its size, and means the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

Schema = dict[str, Any]

_WORTH_SHARING: Final = 120  # characters of compact JSON; a reference takes some 30


def map_children(node: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """`node` with `change` applied to every schema directly inside it (never to data: defaults, enums)."""
    result: Schema = {}
    for keyword, value in node.items():
        if keyword in ("properties", "definitions"):
            result[keyword] = {name: change(child) for name, child in value.items()}
        elif keyword in ("items", "additionalProperties", "not") and isinstance(value, dict):
            result[keyword] = change(value)
        elif keyword in ("anyOf", "oneOf", "allOf"):
            result[keyword] = [change(child) for child in value]
        else:
            result[keyword] = value
    return result


def share(root: Schema) -> Schema:
    """`root` with each subschema that stands in it more than once moved to `definitions`, as s1, s2, ...

    The same schema always gives the same text; definitions that `root` has already stay as they are.
    """
    seen: Counter[str] = Counter()

    def tally(node: Schema) -> Schema:
        text = _text(node)
        seen[text] += 1
        if seen[text] == 1:
            map_children(node, tally)
        return node

    definitions: Schema = {}
    names: dict[str, str] = {}

    def replace(node: Schema) -> Schema:
        text = _text(node)
        if seen[text] < 2 or len(text) < _WORTH_SHARING:
            return map_children(node, replace)
        if text not in names:
            names[text] = f"s{len(names) + 1}"
            definitions[names[text]] = map_children(node, replace)
        return {"$ref": f"#/definitions/{names[text]}"}

    own = root.get("definitions", {})
    body = {keyword: value for keyword, value in root.items() if keyword != "definitions"}
    map_children(body, tally)
    shared = map_children(body, replace)
    return shared | {"definitions": own | definitions} if own or definitions else shared


def _text(node: Schema) -> str:
    return json.dumps(node, sort_keys=True, separators=(",", ":"))
