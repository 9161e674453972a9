"""The part of PaesslerAG/jsonpath that a webhook store needs: `$`, `.name`, `["name"]`, `[0]`, `[*]`, `.*`.

A name after a dot is a Go identifier: `$.data.a-b` does not parse and `$.data.a.b` looks up `b` inside `a`,
so names with a dash or a dot need `["a-b"]`, in double quotes. `$['a']` does not parse either.
Source: github.com/PaesslerAG/jsonpath v0.1.1 and gval v1.2.4; measured with ESO itself
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.json import Json, parse, type_name

# text/scanner's tokens, as far as a path can begin one; white space is Go's.
_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<Ident>[^\W\d]\w*)
    | (?P<Float>\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))
    | (?P<Int>[0-9]+)
    | (?P<String>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<RawString>`[^`]*`)
    | (?P<Char>'(?:[^'\\\n]|\\[^\n])*'?)
    | (?P<EOF>\Z)
    | (?P<Mark>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_ESCAPES: Final = re.compile(r'"(?:[^\\]|\\["\\bfnrt]|\\u[0-9a-fA-F]{4})*"')
# After a whole path these can only be a mistake; other tokens may begin an expression of gval's.
_NEVER_AN_OPERATOR: Final = ("Ident", "Int", "Float", "String", "RawString", "Char")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def shown(self) -> str:
        return self.kind if self.kind != "Mark" else f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class _Select:
    """`.name`, `["name"]` or `[0]`; `name` is the key in a map, `index` the place in a list."""

    name: str
    index: int | None

    def of(self, value: Json) -> Json:
        if isinstance(value, list):
            item: Json
            if self.index is None:
                raise GoError(
                    f"could not select value, invalid key: expected number but got {self.name} (string)"
                )
            if not 0 <= self.index < len(value):
                raise GoError(f"index {self.index} out of bounds")
            item = value[self.index]
            return item
        if isinstance(value, Mapping):
            if self.name not in value:
                raise GoError(f"unknown key {self.name}")
            return value[self.name]
        expected = "expected map[string]interface{} or []interface{}"
        raise GoError(f"unsupported value type {type_name(value)} for select, {expected}")


@dataclass(frozen=True, slots=True)
class _Star:
    """`[*]` or `.*`: all members; a member on which the rest of the path fails is left out."""

    def of(self, value: Json) -> tuple[Json, ...]:
        if isinstance(value, list):
            return tuple(value)
        if isinstance(value, Mapping):
            if len(value) > 1:
                raise NotSupported(
                    "a jsonPath with '*' over an object",
                    hint="ESO takes the members in random order; name the one that is meant",
                )
            return tuple(value.values())
        return ()


def get(path: str, value: Json) -> Json:
    """What `path` selects in `value`; with `[*]` or `.*` always a list.

    Raises `GoError` with the library's text (`unknown key value`, `parsing error: ...`) and `NotSupported`
    for filters, ranges, unions, `..`, scripts and operators.
    """
    steps = tuple(_Parser(path).steps())
    if not any(isinstance(step, _Star) for step in steps):
        for step in steps:
            value = step.of(value)
        return value
    matches: list[Json] = [value]
    for step in steps:
        matches = list(_advance(step, matches))
    return matches


def _advance(step: _Select | _Star, values: list[Json]) -> Iterator[Json]:
    for value in values:
        if isinstance(step, _Star):
            yield from step.of(value)
            continue
        try:
            yield step.of(value)
        except GoError:
            continue


class _Parser:
    def __init__(self, path: str) -> None:
        self._path = path
        self._at = 0

    def _next(self) -> _Token:
        match = _TOKEN.match(self._path, self._at)
        if match is None or match.lastgroup is None:
            raise NotSupported(f"the jsonPath {self._path!r}")
        self._at = match.end()
        kind = match.lastgroup
        return _Token(kind, match[kind], match.start(kind), match.end())

    def steps(self) -> Iterator[_Select | _Star]:
        first = self._next()
        if first.text in (".", "<"):  # `.value`, `<no value>`
            raise self._unexpected(first, "extensions")
        if first.text != "$":
            raise NotSupported(f"the jsonPath {self._path!r}, which does not begin with '$'")
        while (token := self._next()).kind != "EOF":
            if token.text == ".":
                yield self._dotted()
            elif token.text == "[":
                yield self._bracketed()
            elif token.kind in _NEVER_AN_OPERATOR or self._is_a_lone_dash(token):
                raise self._unexpected(token, "operator")
            else:
                raise NotSupported(f"{token.text!r} in the jsonPath {self._path!r}")

    def _is_a_lone_dash(self, token: _Token) -> bool:
        return token.text == "-" and self._path[self._at : self._at + 1].isalnum()

    def _dotted(self) -> _Select | _Star:
        token = self._next()
        if token.kind == "Ident":
            return _Select(token.text, None)
        if token.text == "*":
            return _Star()
        if token.text == ".":
            raise NotSupported(f"'..' in the jsonPath {self._path!r}")
        raise self._unexpected(token, 'JSON select expected Ident, "." or "*"')

    def _bracketed(self) -> _Select | _Star:
        token = self._next()
        step: _Select | _Star
        if token.text == "*":
            step = _Star()
        elif token.kind == "Int" and len(token.text) < 16:
            step = _Select(str(int(token.text)), int(token.text))
        elif token.kind in ("String", "RawString"):
            name = self._unquoted(token)
            step = _Select(name, int(name) if name.isascii() and name.isdigit() else None)
        elif token.kind == "Char":
            raise self._error(token, "could not parse string: invalid syntax")
        elif token.kind == "EOF" or token.text == "]":
            raise self._unexpected(token, "extensions")
        else:
            raise NotSupported(f"{token.text!r} in the brackets of the jsonPath {self._path!r}")
        closing = self._next()
        if closing.text != "]":
            if closing.kind == "EOF":
                raise self._unexpected(closing, 'JSON bracket separator expected ":" or ","')
            raise NotSupported(f"{closing.text!r} in the brackets of the jsonPath {self._path!r}")
        return step

    def _unquoted(self, token: _Token) -> str:
        if token.kind == "RawString":
            return token.text[1:-1]
        if _PLAIN_ESCAPES.fullmatch(token.text) is None:
            raise NotSupported(f"the escapes in the jsonPath {self._path!r}")
        name = parse(token.text.encode("utf-8"))
        if not isinstance(name, str):
            raise NotSupported(f"the jsonPath {self._path!r}")
        return name

    def _unexpected(self, token: _Token, where: str) -> GoError:
        shown = token.shown if token.kind != "EOF" else "EOF"
        return self._error(token, f"unexpected {shown} while scanning {where}")

    def _error(self, token: _Token, problem: str) -> GoError:
        place = f"{self._place(token.start)} - {self._place(token.end)}"
        return GoError(f"parsing error: {self._path}\t:{place} {problem}")

    def _place(self, offset: int) -> str:
        before = self._path[:offset]
        return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"
