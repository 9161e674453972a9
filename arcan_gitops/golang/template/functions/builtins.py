"""The functions that text/template has of its own (Go text/template funcs.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.template.printing import shown, sprint, sprintf, sprintln
from arcan_gitops.golang.template.signature import Function, function
from arcan_gitops.golang.template.values import (
    MISSING,
    Boxed,
    List,
    Map,
    Missing,
    Uint8,
    Value,
    boxed,
    truth,
    type_name,
    unboxed,
    zero,
)
from arcan_gitops.golang.url import query_escape

_HTML: Final = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
)


def _index(item: Value | Boxed, *keys: Value | Boxed) -> Value | Boxed:
    """`index .map "key"`: unlike `.map.key`, a missing key gives the empty value, not `<no value>`."""
    if isinstance(unboxed(item), Missing):
        raise GoError("index of untyped nil")
    for given in keys:
        key, container = unboxed(given), unboxed(item)
        if isinstance(container, Missing):
            raise GoError("index of nil pointer")
        if isinstance(container, List | str):
            data: Any = container
            if isinstance(container, str):
                data = container.encode("utf-8", "surrogateescape")
            at = _at(key, len(data))
            if at == len(data):
                raise GoError("reflect: slice index out of range" if isinstance(container, List) else _OUT)
            item = Uint8(data[at]) if isinstance(data, bytes) else boxed(data[at], container.element)  # type: ignore[union-attr]
        elif isinstance(container, Map):
            if isinstance(key, Missing):
                raise GoError("value is nil; should be of type string")
            if not isinstance(key, str):
                raise GoError(f"value has type {type_name(key)}; should be string")
            element = container.element
            item = boxed(container[key] if key in container else zero(element), element)
        else:
            raise GoError(f"can't index item of type {type_name(container)}")
    return item


_OUT: Final = "reflect: string index out of range"


def _at(index: Value, size: int) -> int:
    if isinstance(index, Missing):
        raise GoError("cannot index slice/array with nil")
    if isinstance(index, bool) or not isinstance(index, int):
        raise GoError(f"cannot index slice/array with type {type_name(index)}")
    if not 0 <= index <= size:
        raise GoError(f"index out of range: {index}")
    return index


def _len(item: Value | Boxed) -> int:
    if isinstance(item, Boxed) and item.value is None:
        raise GoError("len of nil pointer")
    value = unboxed(item)
    if isinstance(value, Missing):
        raise GoError("reflect: call of reflect.Value.Type on zero Value")
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, Map | List):
        return len(value)
    raise GoError(f"len of type {type_name(value)}")


def _kind(value: Value) -> str:
    """What Go compares: numbers of one kind with each other, never an int with a float."""
    match value:
        case bool():
            return "bool"
        case Uint8() | int():
            return "int"
        case float():
            return "float"
        case str():
            return "string"
    return ""


def _eq(first: Value | Boxed, *others: Value | Boxed) -> bool:
    one = unboxed(first)
    if not others:
        raise GoError("missing argument for comparison")
    return any(_equal(one, unboxed(other)) for other in others)


def _equal(one: Value, other: Value) -> bool:
    if _kind(one) != _kind(other):
        if isinstance(one, Missing) or isinstance(other, Missing):
            return False
        raise GoError(f"incompatible types for comparison: {type_name(one)} and {type_name(other)}")
    if _kind(one):
        return one == other
    if isinstance(one, Missing) or isinstance(other, Missing):
        return _is_nil(one) and _is_nil(other)
    if type_name(one).partition("[")[0] != type_name(other).partition("[")[0]:
        raise GoError(f"non-comparable types [redacted]: {type_name(one)}, {type_name(other)}: [redacted]")
    if _is_nil(one) or _is_nil(other):
        return _is_nil(one) and _is_nil(other)
    raise GoError(f"non-comparable type [redacted]: {type_name(other)}")


def _is_nil(value: Value) -> bool:
    return isinstance(value, Missing) or (isinstance(value, List) and value.is_nil)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value | Boxed, Value | Boxed], bool]:
    def apply(first: Value | Boxed, second: Value | Boxed) -> bool:
        one, other = unboxed(first), unboxed(second)
        if not _kind(one) or not _kind(other):
            raise GoError("invalid type for comparison")
        if _kind(one) != _kind(other):
            raise GoError(f"incompatible types for comparison: {type_name(one)} and {type_name(other)}")
        if isinstance(one, bool):
            raise GoError("invalid type for comparison")
        if isinstance(one, str) and isinstance(other, str):
            return compare(one.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape"))
        return compare(one, other)

    return apply


def _printed(values: tuple[Value, ...]) -> str:
    """What the escapers escape: one text as it is, all else as `print` has it."""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return sprint([_NO_VALUE if value is None else value for value in values])


_NO_VALUE: Final = shown(MISSING)

FUNCTIONS: Final[Mapping[str, Function]] = {
    "and": function("v", None, "v"),
    "or": function("v", None, "v"),
    "not": function("v", lambda value: not truth(unboxed(value))),
    "index": function("v", _index, "v"),
    "len": function("v", _len),
    "eq": function("v", _eq, "v"),
    "ne": function("vv", lambda one, other: not _eq(one, other)),
    "lt": function("vv", _ordered(lambda one, other: one < other)),
    "le": function("vv", _ordered(lambda one, other: one <= other)),
    "gt": function("vv", _ordered(lambda one, other: one > other)),
    "ge": function("vv", _ordered(lambda one, other: one >= other)),
    "print": function("", lambda *values: sprint(values), "a"),
    "printf": function("s", lambda form, *values: sprintf(form, values), "a"),
    "println": function("", lambda *values: sprintln(values), "a"),
    "html": function("", lambda *values: _printed(values).translate(_HTML), "a"),
    "urlquery": function("", lambda *values: query_escape(_printed(values)), "a"),
}
