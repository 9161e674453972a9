"""Evaluates the pipelines of a parsed template: fields, variables, calls of functions and their arguments.

Source: Go text/template exec.go (Go 1.26). An error names the node that Go looked at last, so `_node` is set
where Go sets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn, TypeAlias

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.functions import FUNCTIONS
from arcan_gitops.golang.template.signature import VALUE, Function
from arcan_gitops.golang.template.tree import (
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Literal,
    Nil,
    Number,
    Operand,
    Pipeline,
    Template,
    Variable,
)
from arcan_gitops.golang.template.values import (
    ANY,
    MISSING,
    Boxed,
    List,
    Map,
    Missing,
    Value,
    boxed,
    truth,
    type_name,
    unboxed,
)
from arcan_gitops.golang.text import go_quote

AnyValue: TypeAlias = Value | Boxed


class _NoFinal:
    """There is no value from the command before."""


_NO_FINAL: Final = _NoFinal()


class Evaluation:
    """What pipelines are evaluated by: the variables that are known, and how Go words its errors.

    `executing` is the name of the template that runs: the whole, or one that it includes. With `strict` a
    missing key is an error.
    """

    def __init__(self, template: Template, executing: str, strict: bool, root: AnyValue) -> None:
        self._template = template
        self._executing = executing
        self._strict = strict
        self._node: Any = None
        self._variables: list[tuple[str, AnyValue]] = [("$", root)]

    def _wrong(self, problem: str) -> NoReturn:
        place = self._template.place(self._node.at)
        where = f"executing {go_quote(self._executing)} at <{self._node}>"
        raise GoError(f"template: {place}: {where}: {problem}")

    # variables

    def _assign(self, name: str, value: AnyValue) -> None:
        for at in range(len(self._variables) - 1, -1, -1):
            if self._variables[at][0] == name:
                self._variables[at] = (name, value)
                return
        self._wrong(f"undefined variable: {name}")

    def _variable(self, name: str) -> AnyValue:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        self._wrong(f"undefined variable: {name}")

    # pipelines

    def _pipeline(self, dot: AnyValue, pipeline: Pipeline) -> AnyValue:
        self._node = pipeline
        value: AnyValue | _NoFinal = _NO_FINAL
        for command in pipeline.commands:
            value = self._command(dot, command, value)
            if isinstance(value, Boxed):
                value = unboxed(value)
        assert not isinstance(value, _NoFinal)  # a pipeline has a command
        for variable in pipeline.declared:
            if pipeline.assigns:
                self._assign(variable.names[0], value)
            else:
                self._variables.append((variable.names[0], value))
        return value

    def _command(self, dot: AnyValue, command: Command, final: AnyValue | _NoFinal) -> AnyValue:
        first = command.operands[0]
        match first:
            case Field() | Chain():
                return self._reached(dot, first, command.operands, final)
            case Variable():
                return self._reached(dot, first, command.operands, final)
            case Identifier():
                return self._call(dot, first, command, command.operands[1:], final)
            case Pipeline():
                self._not_a_function(command.operands, final)
                return self._pipeline(dot, first)
        self._node = first
        self._not_a_function(command.operands, final)
        match first:
            case Literal():
                return first.value
            case Dot():
                return dot
            case Number():
                return self._ideal(first)
        self._wrong("nil is not a command")

    def _not_a_function(self, operands: Sequence[Operand], final: AnyValue | _NoFinal) -> None:
        if len(operands) > 1 or not isinstance(final, _NoFinal):
            self._wrong(f"can't give argument to non-function {operands[0]}")

    def _ideal(self, number: Number) -> Value:
        self._node = number
        if number.is_float:
            if number.floating is None:
                raise NotSupported("a complex number in a template")
            return number.floating
        if number.integer is None:
            self._wrong(f"{number.source} overflows int")
        return number.integer

    def _reached(
        self,
        dot: AnyValue,
        node: Field | Chain | Variable,
        operands: Sequence[Operand],
        final: AnyValue | _NoFinal,
    ) -> AnyValue:
        """The value at the end of `.a.b`, `$x.a.b` or `(pipeline).a.b`."""
        self._node = node
        value: AnyValue
        names = node.names
        match node:
            case Field():
                value = dot
            case Variable():
                value = self._variable(names[0])
                names = names[1:]
                if not names:
                    self._not_a_function(operands or (node,), final)
                    return value
            case Chain():
                if isinstance(node.inner, Nil):
                    self._wrong(f"indirection through explicit nil in {node}")
                value = self._argument(dot, node.inner, VALUE)
        has_arguments = len(operands) > 1 or not isinstance(final, _NoFinal)
        for index, name in enumerate(names):
            value = self._field(node, value, name, has_arguments and index == len(names) - 1)
        return value

    def _field(self, node: Operand, receiver: AnyValue, name: str, has_arguments: bool) -> AnyValue:
        kind = type_name(receiver)
        if isinstance(receiver, Missing):
            if self._strict:
                self._wrong(f"nil data; no entry for key {go_quote(name)}")
            return MISSING
        if isinstance(receiver, Boxed) and receiver.value is None:
            self._wrong(f"nil pointer evaluating {ANY}.{name}")
        value = unboxed(receiver)
        if not isinstance(value, Map):
            self._wrong(f"can't evaluate field {name} in type {kind}")
        if has_arguments:
            self._wrong(f"{name} is not a method but has arguments")
        if name in value:
            return boxed(value[name], value.element)
        if self._strict:
            self._wrong(f"map has no entry for key {go_quote(name)}")
        return MISSING

    # calls

    def _call(
        self,
        dot: AnyValue,
        word: Identifier,
        whole: Command | Identifier,
        operands: Sequence[Operand],
        final: AnyValue | _NoFinal,
    ) -> AnyValue:
        self._node = word
        name = word.name
        function = FUNCTIONS.get(name)
        if function is None:
            raise NotSupported(
                f"the function {name!r} of a template",
                hint="docs/simulate.md lists what the emulator leaves out",
            )
        count = len(operands) + (not isinstance(final, _NoFinal))
        self._count(function, name, count, len(operands))
        if function.apply is None:  # and, or
            return self._and_or(dot, name, operands, final)
        types = [function.type_of(index) for index in range(count)]
        arguments = [
            self._argument(dot, operand, kind) for operand, kind in zip(operands, types, strict=False)
        ]
        if not isinstance(final, _NoFinal):
            arguments.append(self._validated(final, types[-1]))
        try:
            result: Value = function.apply(*arguments)
        except GoError as error:
            self._node = whole
            self._wrong(f"error calling {name}: {error}")
        except NotSupported as error:
            raise NotSupported(f"{error.message.partition(': ')[2]} ({{{{ {whole} }}}})") from None
        return Boxed(result) if function.gives_any else result

    def _count(self, function: Function, name: str, count: int, written: int) -> None:
        fixed = len(function.parameters)
        if function.rest is not None:
            if count < fixed:
                self._wrong(f"wrong number of args for {name}: want at least {fixed} got {written}")
        elif count != fixed:
            self._wrong(f"wrong number of args for {name}: want {fixed} got {count}")

    def _and_or(
        self, dot: AnyValue, name: str, operands: Sequence[Operand], final: AnyValue | _NoFinal
    ) -> AnyValue:
        value: AnyValue = MISSING
        for operand in operands:
            value = self._argument(dot, operand, VALUE)
            if truth(unboxed(value)) == (name == "or"):
                return value
        return value if isinstance(final, _NoFinal) else final

    def _argument(self, dot: AnyValue, operand: Operand, kind: str) -> Any:
        """An argument for a parameter of that type (`evalArg`)."""
        self._node = operand
        match operand:
            case Dot():
                return self._validated(dot, kind)
            case Nil():
                if kind in (ANY, VALUE) or kind.startswith(("map[", "[]")):
                    return MISSING if kind == VALUE else None
                self._wrong(f"cannot assign nil to {kind}")
            case Field() | Variable() | Chain():
                return self._validated(self._reached(dot, operand, (), _NO_FINAL), kind)
            case Pipeline():
                return self._validated(self._pipeline(dot, operand), kind)
            case Identifier():
                return self._validated(self._call(dot, operand, operand, (), _NO_FINAL), kind)
        return self._constant(operand, kind)

    def _constant(self, operand: Literal | Number, kind: str) -> Value:
        match operand:
            case Literal() if kind in (ANY, VALUE):
                return operand.value
            case Number() if kind in (ANY, VALUE):
                return self._ideal(operand)
            case Literal() if type_name(operand.value) == kind:
                return operand.value
            case Number() if kind == "int" and operand.integer is not None:
                return operand.integer
            case Number() if kind == "float64" and operand.floating is not None:
                return operand.floating
        wanted = {"bool": "bool", "float64": "float", "int": "integer", "string": "string"}.get(kind)
        if wanted is None:
            self._wrong(f"can't handle {operand} for arg of type {kind}")
        self._wrong(f"expected {wanted}; found {operand}")

    def _validated(self, value: AnyValue, kind: str) -> Any:
        """A value for a parameter of that type (`validateType`); nil is None."""
        if kind == VALUE:
            return value
        if isinstance(value, Missing):
            if kind == ANY:
                return None
            if kind.startswith("map["):
                return Map(element=kind.removeprefix("map[string]"))
            if kind.startswith("[]"):
                return List(element=kind.removeprefix("[]"), is_nil=True)
            self._wrong(f"invalid value; expected {kind}")
        if kind == ANY:
            return value.value if isinstance(value, Boxed) else value
        if isinstance(value, Boxed) and value.value is not None:
            value = value.value
        if type_name(value) != kind:
            self._wrong(f"wrong type for value; expected {kind}; got {type_name(value)}")
        return value
