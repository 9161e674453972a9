"""A template's tree, or Go's own error for a text that is not a template.

Source: Go text/template/parse parse.go (Go 1.26). The order in which it looks at tokens decides which error
comes first and the line that it names, so the parser looks at them in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, NoReturn

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.template import lexer
from arcan_gitops.golang.template.lexer import Kind, Token
from arcan_gitops.golang.template.tree import (
    Action,
    Break,
    Chain,
    Command,
    Continue,
    Dot,
    Field,
    Identifier,
    If,
    Include,
    Literal,
    Nil,
    Node,
    Number,
    Operand,
    Pipeline,
    Range,
    Template,
    Text,
    Variable,
    With,
)
from arcan_gitops.golang.text import go_quote, unquote, unquote_char

_STARTS: Final = frozenset(
    {
        Kind.BOOL, Kind.CHAR_CONSTANT, Kind.COMPLEX, Kind.DOT, Kind.FIELD, Kind.IDENTIFIER, Kind.NUMBER,
        Kind.NIL, Kind.RAW_STRING, Kind.STRING, Kind.VARIABLE, Kind.LEFT_PAREN,
    }
)  # fmt: skip
_DEEPEST_HERE: Final = 100  # parentheses and blocks; Python's own stack ends long before Go's
_INTEGER: Final = re.compile(
    r"([+-]?)(?:0[xX]_?([0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)|0[bB]_?([01]+(?:_[01]+)*)"
    r"|0[oO]_?([0-7]+(?:_[0-7]+)*)|(0(?:_?[0-7]+)*)|([1-9][0-9]*(?:_[0-9]+)*))",
    re.ASCII,
)
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_INT64: Final = range(-(1 << 63), 1 << 63)


class _Parser:
    """One template, or one that it defines: those share the tokens and the names, and nothing else."""

    def __init__(
        self,
        name: str,
        tokens: Iterator[Token],
        functions: Collection[str],
        defined: dict[str, tuple[Node, ...]],
        depth: int = 0,
    ) -> None:
        self._name = name
        self._tokens = tokens
        self._functions = functions
        self._defined = defined
        self._buffer = [Token(Kind.EOF, 0, "", 0)] * 3
        self._peeked = 0
        self._variables = ["$"]
        self._range_depth = 0
        self._depth = depth
        self._action_line = 0

    # tokens, with Go's look-ahead of three

    def _next(self) -> Token:
        if self._peeked:
            self._peeked -= 1
        else:
            self._buffer[0] = next(self._tokens, Token(Kind.EOF, 0, "EOF", self._buffer[0].line))
        return self._buffer[self._peeked]

    def _backup(self) -> None:
        self._peeked += 1

    def _peek(self) -> Token:
        token = self._next()
        self._backup()
        return token

    def _next_word(self) -> Token:
        while (token := self._next()).kind is Kind.SPACE:
            pass
        return token

    def _peek_word(self) -> Token:
        token = self._next_word()
        self._backup()
        return token

    def _wrong(self, problem: str) -> NoReturn:
        raise GoError(f"template: {self._name}:{self._buffer[0].line}: {problem}")

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind is not Kind.ERROR:
            self._wrong(f"unexpected {_shown(token)} in {context}")
        extra = ""
        if self._action_line not in (0, token.line):
            within = "" if token.text.endswith(" action") else " in action"
            extra = f"{within} started at {self._name}:{self._action_line}"
        self._wrong(token.text + extra)

    def _expect(self, kind: Kind, context: str) -> Token:
        token = self._next_word()
        if token.kind is not kind:
            self._unexpected(token, context)
        return token

    # nodes

    def whole(self) -> tuple[Node, ...]:
        """All up to the end of the text."""
        nodes: list[Node] = []
        while (first := self._peek()).kind is not Kind.EOF:
            if first.kind is Kind.LEFT:
                opening = self._next()
                if self._next_word().kind is Kind.DEFINE:
                    self._another().definition()
                    continue
                self._buffer[1], self._peeked = opening, 2
            node = self._node()
            if isinstance(node, str):
                self._wrong(f"unexpected {{{{{node}}}}}")
            nodes.append(node)
        return tuple(nodes)

    def _another(self) -> _Parser:
        return _Parser(self._name, self._tokens, self._functions, self._defined, self._depth + 1)

    def definition(self) -> None:
        """What follows `{{ define`."""
        context = "define clause"
        token = self._next_word()
        name = self._template_name(token, context)
        self._expect(Kind.RIGHT, context)
        self._define(name, context)

    def _define(self, name: str, context: str) -> None:
        nodes, ended_by = self._list()
        if ended_by != "end":
            self._wrong(f"unexpected {{{{{ended_by}}}}} in {context}")
        if name not in self._defined or _is_empty(self._defined[name]):
            self._defined[name] = nodes
        elif not _is_empty(nodes):
            self._wrong(f"template: multiple definition of template {go_quote(name)}")

    def _template_name(self, token: Token, context: str) -> str:
        if token.kind not in (Kind.STRING, Kind.RAW_STRING):
            self._unexpected(token, context)
        return self._unquoted(token)

    def _unquoted(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except GoError as error:
            self._wrong(str(error))

    def _list(self) -> tuple[tuple[Node, ...], str]:
        """Nodes up to `end` or `else`, and which of them it was."""
        self._depth += 1
        if self._depth > _DEEPEST_HERE:
            self._wrong("max expression depth exceeded")
        nodes: list[Node] = []
        while self._peek_word().kind is not Kind.EOF:
            node = self._node()
            if isinstance(node, str):
                self._depth -= 1
                return tuple(nodes), node
            nodes.append(node)
        self._wrong("unexpected EOF")

    def _node(self) -> Node | str:
        """Text or an action; `end` and `else` are texts."""
        token = self._next_word()
        if token.kind is Kind.TEXT:
            return Text(token.text)
        if token.kind is not Kind.LEFT:
            self._unexpected(token, "input")
        self._action_line = token.line
        try:
            return self._action()
        finally:
            self._action_line = 0

    def _action(self) -> Node | str:
        token = self._next_word()
        match token.kind:
            case Kind.BLOCK:
                return self._block()
            case Kind.BREAK | Kind.CONTINUE:
                return self._jump(token)
            case Kind.ELSE:
                if self._peek_word().kind not in (Kind.IF, Kind.WITH):
                    self._expect(Kind.RIGHT, "else")
                return "else"
            case Kind.END:
                self._expect(Kind.RIGHT, "end")
                return "end"
            case Kind.IF:
                return If(*self._control("if"))
            case Kind.RANGE:
                return Range(*self._control("range"))
            case Kind.WITH:
                return With(*self._control("with"))
            case Kind.TEMPLATE:
                return self._include()
        self._backup()
        start = self._peek()
        return Action(start.at, self._pipeline("command", Kind.RIGHT))

    def _jump(self, token: Token) -> Node:
        following = self._next_word()
        if following.kind is not Kind.RIGHT:
            self._unexpected(following, f"{{{{{token.text}}}}}")
        if not self._range_depth:
            self._wrong(f"{{{{{token.text}}}}} outside {{{{range}}}}")
        return Break(token.at) if token.kind is Kind.BREAK else Continue(token.at)

    def _block(self) -> Node:
        context = "block clause"
        token = self._next_word()
        name = self._template_name(token, context)
        pipeline = self._pipeline(context, Kind.RIGHT)
        self._another()._define(name, context)
        return Include(token.at, name, pipeline)

    def _include(self) -> Node:
        context = "template clause"
        token = self._next_word()
        name = self._template_name(token, context)
        if self._next_word().kind is Kind.RIGHT:
            return Include(token.at, name, None)
        self._backup()
        return Include(token.at, name, self._pipeline(context, Kind.RIGHT))

    def _control(self, word: str) -> tuple[int, Pipeline, tuple[Node, ...], tuple[Node, ...]]:
        known = len(self._variables)
        pipeline = self._pipeline(word, Kind.RIGHT)
        self._range_depth += word == "range"
        then, ended_by = self._list()
        self._range_depth -= word == "range"
        otherwise: tuple[Node, ...] = ()
        if ended_by == "else":
            following = self._peek().kind
            if word == "if" and following is Kind.IF:
                self._next()
                otherwise = (If(*self._control("if")),)
            elif word == "with" and following is Kind.WITH:
                self._next()
                otherwise = (With(*self._control("with")),)
            else:
                otherwise, ended_by = self._list()
                if ended_by != "end":
                    self._wrong(f"expected end; found {{{{{ended_by}}}}}")
        del self._variables[known:]
        return pipeline.at, pipeline, then, otherwise

    # pipelines

    def _pipeline(self, context: str, end: Kind) -> Pipeline:
        at = self._peek_word().at
        declared, assigns = self._declarations(context)
        commands: list[Command] = []
        while (token := self._next_word()).kind is not end:
            if token.kind not in _STARTS:
                self._unexpected(token, context)
            self._backup()
            commands.append(self._command())
        if not commands:
            self._wrong(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], Literal | Dot | Nil | Number):
                self._wrong(f"non executable command in pipeline stage {stage}")
        return Pipeline(at, declared, assigns, tuple(commands))

    def _declarations(self, context: str) -> tuple[tuple[Variable, ...], bool]:
        declared: list[Variable] = []
        while (variable := self._peek_word()).kind is Kind.VARIABLE:
            self._next()
            after = self._peek()
            following = self._peek_word()
            if following.kind in (Kind.ASSIGN, Kind.DECLARE):
                self._next_word()
                declared.append(self._declared(variable))
                return tuple(declared), following.kind is Kind.ASSIGN
            if following.kind is not Kind.COMMA:
                if after.kind is Kind.SPACE:
                    self._buffer[1], self._buffer[2], self._peeked = after, variable, 3
                else:
                    self._buffer[1], self._peeked = variable, 2
                break
            self._next_word()
            declared.append(self._declared(variable))
            if context != "range" or len(declared) > 1:
                self._wrong(f"too many declarations in {context}")
            if self._peek_word().kind not in (Kind.VARIABLE, Kind.RIGHT, Kind.RIGHT_PAREN):
                self._wrong("range can only initialize variables")
        return tuple(declared), False

    def _declared(self, token: Token) -> Variable:
        self._variables.append(token.text)
        return Variable(token.at, (token.text,))

    def _command(self) -> Command:
        at = self._peek_word().at
        operands: list[Operand] = []
        while True:
            self._peek_word()
            operand = self._operand()
            if operand is not None:
                operands.append(operand)
            token = self._next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in (Kind.RIGHT, Kind.RIGHT_PAREN):
                self._backup()
            elif token.kind is not Kind.PIPE:
                self._unexpected(token, "operand")
            break
        if not operands:
            self._wrong("empty command")
        return Command(at, tuple(operands))

    def _operand(self) -> Operand | None:
        term = self._term()
        if term is None or self._peek().kind is not Kind.FIELD:
            return term
        at = self._peek().at
        names: list[str] = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._next().text[1:])
        match term:
            case Field():
                return Field(at, (*term.names, *names))
            case Variable():
                return Variable(at, (*term.names, *names))
            case Literal() | Number() | Nil() | Dot():
                self._wrong(f"unexpected . after term {go_quote(str(term))}")
        return Chain(at, term, tuple(names))

    def _term(self) -> Operand | None:
        token = self._next_word()
        match token.kind:
            case Kind.IDENTIFIER:
                if token.text not in self._functions:
                    self._wrong(f"function {go_quote(token.text)} not defined")
                return Identifier(token.at, token.text)
            case Kind.DOT:
                return Dot(token.at)
            case Kind.NIL:
                return Nil(token.at)
            case Kind.VARIABLE:
                if token.text not in self._variables:
                    self._wrong(f"undefined variable {go_quote(token.text)}")
                return Variable(token.at, (token.text,))
            case Kind.FIELD:
                return Field(token.at, (token.text[1:],))
            case Kind.BOOL:
                return Literal(token.at, token.text == "true", token.text)
            case Kind.STRING | Kind.RAW_STRING:
                return Literal(token.at, self._unquoted(token), token.text)
            case Kind.NUMBER | Kind.CHAR_CONSTANT | Kind.COMPLEX:
                return self._number(token)
            case Kind.LEFT_PAREN:
                self._depth += 1
                if self._depth > _DEEPEST_HERE:
                    self._wrong("max expression depth exceeded")
                pipeline = self._pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
                self._depth -= 1
                return pipeline
        self._backup()
        return None

    def _number(self, token: Token) -> Number:
        at, text = token.at, token.text
        if token.kind is Kind.CHAR_CONSTANT:
            try:
                point = unquote_char(text)
            except GoError as error:
                self._wrong(str(error))
            return Number(at, point, float(point), False, text)
        if token.kind is Kind.COMPLEX or text.endswith("i"):
            return Number(at, None, None, True, text)
        if (match := _INTEGER.fullmatch(text)) is not None:
            integer = _integer(match)
            if integer in _INT64:
                return Number(at, integer, float(integer), False, text)
            if not match[1] and integer < 1 << 64:
                return Number(at, None, float(integer), False, text)
            self._wrong(f"integer overflow: {go_quote(text)}")
        if _FLOAT.fullmatch(text) is None:
            self._wrong(f"illegal number syntax: {go_quote(text)}")
        if not set(text) & set(".eE"):
            self._wrong(f"integer overflow: {go_quote(text)}")
        floating = float(text)
        whole = int(floating) if floating.is_integer() and abs(floating) < 1 << 63 else None
        return Number(at, whole, floating, True, text)


def _integer(match: re.Match[str]) -> int:
    sign, hexadecimal, binary, octal, old_octal, decimal = match.groups()
    for digits, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (old_octal, 8), (decimal, 10)):
        if digits:
            number = int(digits.replace("_", ""), base)
            return -number if sign == "-" else number
    raise AssertionError("one of the groups has matched")


def _is_empty(nodes: tuple[Node, ...]) -> bool:
    return all(isinstance(node, Text) and not node.text.strip() for node in nodes)


def _shown(token: Token) -> str:
    if token.kind is Kind.EOF:
        return "EOF"
    if token.kind in lexer.KEYWORDS:
        return f"<{token.text}>"
    return go_quote(token.text[:10]) + "..." if len(token.text) > 10 else go_quote(token.text)


def parse(source: str, *, name: str = "webhooktemplate", functions: Collection[str]) -> Template:
    """The tree of a template that may call these functions. Raises `GoError` with Go's own words."""
    defined: dict[str, tuple[Node, ...]] = {}
    nodes = _Parser(name, lexer.tokens(source), functions, defined).whole()
    return Template(name, source, nodes, defined)
