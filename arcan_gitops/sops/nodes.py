"""Where each value of a document stands in its text: the map that an edit goes by.

The nodes mirror the tree that the store of the format reads, with the positions that libyaml gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from arcan_gitops.sops.errors import CannotEdit

_ODD_BREAK: Final = re.compile("\r(?!\n)|[\x85\u2028\u2029]")


@dataclass(slots=True)
class Scalar:
    """One scalar; `text[start:end]` is how it is written. `style` is one of `"`, `'`, `|`, `>`, or empty."""

    start: int
    end: int
    style: str
    value: str


@dataclass(slots=True)
class Mapping:
    """One mapping; where it is in block style, `end` is where its last value ends."""

    start: int
    end: int
    flow: bool
    entries: dict[str, tuple[Scalar, Node]]


@dataclass(slots=True)
class Sequence:
    """One list; `end` as in `Mapping`."""

    start: int
    end: int
    flow: bool
    items: list[Node]


Node = Scalar | Mapping | Sequence


def read_yaml(text: str) -> Mapping:
    """The nodes of a text of one YAML document, which the store has read before.

    Raises `CannotEdit` where its lines end in anything but LF or CRLF: libyaml counts them otherwise.
    """
    if _ODD_BREAK.search(text):
        raise CannotEdit("line breaks other than LF and CRLF", hint="edit the document with sops")
    reader = _Reader(text)
    root = reader.root()
    assert isinstance(root, Mapping)
    return root


def scalars(node: Node) -> Iterator[Scalar]:
    """All scalars, keys included, in the order of the text."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.entries.values():
            yield key
            yield from scalars(value)
    else:
        for item in node.items:
            yield from scalars(item)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._next = CParser(text).get_event

    def root(self) -> Node:
        for _ in range(2):
            self._next()
        return self._node(self._next())

    def _node(self, event: Any) -> Node:
        start, end = _index(event.start_mark), _index(event.end_mark)
        if type(event) is ScalarEvent:
            style = event.style or ""
            if style in ("|", ">"):
                end = self._block_end(start, end)
            return Scalar(start, end, style, event.value)
        if type(event) is MappingStartEvent:
            entries: dict[str, tuple[Scalar, Node]] = {}
            while type(found := self._next()) is not MappingEndEvent:
                key = self._node(found)
                assert isinstance(key, Scalar)
                entries[key.value] = (key, self._node(self._next()))
            if event.flow_style:
                return Mapping(start, _index(found.end_mark), True, entries)
            return Mapping(
                start, next((node.end for _, node in reversed(entries.values())), end), False, entries
            )
        assert type(event) is SequenceStartEvent
        items: list[Node] = []
        while type(found := self._next()) is not SequenceEndEvent:
            items.append(self._node(found))
        if event.flow_style:
            return Sequence(start, _index(found.end_mark), True, items)
        return Sequence(start, items[-1].end if items else end, False, items)

    def _block_end(self, start: int, end: int) -> int:
        """The end of a block scalar's last line, without its line break.

        libyaml includes the blank lines below it; they belong to the value only where it keeps them ("+").
        """
        text = self._text
        header = text[start : text.find("\n", start, end) + 1 or end]
        if "+" not in header.split("#")[0]:
            line_break = text.find("\n", start + len(text[start:end].rstrip(" \t\r\n")), end)
            if line_break >= 0:  # blanks before it are a part of the line
                end = line_break - (text[line_break - 1] == "\r")
        elif text[end - 1 : end] == "\n":
            end -= 2 if text[end - 2 : end] == "\r\n" else 1
        return end


def _index(mark: Any) -> int:
    return int(mark.index)
