"""A YAML document as a tree that knows its lines, read as leniently as kubectl reads it.

Anchors, aliases and merge keys are fine here, unlike in the project's own files (`yamlio`), and one document
that is none does not hide the others. Plain scalars mean what they mean to go-yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from arcan_gitops.golang.yaml import Ambiguous, Scalar, resolve_plain

_MERGE: Final = "tag:yaml.org,2002:merge"
_NOT_PLAIN: Final = ("'", '"', "|", ">")
_MAX_DEPTH: Final = 100
_NOTHING: Final[Mapping[str, Node]] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """One value: a scalar, a list or a mapping, and the line where it (or its key) stands, from 1.

    Asking for what is not there, or is something else, gives None or nothing: shapes are a schema's to judge.
    """

    line: int
    scalar: Scalar = field(default=None, repr=False)
    children: tuple[Node, ...] | None = field(default=None, repr=False)
    members: Mapping[str, Node] | None = field(default=None, repr=False)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return self.children is not None

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return self.members is not None

    def at(self, *path: str) -> Node | None:
        """The value at a path of field names; None where there is none. An explicit null is a value."""
        node: Node | None = self
        for name in path:
            node = node.members.get(name) if node is not None and node.members is not None else None
        return node

    def text(self, *path: str) -> str | None:
        """The string at a path."""
        node = self.at(*path)
        return node.scalar if node is not None and isinstance(node.scalar, str) else None

    def items(self, *path: str) -> tuple[Node, ...]:
        """The items of the list at a path."""
        node = self.at(*path)
        return (node.children or ()) if node is not None else ()

    def fields(self, *path: str) -> Mapping[str, Node]:
        """The members of the mapping at a path."""
        node = self.at(*path)
        return (node.members if node is not None else None) or _NOTHING

    def texts(self, *path: str) -> tuple[str, ...]:
        """The strings in the list at a path."""
        return tuple(item.scalar for item in self.items(*path) if isinstance(item.scalar, str))

    def walk(self) -> Iterator[Node]:
        """This node and all below it, each once, however often aliases repeat it."""
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            waiting += reversed((*(node.children or ()), *(node.members or _NOTHING).values()))


class Unreadable(Exception):
    """Text that is no YAML document; `line` counts from 1, and `problem` quotes nothing."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def read_nodes(text: str, first_line: int) -> list[Node]:
    """The non-empty documents of a text whose first line is `first_line` of its file. Raises `Unreadable`."""
    loader = yaml.CSafeLoader(text)
    found = []
    try:
        while loader.check_node():
            found.append(_Reader(first_line).node(loader.get_node(), 0))
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark is not None else 0)
        raise Unreadable(line, "not readable as YAML") from None
    finally:
        loader.dispose()
    return [node for node in found if node.is_list or node.is_mapping or node.scalar is not None]


class _Reader:
    def __init__(self, first_line: int) -> None:
        self._first = first_line
        self._done: dict[int, Node] = {}  # an alias is read once, so that a bomb of them stays small
        self._open: set[int] = set()

    def _line(self, source: Any) -> int:
        line: int = self._first + source.start_mark.line
        return line

    def node(self, source: Any, depth: int, line: int | None = None) -> Node:
        """`line`: of the key, for a member of a mapping."""
        known = self._done.get(id(source))
        if known is not None:
            return known
        if id(source) in self._open or depth > _MAX_DEPTH:
            raise Unreadable(self._line(source), "nested too deeply")
        self._open.add(id(source))
        at = self._line(source) if line is None else line
        if isinstance(source, yaml.ScalarNode):
            node = Node(at, scalar=_scalar(source))
        elif isinstance(source, yaml.SequenceNode):
            node = Node(at, children=tuple(self.node(item, depth + 1) for item in source.value))
        else:
            node = Node(at, members=self._members(source, depth))
        self._open.discard(id(source))
        self._done[id(source)] = node
        return node

    def _members(self, source: Any, depth: int) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key, value in source.value:
            if key.tag == _MERGE:
                others = self.node(value, depth + 1)
                for other in others.children or (others,):
                    merged = {**(other.members or _NOTHING), **merged}
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = self.node(value, depth + 1, self._line(key))
            else:
                raise Unreadable(self._line(key), "a mapping or a list as a key, as an unquoted {{ gives")
        return {**merged, **own}


def _scalar(source: Any) -> Scalar:
    text: str = source.value
    if source.style in _NOT_PLAIN:
        return text
    try:
        return resolve_plain(text)
    except (Ambiguous, OverflowError):
        return text
