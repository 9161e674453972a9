"""What the parts of a JSONPath do to a value (PaesslerAG/jsonpath v0.1.1 selector.go, path.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.json import Json, type_name
from arcan_gitops.golang.template.printing import plain
from arcan_gitops.golang.template.values import of_json

# (the whole document, the element that '@' stands for) -> the value of an expression
Expression: TypeAlias = Callable[[Json, Json], Json]

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
LARGEST: Final = float(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Plain:
    """A step to exactly one value: `.name`, `["name"]`, `[0]`, `@`, `(script)`."""

    of: Callable[[Json, Json, Json], Json]  # document, element, value


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A step to any number of values; where a step after it fails on one, that one is left out."""

    of: Callable[[Json, Json], Iterable[Json]]  # document, value
    ordered: bool = False  # it names its values one by one


Step: TypeAlias = Plain | Ambiguous


def path(steps: Sequence[Step]) -> Expression:
    """All steps, one after the other; with an ambiguous one always a list.

    Raises `NotSupported` where the order of a map decides: it is random in Go.
    """

    def evaluate(document: Json, element: Json) -> Json:
        if not any(isinstance(step, Ambiguous) for step in steps):
            value = document
            for step in steps:
                assert isinstance(step, Plain)
                value = step.of(document, element, value)
            return value
        found, unordered = [document], False
        for step in steps:
            found, mixed = _advanced(step, document, element, found)
            unordered = unordered or mixed
        if unordered and len(found) > 1:
            raise NotSupported(
                "a jsonPath that selects several members of an object",
                hint="ESO takes the members in random order; name the one that is meant",
            )
        return found

    return evaluate


def _advanced(step: Step, document: Json, element: Json, values: list[Json]) -> tuple[list[Json], bool]:
    """(the values after the step, whether several are members of one object)."""
    found: list[Json] = []
    unordered = False
    for value in values:
        if isinstance(step, Ambiguous):
            matches = list(step.of(document, value))
            unordered = unordered or (not step.ordered and len(matches) > 1 and _has_objects(value))
            found += matches
            continue
        try:
            found.append(step.of(document, element, value))
        except GoError:
            continue
    return found, unordered


def _has_objects(value: Json) -> bool:
    """An object with several members, or a list with one, whose members `..` would visit."""
    if isinstance(value, Mapping):
        return len(value) > 1 or any(map(_has_objects, value.values()))
    return isinstance(value, list) and any(map(_has_objects, value))


def current() -> Plain:
    """`@`"""
    return Plain(lambda document, element, value: element)


def direct(key: Expression) -> Plain:
    """`.name`, `["name"]`, `[0]`."""
    return Plain(lambda document, element, value: _select(key, document, value))


def script(expression: Expression) -> Plain:
    """`(expression)`"""
    return Plain(lambda document, element, value: expression(document, value))


def several(keys: Sequence[Expression]) -> Ambiguous:
    """`["a","b"]`, or `*` without keys."""
    if not keys:
        return Ambiguous(lambda document, value: _members(value))

    def matches(document: Json, value: Json) -> Iterator[Json]:
        for key in keys:
            try:
                yield _select(key, document, value)
            except GoError:
                continue

    return Ambiguous(matches, ordered=True)


def filtered(condition: Expression) -> Ambiguous:
    """`[?condition]`: the members for which it holds."""

    def matches(document: Json, value: Json) -> Iterator[Json]:
        for member in _members(value):
            try:
                holds = _bool(condition(document, member))
            except GoError:
                continue
            if holds:
                yield member

    return Ambiguous(matches)


def ranged(low: Expression, high: Expression, step: Expression) -> Ambiguous:
    """`[low:high:step]` of a list."""

    def matches(document: Json, value: Json) -> Iterator[Json]:
        if not isinstance(value, list):
            return
        try:
            first, end, by = (_int(bound(document, value)) for bound in (low, high, step))
        except GoError:
            return
        if first > end:
            return
        size = len(value)
        first, end = _bounded(first, size), _bounded(end, size)
        by = by or 1
        yield from (value[at] for at in (range(first, end, by) if by > 0 else range(end - 1, first - 1, by)))

    return Ambiguous(matches, ordered=True)


def everywhere() -> Ambiguous:
    """`..`: the value and all that is inside it."""

    def matches(value: Json) -> Iterator[Json]:
        yield value
        for member in _members(value):
            yield from matches(member)

    return Ambiguous(lambda document, value: matches(value))


def _bounded(number: int, size: int) -> int:
    return max(size + number, 0) if number < 0 else min(number, size)


def _members(value: Json) -> Iterable[Json]:
    if isinstance(value, list):
        return value
    return value.values() if isinstance(value, Mapping) else ()


def _select(key: Expression, document: Json, value: Json) -> Json:
    try:
        if isinstance(value, list):
            index = _int(key(document, value))
            name = ""
        elif isinstance(value, Mapping):
            index, name = 0, plain(of_json(key(document, value)))
    except GoError as error:
        raise GoError(f"could not select value, invalid key: {error}") from None
    if isinstance(value, list):
        if not 0 <= index < len(value):
            raise GoError(f"index {index} out of bounds")
        item: Json = value[index]
        return item
    if isinstance(value, Mapping):
        if name not in value:
            raise GoError(f"unknown key {name}")
        return value[name]
    expected = "expected map[string]interface{} or []interface{}"
    raise GoError(f"unsupported value type {type_name(value)} for select, {expected}")


def number(value: Json) -> float | None:
    """`convertToFloat`: numbers, and texts that are one; else None."""
    if isinstance(value, float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return None


def _int(value: Json) -> int:
    found = number(value)
    if found is None:
        raise GoError(f"expected number but got {plain(of_json(value))} ({type_name(value)})")
    return int(found)


def _bool(value: Json) -> bool:
    if value in (None, "false", "FALSE") or value is False:
        return False
    if value in ("true", "TRUE") or value is True:
        return True
    found = number(value)
    if found is None:
        raise GoError(f"expected bool but got {plain(of_json(value))} ({type_name(value)})")
    return found != 0
