"""Executes a parsed template, with Go's error texts.

Source: Go text/template exec.go (Go 1.26). An error names the node that Go looked at last, so `_node` is set
where Go sets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.functions import FUNCTIONS
from arcan_gitops.golang.template.printing import shown
from arcan_gitops.golang.template.signature import VALUE, Function
from arcan_gitops.golang.template.tree import (
    Action,
    Break,
    Chain,
    Command,
    Continue,
    Dot,
    Field,
    Identifier,
    If,
    Include,
    Literal,
    Nil,
    Node,
    Number,
    Operand,
    Pipeline,
    Range,
    Template,
    Text,
    Variable,
    With,
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
    of_texts,
    truth,
    type_name,
    unboxed,
)
from arcan_gitops.golang.text import go_quote

_DEEPEST: Final = 100  # templates inside templates; Go goes to 100,000
_MOST_STEPS: Final = 100_000  # of all loops and included templates together
_Any: TypeAlias = Value | Boxed


class _NoFinal:
    """There is no value from the command before."""


_NO_FINAL: Final = _NoFinal()


class _Jump(Exception):
    """`break`, or `continue`."""


class _BreakLoop(_Jump):
    pass


class _NextStep(_Jump):
    pass


def render(template: Template, data: Mapping[str, Any], *, missing_key_is_error: bool = False) -> str:
    """The text that the template makes of `data` (a map of texts, or of maps of texts).

    A missing key prints `<no value>` (a store's templates), or with `missing_key_is_error` (a target's)
    raises `GoError`, like any other mistake that Go finds while executing. `NotSupported` is what Go can do
    and this cannot.
    """
    root = of_texts(data)
    run = _Run(template, template.name, missing_key_is_error, root)
    run.nodes(root, template.nodes)
    return "".join(run.parts)


class _Run:
    """`executing` is the name of the template that runs: the whole, or one that it includes."""

    def __init__(self, template: Template, executing: str, strict: bool, root: _Any, depth: int = 0) -> None:
        self._template = template
        self._executing = executing
        self._strict = strict
        self._node: Any = None
        self._variables: list[tuple[str, _Any]] = [("$", root)]
        self._depth = depth
        self._steps = 0
        self.parts: list[str] = []

    def _wrong(self, problem: str) -> NoReturn:
        place = self._template.place(self._node.at)
        where = f"executing {go_quote(self._executing)} at <{self._node}>"
        raise GoError(f"template: {place}: {where}: {problem}")

    # nodes

    def nodes(self, dot: _Any, nodes: Sequence[Node]) -> None:
        """Write what the nodes make to `parts`."""
        for node in nodes:
            self._walk(dot, node)

    def _walk(self, dot: _Any, node: Node) -> None:
        match node:
            case Text():
                self.parts.append(node.text)
            case Action():
                value = self._pipeline(dot, node.pipeline)
                if not node.pipeline.declared:
                    self.parts.append(shown(unboxed(value)))
            case If() | With():
                self._if_or_with(dot, node)
            case Range():
                self._range(dot, node)
            case Include():
                self._include(dot, node)
            case Break():
                raise _BreakLoop
            case Continue():
                raise _NextStep

    def _if_or_with(self, dot: _Any, node: If | With) -> None:
        known = len(self._variables)
        value = self._pipeline(dot, node.pipeline)
        if truth(unboxed(value)):
            self.nodes(value if isinstance(node, With) else dot, node.then)
        else:
            self.nodes(dot, node.otherwise)
        del self._variables[known:]

    def _range(self, dot: _Any, node: Range) -> None:
        known = len(self._variables)
        value = unboxed(self._pipeline(dot, node.pipeline))
        steps = self._loop(value, len(node.pipeline.declared))
        mark = len(self._variables)
        for index, item in steps:
            self._step()
            self._bind(node.pipeline, index, item)
            try:
                self.nodes(item, node.then)
            except _NextStep:
                continue
            except _BreakLoop:
                break
            finally:
                del self._variables[mark:]
        if not steps:
            self.nodes(dot, node.otherwise)
        del self._variables[known:]

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise NotSupported("loops and included templates of so many steps")

    def _loop(self, value: Value, declared: int) -> list[tuple[Any, _Any]]:
        """Pairs of an index and an element."""
        match value:
            case List():
                return [(index, boxed(item, value.element)) for index, item in enumerate(value)]
            case Map():
                return [(key, boxed(value[key], value.element)) for key in sorted(value)]
            case bool() | float() | str():
                self._wrong("range can't iterate over [redacted]")  # Go shows the value itself
            case int():
                if declared > 1:
                    self._wrong("can't use [redacted] to iterate over more than one variable")
                if value > _MOST_STEPS:
                    raise NotSupported("a loop of so many steps")
                return [(MISSING, type(value)(step)) for step in range(value)]
        return []

    def _bind(self, pipeline: Pipeline, index: Value, item: _Any) -> None:
        names = [variable.names[0] for variable in pipeline.declared]
        values = [index, item] if len(names) > 1 else [item]
        for place, name in enumerate(names):
            if pipeline.assigns:
                self._assign(name, values[place])
            else:
                self._variables[len(self._variables) - len(names) + place] = (name, values[place])

    def _include(self, dot: _Any, node: Include) -> None:
        self._node = node
        found: Sequence[Node] | None = self._template.defined.get(node.name)
        if found is None and node.name == self._template.name:
            found = self._template.nodes
        if found is None:
            self._wrong(f"template {go_quote(node.name)} not defined")
        if self._depth == _DEEPEST:
            raise NotSupported("templates inside templates, this deep")
        value = MISSING if node.pipeline is None else self._pipeline(dot, node.pipeline)
        inner = _Run(self._template, node.name, self._strict, value, self._depth + 1)
        inner.parts = self.parts
        self._step()
        inner._steps = self._steps
        inner.nodes(value, found)
        self._steps = inner._steps

    # variables

    def _assign(self, name: str, value: _Any) -> None:
        for at in range(len(self._variables) - 1, -1, -1):
            if self._variables[at][0] == name:
                self._variables[at] = (name, value)
                return
        self._wrong(f"undefined variable: {name}")

    def _variable(self, name: str) -> _Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        self._wrong(f"undefined variable: {name}")

    # pipelines

    def _pipeline(self, dot: _Any, pipeline: Pipeline) -> _Any:
        self._node = pipeline
        value: _Any | _NoFinal = _NO_FINAL
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

    def _command(self, dot: _Any, command: Command, final: _Any | _NoFinal) -> _Any:
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

    def _not_a_function(self, operands: Sequence[Operand], final: _Any | _NoFinal) -> None:
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
        self, dot: _Any, node: Field | Chain | Variable, operands: Sequence[Operand], final: _Any | _NoFinal
    ) -> _Any:
        """The value at the end of `.a.b`, `$x.a.b` or `(pipeline).a.b`."""
        self._node = node
        value: _Any
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

    def _field(self, node: Operand, receiver: _Any, name: str, has_arguments: bool) -> _Any:
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
        dot: _Any,
        word: Identifier,
        whole: Command | Identifier,
        operands: Sequence[Operand],
        final: _Any | _NoFinal,
    ) -> _Any:
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

    def _and_or(self, dot: _Any, name: str, operands: Sequence[Operand], final: _Any | _NoFinal) -> _Any:
        value: _Any = MISSING
        for operand in operands:
            value = self._argument(dot, operand, VALUE)
            if truth(unboxed(value)) == (name == "or"):
                return value
        return value if isinstance(final, _NoFinal) else final

    def _argument(self, dot: _Any, operand: Operand, kind: str) -> Any:
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

    def _validated(self, value: _Any, kind: str) -> Any:
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
