"""Edits of a document's text: what holds for every text that is made of `{}` and `[]`, JSON or YAML.

A path leads through the tree as it is stored, encrypted comments in lists and the `sops` block included.
Every edit gives `Splice`s of the text; `spliced` makes the new text of them, and touches nothing else. What a
layout does not allow to be edited with certainty raises `CannotEdit`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from arcan_gitops.sops.errors import CannotEdit
from arcan_gitops.sops.nodes import Mapping, Node, Scalar, Sequence

RawPath = tuple[str | int, ...]
_BOM: Final = "\ufeff"
_TRIVIA: Final = re.compile(r"(?:[ \t\r\n]+|(?<![^ \t\r\n\[\]{},:\-])#[^\n]*)*")


class Splice(NamedTuple):
    """`text[start:end]` becomes `text`."""

    start: int
    end: int
    text: str


def splice(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made, those at one place in their order. Raises `CannotEdit` for overlaps."""
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(splices, key=lambda splice: splice[:2]):
        if start < at:
            raise CannotEdit("two edits of one place")
        parts += (text[at:start], new)
        at = end
    return "".join(parts) + text[at:]


class FlowText(ABC):
    """The text of one document, and where everything in it stands."""

    def __init__(self, data: bytes) -> None:
        """Raises `CannotEdit` for what is not UTF-8."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise CannotEdit("not UTF-8", hint="save the document as UTF-8") from None
        self._bom = _BOM if text.startswith(_BOM) else ""
        self.text = text.removeprefix(_BOM)
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self.root = self.read()

    @abstractmethod
    def read(self) -> Mapping:
        """The nodes of the text."""

    @abstractmethod
    def written(self, value: Any, at: int) -> str:
        """A value as it stands in flow style, in the line of `at`."""

    @abstractmethod
    def written_entry(self, key: str, value: Any, at: int) -> str:
        """The same for a key and its value."""

    @abstractmethod
    def written_key(self, key: str) -> str:
        """The same for a key."""

    def data(self) -> bytes:
        """The bytes of the file."""
        return (self._bom + self.text).encode()

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The bytes of the file with all splices made; they must not overlap."""
        return (self._bom + splice(self.text, splices)).encode()

    def replace(self, path: RawPath, value: Any) -> list[Splice]:
        """Replace the value at a path that exists."""
        _, node, after = self.find(path)
        space = " " if node.start == node.end and node.start == after else ""
        return [Splice(node.start, node.end, space + self.written(value, node.start))]

    def insert(self, path: RawPath, key: str | None, value: Any) -> list[Splice]:
        """Add a key at the end of the mapping at `path`, or (`key` is None) an item at the end of a list."""
        container = self.container(path)
        if not children(container):
            return self.replace(path, [value] if key is None else {key: value})
        starts = self.starts(container)
        last = children(container)[-1].end
        text = self.written(value, starts[-1]) if key is None else self.written_entry(key, value, starts[-1])
        line = self.line_start(starts[-1])
        own_line = not self.text[line : starts[-1]].strip()
        gap = self.newline + self.text[line : starts[-1]] if own_line else " "
        if not path and self.sops_is_last():
            return [Splice(starts[-1], starts[-1], f"{text},{gap}")]
        comma = self.skip(last)
        if self.text[comma : comma + 1] == ",":
            return [Splice(comma + 1, comma + 1, gap + text)]
        return [Splice(last, last, f",{gap}{text}")]

    def remove(self, path: RawPath) -> list[Splice]:
        """Remove a key or an item; if it was the only one, `{}` or `[]` stays."""
        parent, node, _ = self.find(path)
        starts = self.starts(parent)
        position = self.position(parent, path[-1])
        if len(starts) == 1:
            return self.replace(path[:-1], [] if isinstance(parent, Sequence) else {})
        if position + 1 < len(starts):
            return [Splice(starts[position], starts[position + 1], "")]
        return [Splice(children(parent)[position - 1].end, node.end, "")]

    def rename(self, path: RawPath, name: str) -> list[Splice]:
        """Rename the key at `path`."""
        key = self.key(path)
        return [Splice(key.start, key.end, self.written_key(name))]

    def comments(self) -> Iterator[tuple[int, int, str]]:
        """(start, end, `ENC[...]`) of each encrypted comment."""
        yield from ()

    # Where things are.

    def container(self, path: RawPath) -> Mapping | Sequence:
        """The map or list at a path."""
        node: Node = self.root
        for step in path:
            assert not isinstance(node, Scalar)
            node = node.entries[str(step)][1] if isinstance(node, Mapping) else node.items[int(step)]
        assert not isinstance(node, Scalar)
        return node

    def key(self, path: RawPath) -> Scalar:
        """The key at a path."""
        parent = self.container(path[:-1])
        assert isinstance(parent, Mapping)
        return parent.entries[str(path[-1])][0]

    def find(self, path: RawPath) -> tuple[Mapping | Sequence, Node, int]:
        """(the container, the node, where the text behind its colon or dash starts)"""
        parent = self.container(path[:-1])
        if isinstance(parent, Mapping):
            key, node = parent.entries[str(path[-1])]
            return parent, node, self.skip(key.end, ":")
        node = parent.items[int(path[-1])]
        return parent, node, node.start

    def starts(self, container: Mapping | Sequence) -> list[int]:
        """Where each entry starts."""
        if isinstance(container, Mapping):
            return [key.start for key, _ in container.entries.values()]
        return [child.start for child in container.items]

    def position(self, container: Mapping | Sequence, last: str | int) -> int:
        """Which of the entries the last step of a path means."""
        return list(container.entries).index(str(last)) if isinstance(container, Mapping) else int(last)

    def sops_is_last(self) -> bool:
        """Whether the metadata stands at the end, where SOPS writes it: new keys come before it."""
        return next(reversed(self.root.entries), None) == "sops"

    def skip(self, at: int, expected: str = "") -> int:
        """Behind blanks, line breaks and comments; and behind the one character that must stand there."""
        match = _TRIVIA.match(self.text, at)
        assert match is not None
        if expected and self.text[match.end() : match.end() + 1] != expected:
            raise CannotEdit(
                f"line {self.text.count(chr(10), 0, at) + 1}: a layout that cannot be edited safely",
                hint="write it in block style, without anchors and explicit keys, or edit it with sops",
            )
        return match.end() + len(expected)

    def line_start(self, at: int) -> int:
        """Where the line of `at` starts."""
        return self.text.rfind("\n", 0, at) + 1


def children(container: Mapping | Sequence) -> list[Node]:
    """The values of a map, or the items of a list."""
    if isinstance(container, Mapping):
        return [value for _, value in container.entries.values()]
    return container.items
