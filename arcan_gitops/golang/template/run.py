"""Executes a parsed template, with Go's error texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.functions import FUNCTIONS, MISSING, Missing, Value, shown, truth
from arcan_gitops.golang.template.tree import (
    Action,
    Call,
    Field,
    If,
    Literal,
    Node,
    Operand,
    Pipeline,
    Place,
    Template,
    Text,
)


def render(template: Template, data: Mapping[str, Value], *, missing_key_is_error: bool = False) -> str:
    """The text that the template makes of `data` (a map of texts, or of maps of texts).

    A missing key prints `<no value>` (a store's templates), or with `missing_key_is_error` (a target's)
    raises `GoError`, like any other mistake that Go finds while executing.
    """
    return _Run(template, data, missing_key_is_error).nodes(template.nodes)


class _Run:
    def __init__(self, template: Template, data: Mapping[str, Value], strict: bool) -> None:
        self._template = template
        self._data = data
        self._strict = strict
        self._place = Place(0, "")  # Go reports the node that it looked at last

    def _wrong(self, problem: str) -> GoError:
        before = self._template.source[: self._place.offset]
        column = len(before[before.rfind("\n") + 1 :].encode("utf-8"))
        name = self._template.name
        place = f"{name}:{before.count(chr(10)) + 1}:{column}"
        return GoError(f'template: {place}: executing "{name}" at <{self._place.source}>: {problem}')

    def nodes(self, nodes: Sequence[Node]) -> str:
        return "".join(self._node(node) for node in nodes)

    def _node(self, node: Node) -> str:
        match node:
            case Text(text):
                return text
            case Action(pipeline):
                return shown(self._pipeline(pipeline))
            case If(condition, then, otherwise):
                return self.nodes(then if truth(self._pipeline(condition)) else otherwise)

    def _pipeline(self, pipeline: Pipeline) -> Value:
        value = self._operand(pipeline.first)
        for call in pipeline.rest:
            value = self._call(call, value)
        return value

    def _operand(self, operand: Operand) -> Value:
        match operand:
            case Field():
                return self._field(operand)
            case Literal(value, place):
                self._place = place
                return value
            case Call():
                return self._call(operand)
            case Pipeline():
                return self._pipeline(operand)

    def _field(self, field: Field) -> Value:
        self._place = field.place
        value: Value = self._data
        for name in field.names:
            if isinstance(value, Missing):
                continue
            if not isinstance(value, Mapping):
                raise self._wrong(f"can't evaluate field {name} in type {_type(value)}")
            if name not in value and self._strict:
                raise self._wrong(f'map has no entry for key "{name}"')
            value = value.get(name, MISSING)
        return value

    def _call(self, call: Call, *piped: Value) -> Value:
        function = FUNCTIONS[call.function]
        count = len(call.arguments) + len(piped)
        self._place = call.word
        if count < function.arity or (count > function.arity and not function.variadic):
            want = f"at least {function.arity}" if function.variadic else str(function.arity)
            raise self._wrong(f"wrong number of args for {call.function}: want {want} got {count}")
        arguments = [self._argument(argument, function.texts) for argument in call.arguments]
        arguments += [self._text(value) if function.texts else value for value in piped]
        try:
            return function.apply(*arguments)
        except GoError as error:
            self._place = call.place
            raise self._wrong(str(error)) from None
        except LookupError:
            raise NotSupported(f"the template action {{{{ {call.place.source} }}}} on these values") from None

    def _argument(self, argument: Operand, text: bool) -> Value:
        value = self._operand(argument)
        if text and isinstance(argument, Literal) and not isinstance(value, str):
            raise self._wrong(f"expected string; found {argument.place.source}")
        return self._text(value) if text else value

    def _text(self, value: Value) -> Value:
        if isinstance(value, Missing):
            raise self._wrong("invalid value; expected string")
        if not isinstance(value, str):
            raise self._wrong(f"wrong type for value; expected string; got {_type(value)}")
        return value


def _type(value: Value) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        nested = any(isinstance(member, Mapping) for member in value.values())
        return "map[string]map[string]string" if nested else "map[string]string"
    return "bool" if isinstance(value, bool) else "int"
