"""Executes a parsed template, with Go's error texts.

Source: Go text/template exec.go (Go 1.26). An error names the node that Go looked at last, so `_node` is set
where Go sets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from arcan_gitops.golang.errors import NotSupported
from arcan_gitops.golang.template.evaluation import AnyValue, Evaluation
from arcan_gitops.golang.template.printing import shown
from arcan_gitops.golang.template.tree import (
    Action,
    Break,
    Continue,
    If,
    Include,
    Node,
    Pipeline,
    Range,
    Template,
    Text,
    With,
)
from arcan_gitops.golang.template.values import (
    MISSING,
    List,
    Map,
    Value,
    boxed,
    of_texts,
    truth,
    unboxed,
)
from arcan_gitops.golang.text import go_quote

_DEEPEST: Final = 100  # templates inside templates; Go goes to 100,000
_MOST_STEPS: Final = 100_000  # of all loops and included templates together


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


class _Run(Evaluation):
    """Writes what the nodes make to `parts`. `depth` is how many templates include this one."""

    def __init__(
        self, template: Template, executing: str, strict: bool, root: AnyValue, depth: int = 0
    ) -> None:
        super().__init__(template, executing, strict, root)
        self._depth = depth
        self._steps = 0
        self.parts: list[str] = []

    def nodes(self, dot: AnyValue, nodes: Sequence[Node]) -> None:
        """Write what the nodes make to `parts`."""
        for node in nodes:
            self._walk(dot, node)

    def _walk(self, dot: AnyValue, node: Node) -> None:
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

    def _if_or_with(self, dot: AnyValue, node: If | With) -> None:
        known = len(self._variables)
        value = self._pipeline(dot, node.pipeline)
        if truth(unboxed(value)):
            self.nodes(value if isinstance(node, With) else dot, node.then)
        else:
            self.nodes(dot, node.otherwise)
        del self._variables[known:]

    def _range(self, dot: AnyValue, node: Range) -> None:
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

    def _loop(self, value: Value, declared: int) -> list[tuple[Any, AnyValue]]:
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

    def _bind(self, pipeline: Pipeline, index: Value, item: AnyValue) -> None:
        names = [variable.names[0] for variable in pipeline.declared]
        values = [index, item] if len(names) > 1 else [item]
        for place, name in enumerate(names):
            if pipeline.assigns:
                self._assign(name, values[place])
            else:
                self._variables[len(self._variables) - len(names) + place] = (name, values[place])

    def _include(self, dot: AnyValue, node: Include) -> None:
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
