"""A template taken apart into tokens: text between actions, and the words of each action.

Source: Go text/template/parse lex.go (Go 1.26), with its token kinds, its errors and its line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from arcan_gitops.golang.text import go_quote


class Kind(Enum):
    """The kinds of token that the parser tells apart."""

    ERROR = auto()  # the text is the problem
    EOF = auto()
    TEXT = auto()
    LEFT = auto()  # {{
    RIGHT = auto()  # }}
    SPACE = auto()
    ASSIGN = auto()  # =
    DECLARE = auto()  # :=
    PIPE = auto()
    LEFT_PAREN = auto()
    RIGHT_PAREN = auto()
    COMMA = auto()
    CHARACTER = auto()  # any other mark
    BOOL = auto()
    CHAR_CONSTANT = auto()
    COMPLEX = auto()
    NUMBER = auto()
    STRING = auto()
    RAW_STRING = auto()
    IDENTIFIER = auto()
    FIELD = auto()
    VARIABLE = auto()
    DOT = auto()
    NIL = auto()
    BLOCK = auto()
    BREAK = auto()
    CONTINUE = auto()
    DEFINE = auto()
    ELSE = auto()
    END = auto()
    IF = auto()
    RANGE = auto()
    TEMPLATE = auto()
    WITH = auto()


_WORDS: Final = {
    "nil": Kind.NIL,
    "block": Kind.BLOCK,
    "break": Kind.BREAK,
    "continue": Kind.CONTINUE,
    "define": Kind.DEFINE,
    "else": Kind.ELSE,
    "end": Kind.END,
    "if": Kind.IF,
    "range": Kind.RANGE,
    "template": Kind.TEMPLATE,
    "with": Kind.WITH,
    "true": Kind.BOOL,
    "false": Kind.BOOL,
}
KEYWORDS: Final = frozenset(_WORDS.values()) - {Kind.BOOL}
_SPACES: Final = " \t\r\n"
_TERMINATORS: Final = frozenset(_SPACES + ".,|:)(")
_QUOTED: Final = {
    '"': (re.compile(r'"(?:[^"\\\n]|\\[^\n])*"', re.DOTALL), Kind.STRING, "unterminated quoted string"),
    "`": (re.compile(r"`[^`]*`"), Kind.RAW_STRING, "unterminated raw quoted string"),
    "'": (
        re.compile(r"'(?:[^'\\\n]|\\[^\n])*'", re.DOTALL),
        Kind.CHAR_CONSTANT,
        "unterminated character constant",
    ),
}
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?"
    r"|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?",
    re.ASCII,
)
_MARKS: Final = {"=": Kind.ASSIGN, "|": Kind.PIPE, ",": Kind.COMMA}


@dataclass(frozen=True, slots=True)
class Token:
    """`at` is an offset in characters; `line` is that of its first character, from 1."""

    kind: Kind
    at: int
    text: str
    line: int


def is_alphanumeric(character: str) -> bool:
    """A letter or decimal digit of Unicode, or `_`."""
    return character == "_" or character.isalpha() or character.isdecimal()


class _Stop(Exception):
    """What the lexer cannot read; `at` begins the token."""

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(problem)
        self.at = at
        self.problem = problem


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._line = 1
        self._counted = 0
        self._depth = 0

    def _token(self, kind: Kind, start: int, end: int) -> Token:
        self._line += self._source.count("\n", self._counted, start)
        self._counted = start
        return Token(kind, start, self._source[start:end], self._line)

    def tokens(self) -> Iterator[Token]:
        try:
            yield from self._all()
        except _Stop as stop:
            marked = self._token(Kind.ERROR, stop.at, stop.at)
            yield Token(Kind.ERROR, stop.at, stop.problem, marked.line)
            return
        yield Token(Kind.EOF, self._at, "EOF", self._token(Kind.EOF, self._at, self._at).line)

    def _all(self) -> Iterator[Token]:
        source = self._source
        while self._at < len(source):
            start, opening = self._at, source.find("{{", self._at)
            if opening < 0:
                self._at = len(source)
                yield self._token(Kind.TEXT, start, len(source))
                return
            trims = source[opening + 2 : opening + 3] == "-" and source[opening + 3 : opening + 4] in _SPACES
            trims = trims and opening + 3 < len(source)
            end = opening
            while trims and end > start and source[end - 1] in _SPACES:
                end -= 1
            if end > start:
                yield self._token(Kind.TEXT, start, end)
            inside = opening + (4 if trims else 2)
            if source.startswith("/*", inside):
                self._comment(inside)
                continue
            yield self._token(Kind.LEFT, opening, opening + 2)
            self._at, self._depth = inside, 0
            yield from self._action()

    def _comment(self, start: int) -> None:
        close = self._source.find("*/", start + 2)
        if close < 0:
            raise _Stop(start, "unclosed comment")
        self._at = close + 2
        if not self._at_right():
            raise _Stop(start, "comment ends before closing delimiter")
        self._skip_right()

    def _at_right(self) -> bool:
        return self._source.startswith("}}", self._at) or self._at_trimming_right()

    def _at_trimming_right(self) -> bool:
        at = self._at
        return self._source[at : at + 1] in set(_SPACES) and self._source.startswith("-}}", at + 1)

    def _skip_right(self) -> None:
        trims = self._at_trimming_right()
        self._at += 4 if trims else 2
        while trims and self._at < len(self._source) and self._source[self._at] in _SPACES:
            self._at += 1

    def _action(self) -> Iterator[Token]:
        source = self._source
        while True:
            start = self._at
            if self._at_right():
                if self._depth:
                    raise _Stop(start, "unclosed left paren")
                begin = start + 2 if self._at_trimming_right() else start
                self._skip_right()
                yield self._token(Kind.RIGHT, begin, begin + 2)
                return
            if start >= len(source):
                raise _Stop(start, "unclosed action")
            kind = self._word(start, source[start])
            yield self._token(kind, start, self._at)

    def _word(self, start: int, first: str) -> Kind:
        """Move past one token, and say which kind it is."""
        source = self._source
        if first in _SPACES:
            while self._at < len(source) and source[self._at] in _SPACES and not self._at_trimming_right():
                self._at += 1
            return Kind.SPACE
        if first in _QUOTED:
            return self._quoted(start, first)
        if first == ":":
            if not source.startswith("=", start + 1):
                raise _Stop(start, "expected :=")
            self._at += 2
            return Kind.DECLARE
        if first == "$" or (first == "." and start + 1 < len(source) and not self._is_digit(start + 1)):
            self._at += 1
            return self._field(start, Kind.VARIABLE if first == "$" else Kind.FIELD)
        if first in "+-." or (first.isascii() and first.isdigit()):
            return self._number(start)
        if is_alphanumeric(first):
            self._run()
            self._terminated(start)
            return _WORDS.get(source[start : self._at], Kind.IDENTIFIER)
        return self._mark(start, first)

    def _quoted(self, start: int, first: str) -> Kind:
        pattern, kind, problem = _QUOTED[first]
        match = pattern.match(self._source, start)
        if match is None:
            raise _Stop(start, problem)
        self._at = match.end()
        return kind

    def _mark(self, start: int, first: str) -> Kind:
        self._at += 1
        if first == "(":
            self._depth += 1
            return Kind.LEFT_PAREN
        if first == ")":
            self._depth -= 1
            if self._depth < 0:
                raise _Stop(start, "unexpected right paren")
            return Kind.RIGHT_PAREN
        if first in _MARKS:
            return _MARKS[first]
        if first.isascii() and first.isprintable():
            return Kind.CHARACTER
        raise _Stop(start, f"unrecognized character in action: {shown_character(first)}")

    def _is_digit(self, at: int) -> bool:
        following = self._source[at : at + 1]
        return following.isascii() and following.isdigit()

    def _field(self, start: int, kind: Kind) -> Kind:
        if self._is_terminated():
            return Kind.VARIABLE if kind is Kind.VARIABLE else Kind.DOT
        self._run()
        self._terminated(start)
        return kind

    def _run(self) -> None:
        while self._at < len(self._source) and is_alphanumeric(self._source[self._at]):
            self._at += 1

    def _is_terminated(self) -> bool:
        following = self._source[self._at : self._at + 1]
        return not following or following in _TERMINATORS or self._source.startswith("}}", self._at)

    def _terminated(self, start: int) -> None:
        if not self._is_terminated():
            raise _Stop(start, f"bad character {shown_character(self._source[self._at])}")

    def _number(self, start: int) -> Kind:
        self._scan_number(start)
        if self._source[self._at : self._at + 1] not in ("+", "-"):
            return Kind.NUMBER
        self._scan_number(start)
        if self._source[self._at - 1] != "i":
            raise _Stop(start, f"bad number syntax: {go_quote(self._source[start : self._at])}")
        return Kind.COMPLEX

    def _scan_number(self, start: int) -> None:
        match = _NUMBER.match(self._source, self._at)
        assert match is not None  # it also matches nothing
        self._at = match.end()
        following = self._source[self._at : self._at + 1]
        if following and is_alphanumeric(following):
            raise _Stop(start, f"bad number syntax: {go_quote(self._source[start : self._at + 1])}")


def shown_character(character: str) -> str:
    """As Go's `%#U` shows it: `U+002D '-'`."""
    point = f"U+{ord(character):04X}"
    return f"{point} '{character}'" if character.isprintable() else point


def tokens(source: str) -> Iterator[Token]:
    """The tokens, the last of which is EOF or ERROR. Comments are left out."""
    return _Lexer(source).tokens()
