"""The tree of a parsed template, which `parser.py` builds, `run.py` executes and `contents.py` reads.

`at` is an offset in characters. `str()` of an operand, command or pipeline is how Go prints it in errors.
Source: Go text/template/parse node.go
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from arcan_gitops.golang.text import go_quote


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text between actions."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dot:
    """`.`"""

    at: int

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True, slots=True)
class Nil:
    """`nil`"""

    at: int

    def __str__(self) -> str:
        return "nil"


@dataclass(frozen=True, slots=True)
class Field:
    """`.a.b`; Go's errors point at the second name where there is one."""

    at: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$`, `$x`, `$x.a.b`."""

    at: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Chain:
    """`(pipeline).a.b`, or a function without arguments in place of the pipeline."""

    at: int
    inner: Operand
    names: tuple[str, ...]

    def __str__(self) -> str:
        return _shown(self.inner) + "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted text or a boolean; `source` is how it is written."""

    at: int
    value: str | bool
    source: str

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Number:
    """A number; `integer` and `floating` are what it is as either, None where it is none."""

    at: int
    integer: int | None
    floating: float | None
    is_float: bool  # it has no other type where none is asked for
    source: str

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Identifier:
    """The name of a function."""

    at: int
    name: str

    def __str__(self) -> str:
        return self.name


Operand: TypeAlias = "Dot | Nil | Field | Variable | Chain | Literal | Number | Identifier | Pipeline"


@dataclass(frozen=True, slots=True)
class Command:
    """Operands with spaces between them; the first is a function or the value itself."""

    at: int
    operands: tuple[Operand, ...]

    def __str__(self) -> str:
        return " ".join(map(_shown, self.operands))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`$x, $y := first | second`; `assigns` for `=` in place of `:=`."""

    at: int
    declared: tuple[Variable, ...]
    assigns: bool
    commands: tuple[Command, ...]

    def __str__(self) -> str:
        declared = ", ".join(map(str, self.declared))
        sign = " = " if self.assigns else " := "
        return (declared + sign if declared else "") + " | ".join(map(str, self.commands))


def _shown(operand: Operand) -> str:
    return f"({operand})" if isinstance(operand, Pipeline) else str(operand)


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ pipeline }}`."""

    at: int
    pipeline: Pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipeline}}}}}"


@dataclass(frozen=True, slots=True)
class If:
    """`{{ if pipeline }}then{{ else }}otherwise{{ end }}`."""

    at: int
    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class With:
    """`{{ with pipeline }}then{{ else }}otherwise{{ end }}`: the value is the dot of `then`."""

    at: int
    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """`{{ range pipeline }}then{{ else }}otherwise{{ end }}`: each element is the dot of `then`."""

    at: int
    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Break:
    """`{{ break }}`."""

    at: int


@dataclass(frozen=True, slots=True)
class Continue:
    """`{{ continue }}`."""

    at: int


@dataclass(frozen=True, slots=True)
class Include:
    """`{{ template "name" pipeline }}`, also what `block` leaves in its place."""

    at: int
    name: str
    pipeline: Pipeline | None

    def __str__(self) -> str:
        rest = "" if self.pipeline is None else f" {self.pipeline}"
        return f"{{{{template {go_quote(self.name)}{rest}}}}}"


Node: TypeAlias = Text | Action | If | With | Range | Break | Continue | Include


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; `name` is what Go's error texts call it, `defined` what it defines by name."""

    name: str
    source: str = field(repr=False)
    nodes: tuple[Node, ...] = field(repr=False)
    defined: Mapping[str, tuple[Node, ...]] = field(default_factory=dict, repr=False)

    def place(self, at: int) -> str:
        """`name:line:column` as Go's errors have it: the column in bytes, from 0 in the first line."""
        before = self.source[:at]
        column = len(before[before.rfind("\n") + 1 :].encode("utf-8", "surrogateescape"))
        return f"{self.name}:{before.count(chr(10)) + 1}:{column}"
