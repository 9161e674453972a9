"""A YAML document as a tree that knows its lines, read as leniently as kubectl reads it.

A key that is given twice is fine here, unlike in the project's own files (`yamlio`), and one document that is
none does not hide the others. Plain scalars mean what they mean to go-yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from arcan_gitops.golang.yaml import Ambiguous, Scalar, resolve_plain
from arcan_gitops.yamlio import Composer

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

    def __init__(self, line: int, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Oddity:
    """YAML that is legal, and that not every program reads alike; `line` counts from 1."""

    line: int
    problem: str
    hint: str


@dataclass(frozen=True, slots=True)
class Nodes:
    """The non-empty documents of a text, and what is odd in it."""

    documents: tuple[Node, ...]
    oddities: tuple[Oddity, ...]


def read_nodes(text: str, first_line: int) -> Nodes:
    """What a text holds whose first line is `first_line` of its file. Raises `Unreadable`."""
    reader = _Reader(text, first_line)
    try:
        found = tuple(node for _, node in reader.documents())
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark is not None else 0)
        raise Unreadable(line, "not readable as YAML") from None
    except UnicodeError:  # in an escape that libyaml takes and Python does not
        raise Unreadable(first_line, "not readable as UTF-8") from None
    full = tuple(node for node in found if node.is_list or node.is_mapping or node.scalar is not None)
    return Nodes(full, tuple(reader.oddities))


class _Reader(Composer[Node]):
    def __init__(self, text: str, first_line: int) -> None:
        super().__init__(text)
        self._above = first_line - 1
        self.oddities: list[Oddity] = []

    def refuse(self, line: int, problem: str, hint: str | None = None) -> NoReturn:
        raise Unreadable(self._above + line, problem, hint or "")

    def scalar(self, event: Any, line: int) -> Node:
        return Node(self._above + line, scalar=_scalar(event))

    def sequence(self, line: int, items: list[tuple[int, Node]]) -> Node:
        return Node(self._above + line, children=tuple(item for _, item in items))

    def mapping(self, line: int, members: dict[str, tuple[int, Node]]) -> Node:
        return Node(self._above + line, members={name: node for name, (_, node) in members.items()})

    def name(self, event: Any) -> str:
        text: str = event.value
        return text

    def members(self, value: Node) -> Mapping[str, tuple[int, Node]] | None:
        if value.members is None:
            return None
        return {name: (node.line - self._above, node) for name, node in value.members.items()}

    def items(self, value: Node) -> list[Node] | None:
        return list(value.children) if value.children is not None else None

    def anchored_again(self, event: Any) -> None:
        self.oddities.append(
            Oddity(
                self._above + self._line(event),
                "an anchor given twice: to kubectl, kustomize and Flux an alias means the one above it;"
                " other programs refuse the document",
                "give each its own name",
            )
        )

    def merged_over(self, event: Any, name: str) -> None:
        self.oddities.append(
            Oddity(
                self._above + self._line(event),
                f"'<<' stands below the key {name[:60]!r} that it brings too: kubectl takes what '<<' brings,"
                " and kustomize what is written out",
                "write '<<' as the first member of the mapping",
            )
        )


def _scalar(event: Any) -> Scalar:
    text: str = event.value
    if not event.implicit[0]:  # quoted, a block, or tagged
        return text
    try:
        return resolve_plain(text)
    except (Ambiguous, OverflowError):
        return text
