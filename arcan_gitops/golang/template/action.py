"""The inside of one `{{ ... }}`: a pipeline of commands."""

from __future__ import annotations

import re
from typing import Final

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.template.functions import FUNCTIONS
from arcan_gitops.golang.template.tree import Call, Field, Literal, Operand, Pipeline, Place

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<field>\.[^\W\d]\w*)
    | (?P<dot>\.)
    | (?P<word>[^\W\d]\w*)
    | (?P<number>[-+]?[0-9]+(?![\w.]))
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<raw>`[^`]*`)
    | (?P<mark>[|()])
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r'\\(?:(["\\abfnrtv])|u([0-9a-fA-F]{4})|(.))', re.DOTALL)
_ESCAPED: Final = dict(zip('"\\abfnrtv', '"\\\a\b\f\n\r\t\v', strict=True))
# What may follow a field or a word without a space (text/template/parse lexer.atTerminator).
_TERMINATORS: Final = frozenset(" \t\r\n.,|:)(")


class _Token:
    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = start + len(text)


def parse_pipeline(name: str, source: str, offset: int, text: str) -> Pipeline:
    """The pipeline in `text`, which stands at `offset` in `source`.

    Raises `GoError` with Go's parse error and `NotSupported`.
    """
    return _Action(name, source, offset, text).whole()


class _Action:
    def __init__(self, name: str, source: str, offset: int, text: str) -> None:
        self._name = name
        self._source = source
        self._text = text
        self._offset = offset
        self._tokens = [
            _Token(match.lastgroup, match[0], match.start())
            for match in _TOKEN.finditer(text)
            if match.lastgroup is not None
        ]
        self._at = 0

    def whole(self) -> Pipeline:
        pipeline = self._pipeline()
        if (token := self._peek()) is not None:
            raise self._unsupported(token)
        return pipeline

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _skip_space(self) -> _Token | None:
        while (token := self._peek()) is not None and token.kind == "space":
            self._at += 1
        return token

    def _wrong(self, token: _Token | None, problem: str) -> GoError:
        offset = self._offset + (token.start if token is not None else len(self._text))
        return GoError(f"template: {self._name}:{self._source.count(chr(10), 0, offset) + 1}: {problem}")

    def _unsupported(self, token: _Token) -> GoError | NotSupported:
        if token.text == "-":  # `.auth.api-token`: the mistake that everybody makes once
            return self._wrong(token, "bad character U+002D '-'")
        return NotSupported(f"{token.text!r} in the template action {{{{{self._text}}}}}")

    def _place(self, start: int, end: int) -> Place:
        return Place(self._offset + start, self._text[start:end].strip())

    def _pipeline(self) -> Pipeline:
        commands: list[Operand] = []
        while True:
            token = self._skip_space()
            if token is None or token.text in ("|", ")"):
                if commands and token is None:  # Go takes a dangling '|' at the end
                    break
                raise self._wrong(token, self._missing(token))
            commands.append(self._command())
            token = self._skip_space()
            if token is None or token.text != "|":
                break
            self._at += 1
        calls = tuple(command for command in commands[1:] if isinstance(command, Call))
        if len(calls) + 1 < len(commands):
            raise NotSupported(f"a value after '|' in the template action {{{{{self._text}}}}}")
        return Pipeline(commands[0], calls)

    @staticmethod
    def _missing(token: _Token | None) -> str:
        return 'unexpected "|" in command' if token and token.text == "|" else "missing value for command"

    def _command(self) -> Operand:
        first = self._peek()
        operands: list[Operand] = []
        word: _Token | None = None
        if first is not None and first.kind == "word" and first.text not in ("true", "false"):
            word = first
            self._at += 1
            self._terminated(first)
            if first.text not in FUNCTIONS:
                raise NotSupported(
                    f"{first.text!r} in the template action {{{{{self._text}}}}}",
                    hint=f"the emulator has if, else, end, {', '.join(sorted(FUNCTIONS))}",
                )
        while (token := self._skip_space()) is not None and token.text not in ("|", ")"):
            operands.append(self._operand(token))
        if word is None:
            if len(operands) != 1:
                raise NotSupported(f"an argument to a value in the template action {{{{{self._text}}}}}")
            return operands[0]
        end = self._tokens[self._at - 1].end
        return Call(
            word.text,
            tuple(operands),
            self._place(word.start, end),
            self._place(word.start, word.end),
        )

    def _operand(self, token: _Token) -> Operand:
        self._at += 1
        place = self._place(token.start, token.end)
        if token.kind == "field":
            return self._field(token)
        if token.kind == "dot":
            self._terminated(token)
            return Field((), place)
        if token.kind == "number":
            return Literal(int(token.text), place)
        if token.text in ("true", "false"):
            self._terminated(token)
            return Literal(token.text == "true", place)
        if token.kind == "raw":
            return Literal(token.text[1:-1], place)
        if token.kind == "string":
            return Literal(_ESCAPE.sub(self._unescape, token.text[1:-1]), place)
        if token.text == "(":
            pipeline = self._pipeline()
            closing = self._skip_space()
            if closing is None or closing.text != ")":
                raise self._wrong(closing, "unclosed left paren")
            self._at += 1
            if (after := self._peek()) is not None and after.kind == "field":
                raise self._unsupported(after)
            return pipeline
        raise self._unsupported(token)

    def _field(self, first: _Token) -> Field:
        """`.a.b.c`; Go's errors point at the second name where there is one."""
        names, last, at = [first.text[1:]], first, first.start
        while (token := self._peek()) is not None and token.kind == "field":
            at = token.start if len(names) == 1 else at
            names.append(token.text[1:])
            last = token
            self._at += 1
        self._terminated(last)
        return Field(tuple(names), Place(self._offset + at, self._text[first.start : last.end]))

    def _terminated(self, token: _Token) -> None:
        following = self._peek()
        if following is not None and following.text[0] not in _TERMINATORS:
            shown = following.text[0]
            raise self._wrong(following, f"bad character U+{ord(shown):04X} '{shown}'")

    def _unescape(self, match: re.Match[str]) -> str:
        if match[1]:
            return _ESCAPED[match[1]]
        if match[2]:
            return chr(int(match[2], 16))
        raise NotSupported(f"the escape {match[0]!r} in the template action {{{{{self._text}}}}}")
