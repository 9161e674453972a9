"""A template's text and actions, trim markers, comments and `{{ if }}` blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.action import parse_pipeline
from arcan_gitops.golang.template.tree import Action, If, Node, Template, Text

_SPACE: Final = " \t\r\n"
# A minus trims only with a space on its inner side: `{{-3}}` is a number.
_OPENING: Final = re.compile(r"\{\{(?P<trim>-[ \t\r\n])?")
_TRIMMING: Final = re.compile(r"[ \t\r\n]-\Z")


def parse(source: str, *, name: str = "webhooktemplate") -> Template:
    """The tree of a template. Raises `GoError` (Go's parse error) and `NotSupported`."""
    return Template(name, source, _Parser(name, source).parse())


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text, or the inside of an action (`action` True) that begins at `offset`."""

    text: str
    offset: int
    action: bool


class _Parser:
    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source
        self._pieces = list(self._split())
        self._at = 0

    def parse(self) -> tuple[Node, ...]:
        nodes, ended_by = self._nodes()
        if ended_by is not None:
            raise self._wrong(ended_by.offset, f"unexpected {{{{{ended_by.text.split()[0]}}}}}")
        return nodes

    def _wrong(self, offset: int, problem: str) -> GoError:
        line = self._source.count("\n", 0, offset) + 1
        return GoError(f"template: {self._name}:{line}: {problem}")

    def _split(self) -> Iterator[_Piece]:
        at, trim = 0, False
        while True:
            opening = _OPENING.search(self._source, at)
            text = self._source[at : opening.start() if opening else len(self._source)]
            text = text.lstrip(_SPACE) if trim else text
            if opening is None:
                yield _Piece(text, at, False)
                return
            yield _Piece(text.rstrip(_SPACE) if opening["trim"] else text, at, False)
            end = self._closing(opening.end())
            content = self._source[opening.end() : end]
            trim = _TRIMMING.search(content) is not None
            if not content.startswith("/*"):
                yield _Piece(content.removesuffix("-") if trim else content, opening.end(), True)
            at = end + 2

    def _closing(self, at: int) -> int:
        """The offset of the `}}` that closes the action whose inside begins at `at`."""
        if self._source.startswith("/*", at):
            end = self._source.find("*/", at)
            close = self._source.find("}}", end)
            if end < 0 or close < 0 or self._source[end + 2 : close].strip(_SPACE) not in ("", "-"):
                raise self._wrong(
                    at, "unclosed comment" if end < 0 else "comment ends before closing delimiter"
                )
            return close
        while at < len(self._source):
            if self._source.startswith("}}", at):
                return at
            quote = self._source[at]
            if quote in "\"`'":
                at += 1
                while at < len(self._source) and self._source[at] != quote:
                    at += 2 if quote != "`" and self._source[at] == "\\" else 1
                if at >= len(self._source):
                    raise self._wrong(at, "unterminated quoted string")
            at += 1
        raise self._wrong(len(self._source), "unclosed action")

    def _nodes(self) -> tuple[tuple[Node, ...], _Piece | None]:
        """Nodes up to `{{ end }}` or `{{ else }}`, which is returned, or up to the end (None)."""
        nodes: list[Node] = []
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            self._at += 1
            if not piece.action:
                if piece.text:
                    nodes.append(Text(piece.text))
                continue
            word = piece.text.split(maxsplit=1)[0] if piece.text.strip(_SPACE) else ""
            if word in ("end", "else"):
                return tuple(nodes), piece
            if word == "if":
                nodes.append(self._if(piece, piece.text.index("if") + 2))
            else:
                nodes.append(Action(parse_pipeline(self._name, self._source, piece.offset, piece.text)))
        return tuple(nodes), None

    def _if(self, piece: _Piece, skip: int) -> If:
        if not piece.text[skip:].strip(_SPACE):
            raise self._wrong(piece.offset, "missing value for if")
        condition = parse_pipeline(self._name, self._source, piece.offset + skip, piece.text[skip:])
        then, ended_by = self._nodes()
        otherwise: tuple[Node, ...] = ()
        if ended_by is not None and ended_by.text.split() != ["end"]:
            words = ended_by.text.split(maxsplit=2)
            if words[:2] == ["else", "if"]:
                return If(condition, then, (self._if(ended_by, ended_by.text.index("if") + 2),))
            if words != ["else"]:
                raise NotSupported(f"the template action {{{{ {ended_by.text.strip()} }}}}")
            otherwise, ended_by = self._nodes()
        if ended_by is None:
            raise self._wrong(len(self._source), "unexpected EOF")
        if ended_by.text.split() != ["end"]:
            raise NotSupported(f"the template action {{{{ {ended_by.text.strip()} }}}}")
        return If(condition, then, otherwise)
