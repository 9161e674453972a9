"""Sprig's functions of lists, maps, defaults and numbers (list.go, dict.go, defaults.go, numeric.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.functions.texts import to_string, to_strings
from arcan_gitops.golang.template.signature import Function, function
from arcan_gitops.golang.template.values import STRING, Int64, List, Map, Value, same, truth, type_name

_DECIMAL: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})(?:\.0*)?", re.ASCII)
_NIL: Final = "runtime error: invalid memory address or nil pointer dereference"
_MOST: Final = 100_000


def _default(fallback: Value, *given: Value) -> Value:
    return given[0] if given and truth(given[0]) else fallback


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if truth(value)), None)


def _list_of(value: Value, what: str) -> List:
    if value is None:
        raise GoError(_NIL)
    if not isinstance(value, List):
        raise GoError(f"{what} {_kind_of(value)}")
    return value


def _kind_of(value: Value) -> str:
    if value is None:
        return "invalid"
    if isinstance(value, List):
        return "slice"
    return "map" if isinstance(value, Map) else type_name(value)


def _first(value: Value) -> Value:
    return next(iter(_list_of(value, "Cannot find first on type")), None)


def _last(value: Value) -> Value:
    found = _list_of(value, "Cannot find last on type")
    return found[-1] if found else None


def _rest(value: Value) -> List:
    return _part(_list_of(value, "Cannot find rest on type"), 1, None)


def _initial(value: Value) -> List:
    return _part(_list_of(value, "Cannot find initial on type"), 0, -1)


def _part(items: List, start: int, end: int | None) -> List:
    return List(items[start:end], is_nil=not items)


def _append(items: Value, value: Value) -> List:
    return List([*_list_of(items, "Cannot push on type"), value])


def _prepend(items: Value, value: Value) -> List:
    return List([value, *_list_of(items, "Cannot prepend on type")])


def _reverse(value: Value) -> List:
    return List(reversed(_list_of(value, "Cannot find reverse on type")))


def _uniq(value: Value) -> List:
    found: list[Value] = []
    for item in _list_of(value, "Cannot find uniq on type"):
        if not any(same(item, other) for other in found):
            found.append(item)
    return List(found)


def _without(value: Value, *omitted: Value) -> List:
    items = _list_of(value, "Cannot find without on type")
    return List(item for item in items if not any(same(item, other) for other in omitted))


def _compact(value: Value) -> List:
    return List(filter(truth, _list_of(value, "Cannot compact on type")))


def _has(needle: Value, items: Value) -> bool:
    if items is None:
        return False
    return any(same(needle, item) for item in _list_of(items, "Cannot find has on type"))


def _concat(*lists: Value) -> List:
    found: list[Value] = []
    for items in lists:
        if items is None:
            raise GoError(_NIL)
        if not isinstance(items, List):
            raise GoError(f"Cannot concat type {_kind_of(items)} as list")
        found += items
    return List(found, is_nil=not found)


def _slice(items: Value, *indices: Value) -> Value:
    found = _list_of(items, "list should be type of slice or array but")
    if not found:
        return None
    start = to_int(indices[0]) if indices else 0
    end = to_int(indices[1]) if len(indices) > 1 else len(found)
    if not 0 <= start <= end <= len(found):
        raise GoError("reflect.Value.Slice: slice index out of bounds")
    return List(found[start:end], found.element)


def _sort_alpha(value: Value) -> List:
    texts = to_strings(value)
    return List(sorted(texts, key=lambda text: text.encode("utf-8", "surrogateescape")), STRING)


def _dict(*values: Value) -> Map:
    return Map(
        (to_string(values[at]), values[at + 1] if at + 1 < len(values) else "")
        for at in range(0, len(values), 2)
    )


def _set(target: Map, key: str, value: Value) -> Map:
    target[key] = value
    return target


def _unset(target: Map, key: str) -> Map:
    target.pop(key, None)
    return target


def _keys(*maps: Map) -> List:
    if any(len(found) > 1 for found in maps):
        raise NotSupported("the keys of a map, which Go gives in random order")
    return List((key for found in maps for key in found), STRING)


def _values(found: Map) -> List:
    if len(found) > 1:
        raise NotSupported("the values of a map, which Go gives in random order")
    return List(found.values())


def _dig(*arguments: Value) -> Value:
    if len(arguments) < 3:
        raise GoError("dig needs at least three arguments")
    *names, fallback, value = arguments
    for name in names:
        if not isinstance(name, str):
            raise NotSupported("dig by names that are no texts")
        if not isinstance(value, Map) or type_name(value) != "map[string]interface {}":
            found = "nil" if value is None else type_name(value)
            verb = f"interface {{}} is {found}, not map[string]interface {{}}"
            raise GoError(f"interface conversion: {verb}")
        if name not in value:
            return fallback
        value = value[name]
    return value


def to_int(value: Value) -> int:
    """`cast.ToInt64`: what is no number is 0."""
    match value:
        case None:
            return 0
        case bool() | int() | float():
            return int(value)
        case str():
            if _DECIMAL.fullmatch(value):
                return int(value.partition(".")[0])
            if not any(map(str.isdigit, value)):
                return 0
            raise NotSupported("arithmetic with a text that is no plain decimal number")
    return 0


def _atoi(text: str) -> int:
    match = re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII)
    if match is None and re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise NotSupported("a number of so many digits")
    return int(text) if match is not None else 0


def _wrapped(number: int) -> Int64:
    return Int64((number + (1 << 63)) % (1 << 64) - (1 << 63))


def _divided(one: Value, other: Value) -> Int64:
    dividend, divisor = to_int(one), to_int(other)
    if not divisor:
        raise GoError("runtime error: integer divide by zero")
    quotient = abs(dividend) // abs(divisor)
    return _wrapped(quotient if (dividend < 0) == (divisor < 0) else -quotient)


def _modulo(one: Value, other: Value) -> Int64:
    return _wrapped(to_int(one) - to_int(other) * _divided(one, other))


def _product(*values: Value) -> Int64:
    product = 1
    for value in values:
        product *= to_int(value)
    return _wrapped(product)


def _until(start: int, stop: int, step: int) -> List:
    if not step or (stop < start) == (step > 0):
        return List(element="int")
    steps = range(start, stop, step)
    if len(steps) > _MOST:
        raise NotSupported("a list of so many numbers")
    return List(steps, "int")


def _fail(message: str) -> str:
    raise GoError(message)


def _both(
    name: str, signature: str, apply: Callable[..., Any], rest: str | None = None
) -> dict[str, Function]:
    """A function and its `must` twin, which gives an error where the other panics; Go reports both alike."""
    found = function(signature, apply, rest, gives_any=name in _GIVES_ANY)
    return {name: found, f"must{name[0].upper()}{name[1:]}": found}


_GIVES_ANY: Final = ("first", "last", "slice")

FUNCTIONS: Final[Mapping[str, Function]] = {
    "add": function("", lambda *values: _wrapped(sum(map(to_int, values))), "a"),
    "add1": function("a", lambda value: _wrapped(to_int(value) + 1)),
    "all": function("", lambda *values: all(map(truth, values)), "a"),
    "any": function("", lambda *values: any(map(truth, values)), "a"),
    "atoi": function("s", _atoi),
    "biggest": function("a", lambda *values: Int64(max(map(to_int, values))), "a"),
    "coalesce": function("", _coalesce, "a", gives_any=True),
    "concat": function("", _concat, "a", gives_any=True),
    "deepEqual": function("aa", same),
    "default": function("a", _default, "a", gives_any=True),
    "dict": function("", _dict, "a"),
    "dig": function("", _dig, "a", gives_any=True),
    "div": function("aa", _divided),
    "empty": function("a", lambda value: not truth(value)),
    "fail": function("s", _fail),
    "get": function("ms", lambda found, key: found.get(key, ""), gives_any=True),
    "hasKey": function("ms", lambda found, key: key in found),
    "int": function("a", to_int),
    "int64": function("a", lambda value: Int64(to_int(value))),
    "keys": function("", _keys, "m"),
    "kindIs": function("sa", lambda kind, value: kind == _kind_of(value)),
    "kindOf": function("a", _kind_of),
    "list": function("", lambda *values: List(values), "a"),
    "max": function("a", lambda *values: Int64(max(map(to_int, values))), "a"),
    "min": function("a", lambda *values: Int64(min(map(to_int, values))), "a"),
    "mod": function("aa", _modulo),
    "mul": function("a", _product, "a"),
    "omit": function("m", lambda found, *keys: Map({k: v for k, v in found.items() if k not in keys}), "s"),
    "pick": function("m", lambda found, *keys: Map({k: found[k] for k in keys if k in found}), "s"),
    "pluck": function("s", lambda key, *maps: List(found[key] for found in maps if key in found), "m"),
    "set": function("msa", _set),
    "sortAlpha": function("a", _sort_alpha),
    "sub": function("aa", lambda one, other: _wrapped(to_int(one) - to_int(other))),
    "ternary": function("aab", lambda one, other, test: one if test else other, gives_any=True),
    "tuple": function("", lambda *values: List(values), "a"),
    "typeIs": function("sa", lambda name, value: name == type_name(value)),
    "typeIsLike": function("sa", lambda name, value: type_name(value) in (name, f"*{name}")),
    "typeOf": function("a", type_name),
    "unset": function("ms", _unset),
    "until": function("i", lambda count: _until(0, count, -1 if count < 0 else 1)),
    "untilStep": function("iii", _until),
    "values": function("m", _values),
    **_both("append", "aa", _append),
    **_both("compact", "a", _compact),
    **_both("first", "a", _first),
    **_both("has", "aa", _has),
    **_both("initial", "a", _initial),
    **_both("last", "a", _last),
    **_both("prepend", "aa", _prepend),
    **_both("push", "aa", _append),
    **_both("rest", "a", _rest),
    **_both("reverse", "a", _reverse),
    **_both("slice", "a", _slice, "a"),
    **_both("uniq", "a", _uniq),
    **_both("without", "a", _without, "a"),
}
