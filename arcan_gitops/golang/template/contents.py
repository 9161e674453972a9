"""What a template asks for, without running it: the functions that it calls, the variables that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from arcan_gitops.golang.template.tree import (
    Action,
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    If,
    Include,
    Literal,
    Node,
    Operand,
    Pipeline,
    Range,
    Template,
    Variable,
    With,
)

# The way from the template's data to a value, or None for a value that is made otherwise.
_Path: TypeAlias = tuple[str, ...] | None
_ROOT: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A variable, as the names on the way from the template's data (`("auth", "token")`), or a function.

    `line` counts from 1.
    """

    names: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a template names, in the order of its text; `.a.b`, `$.a.b` and `index . "a" "b"` are the same.

    `undefined` are templates that it includes and does not define: Go fails where it gets there.
    """

    variables: tuple[Named, ...]
    functions: tuple[Named, ...]
    undefined: tuple[Named, ...]


def contents(template: Template) -> Contents:
    """The variables and functions of a template. Inside `with .a` and `$x := .a` names are followed."""
    walk = _Walk(template)
    walk.nodes(template.nodes, _ROOT, {"$": _ROOT})
    undefined = _each_once(walk.undefined)
    for name in template.defined:
        if name not in walk.included:  # ESO never runs it
            walk.nodes(template.defined[name], None, {"$": None})
    return Contents(_each_once(walk.variables), _each_once(walk.functions), undefined)


def _each_once(named: Sequence[Named]) -> tuple[Named, ...]:
    return tuple(dict.fromkeys(named))


class _Walk:
    def __init__(self, template: Template) -> None:
        self._template = template
        self.variables: list[Named] = []
        self.functions: list[Named] = []
        self.undefined: list[Named] = []
        self.included: set[str] = set()

    def _line(self, at: int) -> int:
        return self._template.source.count("\n", 0, at) + 1

    def nodes(self, nodes: Sequence[Node], dot: _Path, known: dict[str, _Path]) -> None:
        for node in nodes:
            match node:
                case Action():
                    self._pipeline(node.pipeline, dot, known)
                case If():
                    inside = dict(known)
                    self._pipeline(node.pipeline, dot, inside)
                    self.nodes(node.then, dot, inside)
                    self.nodes(node.otherwise, dot, dict(inside))
                case With():
                    inside = dict(known)
                    value = self._pipeline(node.pipeline, dot, inside)
                    self.nodes(node.then, value, inside)
                    self.nodes(node.otherwise, dot, dict(inside))
                case Range():
                    inside = dict(known)
                    self._pipeline(node.pipeline, dot, inside)
                    inside |= dict.fromkeys((name.names[0] for name in node.pipeline.declared), None)
                    self.nodes(node.then, None, inside)
                    self.nodes(node.otherwise, dot, dict(inside))
                case Include():
                    self._include(node, dot, known)

    def _include(self, node: Include, dot: _Path, known: dict[str, _Path]) -> None:
        value = None if node.pipeline is None else self._pipeline(node.pipeline, dot, known)
        if node.name not in self._template.defined and node.name != self._template.name:
            self.undefined.append(Named((node.name,), self._line(node.at)))
        if node.name in self._template.defined and node.name not in self.included:
            self.included.add(node.name)
            self.nodes(self._template.defined[node.name], value, {"$": value})

    def _pipeline(self, pipeline: Pipeline, dot: _Path, known: dict[str, _Path]) -> _Path:
        values = [self._command(command, dot, known) for command in pipeline.commands]
        value = values[0] if len(values) == 1 else None
        for variable in pipeline.declared:
            known[variable.names[0]] = value
        return value

    def _command(self, command: Command, dot: _Path, known: dict[str, _Path]) -> _Path:
        first, *rest = command.operands
        if isinstance(first, Identifier) and first.name == "index" and rest:
            self.functions.append(Named((first.name,), self._line(first.at)))
            return self._index(rest, dot, known)
        value = self._operand(first, dot, known)
        for operand in rest:
            self._operand(operand, dot, known)
        return value if not rest else None

    def _index(self, operands: Sequence[Operand], dot: _Path, known: dict[str, _Path]) -> _Path:
        item, *keys = operands
        value = self._operand(item, dot, known, named=False)
        names = tuple(self._literal_keys(keys))
        for key in keys:
            self._operand(key, dot, known)
        if value is None or not value + names:
            return None
        return self._named(value + names, item.at)

    @staticmethod
    def _literal_keys(keys: Sequence[Operand]) -> Iterator[str]:
        for key in keys:
            if not isinstance(key, Literal) or not isinstance(key.value, str):
                return
            yield key.value

    def _operand(self, operand: Operand, dot: _Path, known: dict[str, _Path], *, named: bool = True) -> _Path:
        match operand:
            case Dot():
                return dot
            case Field():
                return self._reached(dot, operand.names, operand.at, named)
            case Variable():
                base = known.get(operand.names[0])
                return self._reached(base, operand.names[1:], operand.at, named)
            case Pipeline():
                return self._pipeline(operand, dot, known)
            case Chain():
                return self._reached(
                    self._operand(operand.inner, dot, known), operand.names, operand.at, named
                )
            case Identifier():
                self.functions.append(Named((operand.name,), self._line(operand.at)))
        return None

    def _reached(self, base: _Path, names: tuple[str, ...], at: int, named: bool) -> _Path:
        if base is None:
            return None
        return self._named(base + names, at) if names and named else base + names

    def _named(self, names: tuple[str, ...], at: int) -> tuple[str, ...]:
        self.variables.append(Named(names, self._line(at)))
        return names
