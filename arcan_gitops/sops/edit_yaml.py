"""Edits of a YAML document's text that touch nothing else: no other value, comment, quote or line break.

A path leads through the tree as it is stored, encrypted comments in lists and the `sops` block included.
Every function gives `Splice`s of the text; `spliced` makes the new text of them. What a layout does not
allow to be edited with certainty raises `CannotEdit`.

Comments: one at the end of a value's line stays when the value changes, and goes when the key is removed; a
comment inside a removed map or list, or below its last value and deeper than its key, goes with it; comment
lines above a key stay, as `sops unset` leaves them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Listed
from typing import Any, Final, NamedTuple

from arcan_gitops.sops import emit_yaml
from arcan_gitops.sops.emit_yaml import Piece
from arcan_gitops.sops.errors import CannotEdit
from arcan_gitops.sops.nodes import Mapping, Node, Scalar, Sequence, read_yaml, scalars

RawPath = tuple[str | int, ...]
_BOM: Final = "\ufeff"
_TRIVIA: Final = re.compile(r"(?:[ \t\r\n]+|(?<![^ \t\r\n\[\]{},:\-])#[^\n]*)*")
_COMMENT: Final = re.compile(r"#(ENC\[AES256_GCM,[^\r\n]*?,type:comment\])")


class Splice(NamedTuple):
    """`text[start:end]` becomes `text`."""

    start: int
    end: int
    text: str


class YamlText:
    """The text of one YAML document, and where everything in it stands."""

    def __init__(self, text: str) -> None:
        self._bom = _BOM if text.startswith(_BOM) else ""
        self.text = text.removeprefix(_BOM)
        self.root = read_yaml(self.text)
        self._newline = "\r\n" if "\r\n" in self.text else "\n"
        self._step = self._indentation()

    @classmethod
    def parse(cls, data: bytes) -> YamlText:
        """Raises `CannotEdit` for what is not UTF-8 with LF or CRLF."""
        try:
            return cls(data.decode())
        except UnicodeDecodeError:
            raise CannotEdit("not UTF-8", hint="save the document as UTF-8") from None

    def data(self) -> bytes:
        """The bytes of the file."""
        return (self._bom + self.text).encode()

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The bytes of the file with all splices made; they must not overlap."""
        parts: list[str] = []
        at = 0
        for start, end, text in sorted(splices, key=lambda splice: splice[:2]):
            if start < at:
                raise CannotEdit("two edits of one place")
            parts += (self.text[at:start], text)
            at = end
        return (self._bom + "".join(parts) + self.text[at:]).encode()

    # What may be done.

    def replace(self, path: RawPath, value: Any) -> list[Splice]:
        """Another value at a path that exists."""
        parent, node, after = self._find(path)
        if parent.flow:
            return [self._inline(node, _requoted(node, value, emit_yaml.flow(value)), after)]
        new = self._piece(parent, node, path[-1], value)
        if isinstance(node, Scalar) and not new.rest and node.style not in ("|", ">"):
            return [self._inline(node, _requoted(node, value, new.head), after)]
        if _is_block(node) and self._line_start(node.start) > after:
            entry = self._starts(parent)[self._position(parent, path[-1])]
            return self._replace_below(self._column(entry), node, after, new)
        if _is_block(node) or (isinstance(node, Scalar) and node.style in ("|", ">")):
            end = self._end_of_line(node.end) if _is_block(node) else node.end
            return [Splice(node.start if new.head else after, end, self._joined(new))]
        start = node.start if new.head else after
        head = f" {new.head}" if new.head and start == after else new.head
        below = self._end_of_line(node.end)
        return [Splice(start, node.end, head), Splice(below, below, self._joined(Piece("", new.rest)))]

    def insert(self, path: RawPath, key: str | None, value: Any) -> list[Splice]:
        """A new key at the end of the mapping at `path`, or (`key` is None) an item at the end of a list."""
        container = self._node(path)
        children = _children(container)
        if not children:
            return self.replace(path, [value] if key is None else {key: value})
        if container.flow:
            return [self._insert_flow(container, key, value)]
        column = self._column(self._first(container))
        if key is None:
            lines = emit_yaml.item(value, column, self._step)
            return [self._insert_lines(self._below(children[-1].end, column + 1), lines)]
        lines = emit_yaml.entry(key, value, column, self._step)
        if not path and list(self.root.entries)[-1] == "sops":
            start = self._line_start(self.root.entries["sops"][0].start)
            if self.text[start : self.root.entries["sops"][0].start].strip():
                raise CannotEdit("the 'sops' key does not begin its line")
            return [Splice(start, start, "".join(line + self._newline for line in lines))]
        below = self._below(children[-1].end, column if path else column + 1)
        return [self._insert_lines(below, lines)]

    def remove(self, path: RawPath) -> list[Splice]:
        """A key or an item less; where it was the only one, `{}` or `[]` stays."""
        parent, node, _ = self._find(path)
        starts = self._starts(parent)
        if len(starts) == 1:
            return self.replace(path[:-1], [] if isinstance(parent, Sequence) else {})
        position = self._position(parent, path[-1])
        start = starts[position]
        if parent.flow:
            return [self._remove_flow(parent, position, starts)]
        column = self._column(start)
        below = self._below(node.end, column + 1)
        line = self._line_start(start)
        if not self.text[line:start].strip():
            if below < len(self.text):
                return [Splice(line, self._next_line(below), "")]
            return [Splice(len(self.text[:line].removesuffix("\n").removesuffix("\r")), below, "")]
        if self.text[line:start].strip(" -") or position != 0:
            raise CannotEdit("a layout in which one key cannot be taken out")
        following = re.compile(r"\s*").match(self.text, below)
        assert following is not None
        return [Splice(start, following.end(), "")]

    def rename(self, path: RawPath, name: str) -> list[Splice]:
        """Another name for the key at `path`."""
        parent = self._node(path[:-1])
        assert isinstance(parent, Mapping)
        key, _ = parent.entries[str(path[-1])]
        if key.style in ("|", ">"):
            raise CannotEdit("a key in a form that is not edited")
        if parent.flow:
            return [Splice(key.start, key.end, emit_yaml.key_text(name, '"'))]
        style = key.style if key.style and emit_yaml.is_plain(key.value) else None
        return [Splice(key.start, key.end, emit_yaml.key_text(name, style))]

    def comments(self) -> Iterator[tuple[int, int, str]]:
        """(start, end, `ENC[...]`) of each encrypted comment that is one to YAML."""
        spans = sorted((scalar.start, scalar.end) for scalar in scalars(self.root))
        at = 0
        for match in _COMMENT.finditer(self.text):
            while at < len(spans) and spans[at][1] <= match.start():
                at += 1
            if at == len(spans) or spans[at][0] > match.start():
                yield match.start(1), match.end(1), match[1]

    # How it is done.

    def _replace_below(self, column: int, node: Node, after: int, new: Piece) -> list[Splice]:
        """A block that starts below its key or dash at `column`: the rest of that line stays."""
        line = self._end_of_line(after)
        end = self._below(node.end, column + 1)
        below = Splice(line, end, self._joined(Piece("", new.rest)))
        return [Splice(after, after, f" {new.head}"), below] if new.head else [below]

    def _piece(self, parent: Node, node: Node, last: str | int, value: Any) -> Piece:
        if isinstance(parent, Mapping):
            key, _ = parent.entries[str(last)]
            same = (Mapping, dict) if isinstance(value, dict) else (Sequence, list)
            as_it_is = (
                _is_block(node) and isinstance(node, same[0]) and self._line_start(node.start) > key.end
            )
            child = self._column(self._first(node)) if as_it_is else None
            return emit_yaml.piece(value, self._column(self._question_mark(key.start)), self._step, child)
        assert isinstance(parent, Sequence)
        return emit_yaml.item_piece(value, self._column(self._starts(parent)[int(last)]), self._step)

    def _inline(self, node: Node, text: str, after: int) -> Splice:
        space = " " if node.start == node.end and node.start == after else ""
        return Splice(node.start, node.end, space + text)

    def _joined(self, new: Piece) -> str:
        return new.head + "".join(self._newline + line for line in new.rest)

    def _insert_lines(self, at: int, lines: Listed[str]) -> Splice:
        """Lines below the line that ends at `at`."""
        return Splice(at, at, "".join(self._newline + line for line in lines))

    def _insert_flow(self, container: Mapping | Sequence, key: str | None, value: Any) -> Splice:
        starts = self._starts(container)
        last = _children(container)[-1].end
        text = emit_yaml.flow(value) if key is None else f"{emit_yaml.flow({key: value})[1:-1]}"
        line = self._line_start(starts[-1])
        own_line = not self.text[line : starts[-1]].strip()
        gap = self._newline + self.text[line : starts[-1]] if own_line else " "
        if container is self.root and list(self.root.entries)[-1] == "sops":
            return Splice(starts[-1], starts[-1], text + "," + gap)
        comma = self._skip(last)
        if self.text[comma : comma + 1] == ",":
            return Splice(comma + 1, comma + 1, gap + text)
        return Splice(last, last, "," + gap + text)

    def _remove_flow(self, container: Mapping | Sequence, position: int, starts: list[int]) -> Splice:
        if position + 1 < len(starts):
            return Splice(starts[position], starts[position + 1], "")
        children = _children(container)
        return Splice(children[position - 1].end, children[position].end, "")

    # Where things are.

    def _node(self, path: RawPath) -> Mapping | Sequence:
        node: Node = self.root
        for step in path:
            node = node.entries[str(step)][1] if isinstance(node, Mapping) else node.items[int(step)]  # type: ignore[union-attr]
        assert not isinstance(node, Scalar)
        return node

    def _find(self, path: RawPath) -> tuple[Mapping | Sequence, Node, int]:
        """(the container, the node, where the text behind its colon or dash starts)"""
        parent = self._node(path[:-1])
        if isinstance(parent, Mapping):
            key, node = parent.entries[str(path[-1])]
            return parent, node, self._skip(key.end, ":")
        node = parent.items[int(path[-1])]
        if parent.flow:
            return parent, node, node.start
        return parent, node, self._starts(parent)[int(path[-1])] + 1

    def _starts(self, container: Mapping | Sequence) -> list[int]:
        """Where each entry starts: at its key, at the `?` before it, or at its dash."""
        if isinstance(container, Mapping):
            starts = [key.start for key, _ in container.entries.values()]
            if not container.flow:
                starts = [self._question_mark(start) for start in starts]
        elif container.flow:
            return [child.start for child in container.items]
        else:
            starts = []
            at = container.start
            for child in container.items:
                starts.append(self._skip(at, "-") - 1)
                at = child.end
        return starts

    def _question_mark(self, key: int) -> int:
        line = self._line_start(key)
        before = self.text[line:key].rstrip(" ")
        return line + len(before) - 1 if before.endswith("?") else key

    def _first(self, node: Node) -> int:
        return node.start if isinstance(node, Scalar) else self._starts(node)[0]

    def _position(self, container: Mapping | Sequence, last: str | int) -> int:
        return list(container.entries).index(str(last)) if isinstance(container, Mapping) else int(last)

    def _skip(self, at: int, expected: str = "") -> int:
        """Behind blanks, line breaks and comments; and behind the one character that must stand there."""
        match = _TRIVIA.match(self.text, at)
        assert match is not None
        if expected and self.text[match.end() : match.end() + 1] != expected:
            raise CannotEdit(
                f"line {self.text.count(chr(10), 0, at) + 1}: a layout that cannot be edited safely",
                hint="write it in block style, without anchors and explicit keys, or edit it with sops",
            )
        return match.end() + len(expected)

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _column(self, at: int) -> int:
        return at - self._line_start(at)

    def _end_of_line(self, at: int) -> int:
        """Where the line of `at` ends, before its line break."""
        end = self.text.find("\n", at)
        if end < 0:
            return len(self.text)
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def _next_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def _below(self, at: int, column: int) -> int:
        """The end of the line of `at`, and of the comment lines below that stand at `column` or deeper."""
        end = self._end_of_line(at)
        while True:
            line = self._next_line(end)
            found = re.compile(r"(?:[ \t]*\r?\n)*( *)#").match(self.text, line)
            if found is None or len(found[1]) < column or line >= len(self.text):
                return end
            end = self._end_of_line(found.end())

    def _indentation(self) -> int:
        """How many columns a level has, as the `sops` block shows it."""
        block = self.root.entries.get("sops")
        if block is None or not _is_block(block[1]):
            return emit_yaml.STEP
        return self._column(self._first(block[1])) - self._column(block[0].start)


def _is_block(node: Node) -> bool:
    return not isinstance(node, Scalar) and not node.flow


def _children(container: Mapping | Sequence) -> list[Node]:
    if isinstance(container, Mapping):
        return [value for _, value in container.entries.values()]
    return container.items


def _requoted(old: Node, value: Any, new: str) -> str:
    """The new value in the quotes of the old one, where those were somebody's choice."""
    if not isinstance(old, Scalar) or old.style not in ("'", '"') or type(value) is not str:
        return new
    if old.value and value and emit_yaml.is_plain(old.value):
        return emit_yaml.text_scalar(value, old.style)
    return new
