"""The grammar of a JSONPath, with the library's own error texts.

Source: github.com/PaesslerAG/jsonpath v0.1.1 parse.go; gval v1.2.4 parse.go, parser.go and the base language:
`==`, `!=`, `-`, parentheses, `true`, `false`, numbers, quoted texts and variables.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.json import Json, type_name
from arcan_gitops.golang.jsonpath import steps
from arcan_gitops.golang.jsonpath.scanner import Scanner, Token
from arcan_gitops.golang.jsonpath.steps import LARGEST, Expression, Step
from arcan_gitops.golang.template.values import of_json, same
from arcan_gitops.golang.text import unquote, unquote_char

# Only the first two do anything; of the others the language knows the precedence alone.
_OPERATORS: Final = (
    "==", "!=", "??", "||", "&&", ">", ">=", "<", "<=", "=~", "!~", "in", "^", "&", "|", "<<", ">>",
    "+", "-", "*", "/", "%", "**",
)  # fmt: skip
_SYMBOLS: Final = frozenset("".join(_OPERATORS))
_PLAIN_NUMBER: Final = re.compile(r"[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?", re.ASCII)
_DEEPEST: Final = 100


class Parser:
    """One JSONPath. `Scan` and `Camouflage` are gval's: a token that is given back is read again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scanner = Scanner(text)
        self._last = Token("EOF", "")
        self._given_back: GoError | None = None
        self._depth = 0

    def whole(self) -> Expression:
        """The expression. Raises `GoError` (`parsing error: ...`) and `NotSupported`."""
        try:
            found = self._expression()
            if self._given_back is not None and self._last.kind != "EOF":
                raise self._given_back
        except GoError as error:
            raise GoError(f"parsing error: {self._scanner.place} {error}") from None
        return found

    def _scan(self) -> Token:
        if self._given_back is None:
            self._last = self._scanner.scan()
        self._given_back = None
        return self._last

    def _give_back(self, unit: str, *expected: str) -> None:
        self._given_back = self._unexpected(unit, *expected)

    def _unexpected(self, unit: str, *expected: str) -> GoError:
        shown = [name if len(name) > 1 else f'"{name}"' for name in expected]
        listed = " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
        return GoError(
            f"unexpected {self._last} while scanning {unit}" + (f" expected {listed}" if listed else "")
        )

    def _fail(self, unit: str, *expected: str) -> NoReturn:
        raise self._unexpected(unit, *expected)

    # expressions

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotSupported("a jsonPath nested this deeply")
        left = self._operand()
        while (operator := self._operator()) is not None:
            left = _compared(left, self._operand(), equal=operator == "==")
        self._depth -= 1
        return left

    def _operator(self) -> str | None:
        token = self._scan()
        operator, longer = token.text, False
        if token.kind in _SYMBOLS:
            while (following := self._scanner.peek()) and following in _SYMBOLS:
                if not any(known.startswith(operator + following) for known in _OPERATORS):
                    break
                operator, longer = operator + following, True
                self._scanner.skip()
        if operator in ("==", "!="):
            return operator
        if longer:
            raise GoError(f"unknown operator {operator}")
        self._give_back("operator")
        return None

    def _operand(self) -> Expression:
        token = self._scan()
        match token.kind:
            case "$":
                return self._path([])
            case "@":
                return self._path([steps.current()])
            case "Int" | "Float":
                return _constant(self._number(token))
            case "String" | "RawString" | "Char":
                return _constant(self._string(token))
            case "Ident":
                return self._variable(token)
            case "-":
                return self._negative()
            case "(":
                inner = self._expression()
                if self._scan().kind != ")":
                    self._fail("parentheses", ")")
                return inner
        self._fail("extensions")

    def _number(self, token: Token) -> float:
        if _PLAIN_NUMBER.fullmatch(token.text) is None:
            raise GoError(f'strconv.ParseFloat: parsing "{token.text}": invalid syntax')
        return float(token.text)

    def _string(self, token: Token) -> str:
        try:
            if token.kind == "Char":
                return chr(unquote_char(token.text))
            return unquote(token.text)
        except GoError:
            raise GoError("could not parse string: invalid syntax") from None

    def _negative(self) -> Expression:
        inner = self._operand()

        def negated(document: Json, element: Json) -> Json:
            value = inner(document, element)
            found = steps.number(value)
            if found is None:
                raise GoError(f"unexpected {value}({type_name(value)}) expected number")
            return -found

        if isinstance(inner, _Constant):
            return _constant(negated(None, None))
        return negated

    def _variable(self, token: Token) -> Expression:
        if token.text in ("true", "false"):
            return _constant(token.text == "true")
        names: list[Expression] = [_constant(token.text)]
        while True:
            following = self._scan().kind
            if following == ".":
                if self._scan().kind != "Ident":
                    self._fail("field", "Ident")
                names.append(_constant(self._last.text))
            elif following == "[":
                names.append(self._expression())
                if self._scan().kind != "]":
                    self._fail("array key", "]")
            elif following == "(":
                raise NotSupported(f"a function in the jsonPath {self._text!r}")
            else:
                self._give_back("variable", ".", "(", "[")
                return _variable(self._text)

    # paths

    def _path(self, found: list[Step]) -> Expression:
        while True:
            token = self._scan()
            if token.kind == ".":
                found += self._dotted()
            elif token.kind == "[":
                found.append(self._bracketed())
            elif token.kind == "(":
                found.append(self._script())
            else:
                self._give_back("jsonpath", ".", "[", "(")
                return steps.path(found)

    def _dotted(self) -> list[Step]:
        token = self._scan()
        if token.kind == "Ident":
            return [steps.direct(_constant(token.text))]
        if token.kind == "*":
            return [steps.several(())]
        if token.kind != ".":
            self._fail("JSON select", "Ident", ".", "*")
        return [steps.everywhere(), self._mapped()]

    def _mapped(self) -> Step:
        """What follows `..`."""
        token = self._scan()
        if token.kind == "Ident":
            return steps.direct(_constant(token.text))
        if token.kind == "*":
            return steps.several(())
        if token.kind == "(":
            return self._script()
        if token.kind != "[":
            self._fail("JSON mapper", "[", "Ident", "*")
        keys, separator = self._brackets()
        if separator == ":":
            raise GoError("mapper can not be combined with range query")
        return self._filter(keys) if separator == "?" else steps.several(keys)

    def _script(self) -> Step:
        inner = self._expression()
        if self._scan().kind != ")":
            self._fail("jsnopath script", ")")  # sic
        return steps.script(inner)

    def _bracketed(self) -> Step:
        keys, separator = self._brackets()
        if separator == ":":
            if len(keys) > 3:
                raise GoError("range query has at least the parameter [min:max:step]")
            bounds = [*keys, *(_constant(default) for default in (0.0, LARGEST, 1.0)[len(keys) :])]
            return steps.ranged(bounds[0], bounds[1], bounds[2])
        if separator == "?":
            return self._filter(keys)
        return steps.direct(keys[0]) if len(keys) == 1 else steps.several(keys)

    @staticmethod
    def _filter(keys: list[Expression]) -> Step:
        if len(keys) != 1:
            raise GoError("filter needs exactly one key")
        return steps.filtered(keys[0])

    def _brackets(self) -> tuple[list[Expression], str]:
        """(what stands between the brackets, what separates it: `,`, `:`, `?`, or `]` for one key)."""
        keys: list[Expression] = []
        separator = ""
        while True:
            kind, scanned = self._scan().kind, False
            if kind == "*":
                if self._scan().kind != "]":
                    self._fail("JSON bracket star", "]")
                return [], ""
            if kind == ":":
                keys.append(_constant(LARGEST if len(keys) == 1 else 0.0))
                scanned = True
            elif kind == "?" or (kind == "]" and separator == ":"):
                scanned = True
            else:
                self._give_back("jsonpath brackets")
                keys.append(self._expression())
            if not scanned:
                kind = self._scan().kind
            separator = separator or kind
            if kind == "]":
                return keys, separator
            if kind == "?" and keys:
                self._fail("JSON filter", "]")
            if kind not in (":", ",", "?"):
                self._fail("JSON bracket separator", ":", ",")
            if separator != kind:
                raise GoError(f"mixed {ord(separator)} and {ord(kind)} in JSON bracket")


class _Constant:
    """An expression that is always the same."""

    def __init__(self, value: Json) -> None:
        self._value = value

    def __call__(self, document: Json, element: Json) -> Json:
        return self._value


def _constant(value: Json) -> Expression:
    return _Constant(value)


def _compared(left: Expression, right: Expression, *, equal: bool) -> Expression:
    def compare(document: Json, element: Json) -> Json:
        one, other = left(document, element), right(document, element)
        return same(of_json(one), of_json(other)) == equal

    return compare


def _variable(text: str) -> Expression:
    def evaluate(document: Json, element: Json) -> Json:
        raise NotSupported(f"the jsonPath {text!r}, which does not begin with '$'")

    return evaluate
