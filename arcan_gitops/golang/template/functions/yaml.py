"""ESO's `toYaml`, for what needs no guess (sigs.k8s.io/yaml v1.6 on goyaml.v2).

Texts that are plain words, that look like another scalar, and that have several lines; others, of which the
emitter decides by rules of its own, are not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from arcan_gitops.golang.errors import NotSupported
from arcan_gitops.golang.template.signature import Function, function
from arcan_gitops.golang.template.values import List, Map, Missing, Value

_WORDS: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@=+-]*(?: [A-Za-z0-9_./@=+-]+)*", re.ASCII)
_LONGEST: Final = 60  # where lines are folded is not reproduced
_OTHER_WORDS: Final = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?", re.ASCII)
_LINE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?|", re.ASCII)


def _to_yaml(value: Value) -> str:
    return "\n".join(_lines(value))


def _lines(value: Value) -> Iterator[str]:
    if isinstance(value, Map) and value:
        for key in sorted(value):
            yield from _entry(f"{_scalar(key)}:", value[key], "" if isinstance(value[key], List) else "  ")
    elif isinstance(value, List) and value:
        for item in value:
            first, *rest = _lines(item) if isinstance(item, Map | List) and item else _entry("-", item, "  ")
            joined = isinstance(item, Map | List) and bool(item)
            yield f"- {first}" if joined else first
            yield from (f"  {line}" for line in rest) if joined else iter(rest)
    else:
        yield from _block(value) if isinstance(value, str) and "\n" in value else (_scalar(value),)


def _entry(begin: str, value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, Map | List) and value:
        yield begin
        yield from (indent + line for line in _lines(value))
    elif isinstance(value, str) and "\n" in value:
        first, *rest = _block(value)
        yield f"{begin} {first}"
        yield from rest
    else:
        yield f"{begin} {_scalar(value)}"


def _block(text: str) -> Iterator[str]:
    """A literal block; its lines are indented by two, wherever a scalar stands at the top or in a map."""
    lines = text.split("\n")
    if not lines[0] or any(_LINE.fullmatch(line) is None for line in lines) or text.endswith("\n\n"):
        raise _unknown()
    yield "|" if text.endswith("\n") else "|-"
    yield from (f"  {line}" if line else "" for line in (lines[:-1] if text.endswith("\n") else lines))


def _scalar(value: Value) -> str:
    match value:
        case None | Missing():
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case float() if not value.is_integer():
            text = repr(value)
            if _NUMBER.fullmatch(text) is None:
                raise _unknown()
            return text
        case int() | float():
            if abs(value) >= 1 << 53:
                raise _unknown()
            return str(int(value))
    return "{}" if isinstance(value, Mapping) else "[]"


def _text(text: str) -> str:
    if not text or text.lower() in _OTHER_WORDS or _NUMBER.fullmatch(text):
        return f'"{text}"'
    if len(text) > _LONGEST or _WORDS.fullmatch(text) is None:
        raise _unknown()
    return text


def _unknown() -> NotSupported:
    return NotSupported("toYaml of a value that is no plain word or number")


FUNCTIONS: Final[Mapping[str, Function]] = {"toYaml": function("a", _to_yaml)}
