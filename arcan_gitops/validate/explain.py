"""Why a manifest does not fit its schema: paths and problems, never a value.

Schema validators quote what they refuse, and a manifest may be a Secret. Every message is worded here, from
the schema and from types and counts; the path to a field and the names of fields are all that comes from the
manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    ValidationError,
    validators,
)

from arcan_gitops.golang.regexp import compile_pattern
from arcan_gitops.names import nearest
from arcan_gitops.validate.manifests import Manifest, shown
from arcan_gitops.validate.schemaset import Schema

_MOST_PROBLEMS: Final = 5
_NOUNS: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


def _pattern(_: Any, pattern: str, instance: object, __: Any) -> Iterator[ValidationError]:
    """Kubernetes and kubeconform match by Go's regexp, which is RE2: `$` is the end, and no look-around."""
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield ValidationError("pattern")


# With Draft 7's integers, as in Go: 1.0 is one. (jsonschema's draft 4 has them otherwise.)
_DRAFTS: Final[dict[Any, Any]] = {
    draft: validators.extend(  # type: ignore[no-untyped-call]
        draft, {"pattern": _pattern}, type_checker=Draft7Validator.TYPE_CHECKER
    )
    for draft in (
        Draft4Validator,
        Draft6Validator,
        Draft7Validator,
        Draft201909Validator,
        Draft202012Validator,
    )
}


class Judge:
    """A schema compiled once, and asked about many manifests."""

    def __init__(self, schema: Schema) -> None:
        draft = validators.validator_for(schema.body, default=Draft4Validator)
        self._validator = _DRAFTS[draft](schema.body)

    def problems(self, manifest: Manifest) -> tuple[str, ...]:
        """`path: problem` for all that is wrong, by path; empty where the manifest fits."""
        found = {
            problem for error in self._validator.iter_errors(manifest.body) for problem in _problems(error)
        }
        return tuple(f"{path}: {text}" if path else text for path, text in sorted(found))


class Judges:
    """The compiled schemas of one run."""

    def __init__(self) -> None:
        self._judges: dict[Schema, Judge] = {}

    def problems(self, manifest: Manifest, schema: Schema) -> tuple[str, ...]:
        """What is wrong with a manifest, by its schema."""
        if schema not in self._judges:
            self._judges[schema] = Judge(schema)
        return self._judges[schema].problems(manifest)


def message(problems: Sequence[str]) -> str:
    """The first few problems in one line."""
    more = len(problems) - _MOST_PROBLEMS
    return "; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")


def path_text(path: Sequence[str | int]) -> str:
    """`spec.data[0].remoteRef`, `metadata.labels["a.b/c"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _WORD.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{shown(part)}"]'
    return text


def _problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    keyword = str(error.validator)
    wanted: Any = error.validator_value
    instance: object = error.instance
    path = path_text(tuple(error.absolute_path))
    if keyword == "additionalProperties" and isinstance(instance, dict) and isinstance(error.schema, Mapping):
        known = error.schema.get("properties", {})
        for field in instance.keys() - known.keys():
            yield path, _unknown(field, known)
    elif keyword == "required" and isinstance(instance, dict):
        # jsonschema reports each missing field by itself, and the field only in words
        for field in wanted:
            if field not in instance:
                yield path, f"'{field}' is missing"
    else:
        yield path, _problem(keyword, wanted, instance, error.schema)


def _unknown(field: str, known: Mapping[str, Any]) -> str:
    near = nearest(field, known)
    if near is not None:
        return f"unknown field '{shown(field)}'; did you mean '{near}'?"
    fields = f"known: {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""
    return f"unknown field '{shown(field)}'" + (f"; {fields}" if fields else "")


def _problem(keyword: str, wanted: Any, instance: object, schema: Any) -> str:
    if keyword == "type":
        types = wanted if isinstance(wanted, list) else [wanted]
        return f"must be {' or '.join(_NOUNS[name] for name in types)}, not {_noun(instance)}"
    if keyword == "enum":
        return f"must be {_one_of(wanted)}"
    if keyword == "pattern":
        if isinstance(schema, Mapping) and schema.get("format") == "byte":
            return "must be base64"
        return f"must match {wanted}"
    size = len(instance) if isinstance(instance, str | list | dict) else 0
    return {
        "minLength": f"must have at least {wanted} characters",
        "maxLength": f"must have at most {wanted} characters",
        "minItems": f"must have at least {wanted} items, has {size}",
        "maxItems": f"must have at most {wanted} items, has {size}",
        "minProperties": f"must have at least {wanted} of its fields, has {size}",
        "maxProperties": f"must have at most {wanted} of its fields, has {size}",
        "minimum": f"must be at least {wanted}",
        "maximum": f"must be at most {wanted}",
        "uniqueItems": "must not have the same item twice",
        "anyOf": "has none of the forms that are allowed",
        "oneOf": "must have one, and only one, of the forms that are allowed",
        "not": "has a form that is not allowed",
    }.get(keyword, f"breaks the schema's '{keyword}'")


def _one_of(values: Sequence[object]) -> str:
    words = ["null" if value is None else f"'{value}'" for value in values]
    return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


def _noun(instance: object) -> str:
    if instance is None:
        return "null"
    if isinstance(instance, bool):
        return "a boolean"
    if isinstance(instance, int | float):
        return "a number"
    if isinstance(instance, str):
        return "a text"
    return "a list" if isinstance(instance, list) else "a mapping"
