"""The tree of a parsed template: what `blocks.py` and `action.py` build and `run.py` walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands, for Go's error texts: byte offset and source text."""

    offset: int
    source: str


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """`.a.b`; no names for `.`."""

    names: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, an integer or a boolean."""

    value: str | int
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; `place` is the whole command, `word` the function's name alone."""

    function: str
    arguments: tuple[Operand, ...]
    place: Place
    word: Place


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`first | rest[0] | ...`; the result of each is the last argument of the next."""

    first: Operand
    rest: tuple[Call, ...] = ()


Operand: TypeAlias = Field | Literal | Call | Pipeline


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ pipeline }}`."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """`{{ if condition }}then{{ else }}otherwise{{ end }}`."""

    condition: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node: TypeAlias = Text | Action | If


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; `name` is what Go's error texts call it."""

    name: str
    source: str
    nodes: tuple[Node, ...]
