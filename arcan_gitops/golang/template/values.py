"""The values of a template, with the Go types that decide what a function takes and how a value prints.

A Go string is a `str` (bytes that are no UTF-8 as surrogates), an int an `int`, a float64 a `float`, a bool
a `bool`, nil in an interface `None`. Source: Go reflect, text/template exec.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from arcan_gitops.golang.json import Json

ANY: Final = "interface {}"
STRING: Final = "string"


class Missing:
    """Go's invalid value: what a map without the key gives; prints as `<no value>`."""

    __slots__ = ()


MISSING: Final = Missing()


class Int64(int):
    """Go's int64, which sprig's arithmetic gives."""

    __slots__ = ()


class Uint8(int):
    """Go's uint8, a byte of a string."""

    __slots__ = ()


class Map(dict[str, Any]):
    """A Go map with string keys; `element` is the type of its values."""

    __slots__ = ("element",)

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), element: str = ANY) -> None:
        super().__init__(items)
        self.element = element


class List(list[Any]):
    """A Go slice; `element` is the type of its items, `is_nil` whether Go has a nil slice here."""

    __slots__ = ("element", "is_nil")

    def __init__(self, items: Iterable[Any] = (), element: str = ANY, *, is_nil: bool = False) -> None:
        super().__init__(items)
        self.element = element
        self.is_nil = is_nil


Value: TypeAlias = str | int | float | Map | List | Missing | None


class Boxed:
    """A value that is still inside a Go interface: an element of a map or slice of any type.

    It makes a difference to the words of some errors only, and where it is nil.
    """

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


def unboxed(value: Value | Boxed) -> Value:
    """The value inside; an interface that is nil holds none."""
    if isinstance(value, Boxed):
        return MISSING if value.value is None else value.value
    return MISSING if value is None else value


def boxed(value: Value, element: str) -> Value | Boxed:
    """An element of a container of that type, as a field or a loop gives it."""
    return Boxed(value) if element == ANY else value


def type_name(value: Value | Boxed) -> str:
    """What Go's `reflect.Type` prints."""
    match value:
        case Boxed():
            return ANY
        case bool():
            return "bool"
        case Int64():
            return "int64"
        case Uint8():
            return "uint8"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return STRING
        case Map():
            return f"map[string]{value.element}"
        case List():
            return f"[]{value.element}"
    return "<nil>"


def truth(value: Value) -> bool:
    """Whether `if` takes the value for true: not missing, empty, zero or false."""
    return not isinstance(value, Missing) and bool(value)


def of_json(value: Json) -> Value:
    """A value of encoding/json as an `interface {}` holds it."""
    if isinstance(value, Mapping):
        return Map({name: of_json(item) for name, item in value.items()})
    if isinstance(value, str | float | bool) or value is None:
        return value
    return List(of_json(item) for item in value)


def of_texts(data: Mapping[str, Any]) -> Map:
    """A template's data: a map of texts, or of maps of texts."""
    if any(isinstance(item, Mapping) for item in data.values()):
        inner = {name: of_texts(item) for name, item in data.items()}
        return Map(inner, "map[string]string")
    return Map(data, STRING)


def zero(element: str) -> Value:
    """Go's zero value of a type."""
    if element == STRING:
        return ""
    if element.startswith("map["):
        return Map(element=element.removeprefix("map[string]"))
    if element.startswith("[]"):
        return List(element=element.removeprefix("[]"), is_nil=True)
    return None


def same(one: Value, other: Value) -> bool:
    """`reflect.DeepEqual`: of one type, and equal all the way down."""
    if type_name(one) != type_name(other):
        return False
    if isinstance(one, Map) and isinstance(other, Map):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, List) and isinstance(other, List):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def items_of(values: Sequence[Any]) -> List:
    """A `[]interface {}` of these."""
    return List(values)
