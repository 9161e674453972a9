"""Edits of a YAML document's text that touch nothing else: no other value, comment, quote or line break.

Comments: one at the end of a value's line stays when the value changes, and goes when the key is removed; a
comment inside a removed map or list, or below its last value and deeper than its key, goes with it; comment
lines above a key stay, as `sops unset` leaves them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from arcan_gitops.sops import emit_yaml
from arcan_gitops.sops.edit_flow import FlowText, RawPath, Splice, children
from arcan_gitops.sops.emit_yaml import Piece
from arcan_gitops.sops.errors import CannotEdit
from arcan_gitops.sops.nodes import Mapping, Node, Scalar, Sequence, read_yaml, scalars

_COMMENT: Final = re.compile(r"#(ENC\[AES256_GCM,[A-Za-z0-9+/=:,]*?,type:comment\])")
_COMMENT_BELOW: Final = re.compile(r"(?:[ \t]*\r?\n)*( *)#")
_BLANKS: Final = re.compile(r"\s*")


class YamlText(FlowText):
    """The text of one YAML document. Raises `CannotEdit` for line breaks other than LF and CRLF."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._step = self._indentation()

    def read(self) -> Mapping:
        return read_yaml(self.text)

    def written(self, value: Any, at: int) -> str:
        return emit_yaml.flow(value)

    def written_entry(self, key: str, value: Any, at: int) -> str:
        return emit_yaml.flow({key: value})[1:-1]

    def written_key(self, key: str) -> str:
        return emit_yaml.key_text(key, '"')

    def replace(self, path: RawPath, value: Any) -> list[Splice]:
        parent, node, after = self.find(path)
        if parent.flow:
            return [self._inline(node, _requoted(node, value, emit_yaml.flow(value)), after)]
        new = self._piece(parent, node, path[-1], value)
        if isinstance(node, Scalar) and not new.rest and node.style not in ("|", ">"):
            return [self._inline(node, _requoted(node, value, new.head), after)]
        if _is_block(node) and self.line_start(node.start) > after:
            entry = self.starts(parent)[self.position(parent, path[-1])]
            return self._replace_below(self._column(entry), node, after, new)
        if _is_block(node) or (isinstance(node, Scalar) and node.style in ("|", ">")):
            end = self._end_of_line(node.end) if _is_block(node) else node.end
            return [Splice(node.start if new.head else after, end, self._joined(new))]
        start = node.start if new.head else after
        head = f" {new.head}" if new.head and start == after else new.head
        below = self._end_of_line(node.end)
        return [Splice(start, node.end, head), Splice(below, below, self._joined(Piece("", new.rest)))]

    def insert(self, path: RawPath, key: str | None, value: Any) -> list[Splice]:
        container = self.container(path)
        if container.flow:
            return super().insert(path, key, value)
        last = children(container)[-1].end
        column = self._column(self._first(container))
        if key is None:
            lines = emit_yaml.item(value, column, self._step)
            return [self._insert_lines(self._below(last, column + 1), lines)]
        lines = emit_yaml.entry(key, value, column, self._step)
        if not path and self.sops_is_last():
            start = self.line_start(self.starts(self.root)[-1])
            return [Splice(start, start, "".join(line + self.newline for line in lines))]
        below = self._below(last, column if path else column + 1)
        return [self._insert_lines(below, lines)]

    def remove(self, path: RawPath) -> list[Splice]:
        parent, node, _ = self.find(path)
        starts = self.starts(parent)
        if parent.flow or len(starts) == 1:
            return super().remove(path)
        position = self.position(parent, path[-1])
        start = starts[position]
        column = self._column(start)
        below = self._below(node.end, column + 1)
        line = self.line_start(start)
        if not self.text[line:start].strip():
            if below < len(self.text):
                return [Splice(line, self._next_line(below), "")]
            return [Splice(len(self.text[:line].removesuffix("\n").removesuffix("\r")), below, "")]
        if self.text[line:start].strip(" -") or position != 0:
            raise CannotEdit("a layout in which one key cannot be taken out")
        following = _BLANKS.match(self.text, below)
        assert following is not None
        return [Splice(start, following.end(), "")]

    def rename(self, path: RawPath, name: str) -> list[Splice]:
        key = self.key(path)
        if key.style in ("|", ">"):
            raise CannotEdit("a key in a form that is not edited")
        if self.container(path[:-1]).flow:
            return super().rename(path, name)
        style = key.style if key.style and emit_yaml.is_plain(key.value) else None
        return [Splice(key.start, key.end, emit_yaml.key_text(name, style))]

    def comments(self) -> Iterator[tuple[int, int, str]]:
        spans = sorted((scalar.start, scalar.end) for scalar in scalars(self.root))
        at = 0
        for match in _COMMENT.finditer(self.text):
            while at < len(spans) and spans[at][1] <= match.start():
                at += 1
            if at == len(spans) or spans[at][0] > match.start():
                yield match.start(1), match.end(1), match[1]

    def end_of_entry(self, node: Node) -> int:
        """Where the lines of a top-level key with this value end, the comments that belong to it included."""
        return self._next_line(self._below(node.end, self._column(self._first(self.root)) + 1))

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
            as_it_is = _is_block(node) and isinstance(node, same[0]) and self.line_start(node.start) > key.end
            child = self._column(self._first(node)) if as_it_is else None
            return emit_yaml.piece(value, self._column(self._question_mark(key.start)), self._step, child)
        assert isinstance(parent, Sequence)
        return emit_yaml.item_piece(value, self._column(self.starts(parent)[int(last)]), self._step)

    def _inline(self, node: Node, text: str, after: int) -> Splice:
        space = " " if node.start == node.end and node.start == after else ""
        return Splice(node.start, node.end, space + text)

    def _joined(self, new: Piece) -> str:
        return new.head + "".join(self.newline + line for line in new.rest)

    def _insert_lines(self, at: int, lines: list[str]) -> Splice:
        """Lines below the line that ends at `at`."""
        return Splice(at, at, "".join(self.newline + line for line in lines))

    # Where things are.

    def find(self, path: RawPath) -> tuple[Mapping | Sequence, Node, int]:
        parent, node, after = super().find(path)
        if isinstance(parent, Sequence) and not parent.flow:
            after = self.starts(parent)[int(path[-1])] + 1
        return parent, node, after

    def starts(self, container: Mapping | Sequence) -> list[int]:
        """Where each entry starts: at its key, at the `?` before it, or at its dash."""
        if container.flow:
            return super().starts(container)
        if isinstance(container, Mapping):
            return [self._question_mark(key.start) for key, _ in container.entries.values()]
        starts = []
        at = container.start
        for child in container.items:
            starts.append(self.skip(at, "-") - 1)
            at = child.end
        return starts

    def _question_mark(self, key: int) -> int:
        line = self.line_start(key)
        before = self.text[line:key].rstrip(" ")
        return line + len(before) - 1 if before.endswith("?") else key

    def _first(self, node: Node) -> int:
        if isinstance(node, Mapping) and not node.flow:  # as `starts`, of one entry: of 10,000 all are asked
            key, _ = next(iter(node.entries.values()))
            return self._question_mark(key.start)
        return node.start if isinstance(node, Scalar) else self.starts(node)[0]

    def _column(self, at: int) -> int:
        return at - self.line_start(at)

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
            found = _COMMENT_BELOW.match(self.text, line)
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


def _requoted(old: Node, value: Any, new: str) -> str:
    """The new value in the quotes of the old one, where those were somebody's choice."""
    if not isinstance(old, Scalar) or old.style not in ("'", '"') or type(value) is not str:
        return new
    if old.value and value and emit_yaml.is_plain(old.value):
        return emit_yaml.text_scalar(value, old.style)
    return new
