"""What a function takes and gives, as Go's types say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

# A parameter of Go's type reflect.Value: the argument as it is, boxed, missing or plain.
VALUE: Final = "reflect.Value"


@dataclass(frozen=True, slots=True)
class Function:
    """`parameters` are Go types; `rest` is that of all further arguments, None where there can be none.

    `apply` None is `and` and `or`, which do not look at all arguments. With `gives_any` the result is an
    `interface {}`.
    """

    parameters: tuple[str, ...]
    apply: Callable[..., Any] | None
    rest: str | None = None
    gives_any: bool = False

    def type_of(self, index: int) -> str:
        """The type of an argument."""
        if index < len(self.parameters):
            return self.parameters[index]
        assert self.rest is not None  # the number of arguments was checked
        return self.rest


def function(
    signature: str, apply: Callable[..., Any] | None, rest: str | None = None, *, gives_any: bool = False
) -> Function:
    """`signature`: one letter for each parameter. s string, i int, b bool, f float64, a interface {},
    v reflect.Value, m map[string]interface {}.
    """
    parameters = tuple(_TYPES[letter] for letter in signature)
    return Function(parameters, apply, None if rest is None else _TYPES[rest], gives_any)


_TYPES: Final = {
    "s": "string",
    "i": "int",
    "b": "bool",
    "f": "float64",
    "a": "interface {}",
    "v": VALUE,
    "m": "map[string]interface {}",
}
