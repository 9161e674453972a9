"""The tokens of a JSONPath. Source: Go text/scanner with GoTokens, as gval v1.2.4 sets it up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from arcan_gitops.golang.text import go_quote

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""(?P<Ident>[^\W\d]\w*)
    | (?P<Float>\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))
    | (?P<Int>0[xX][0-9a-fA-F_]+|0[bBoO][0-9_]+|[0-9][0-9_]*)
    | (?P<String>"(?:[^"\\\n]|\\.)*"?)
    | (?P<RawString>`[^`]*`?)
    | (?P<Char>'(?:[^'\\\n]|\\.)*'?)
    | (?P<EOF>\Z)
    | (?P<Mark>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is Ident, Int, Float, String, RawString, Char or EOF; for any other character the character."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.kind if self.kind in _TOKEN.groupindex else go_quote(self.kind)


class Scanner:
    """Reads one token after the other; `place` is what Go puts before an error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._at = 0
        self._start: int | None = 0

    def scan(self) -> Token:
        """The next token."""
        space = _SPACE.match(self._path, self._at)
        assert space is not None  # it also matches nothing
        match = _TOKEN.match(self._path, space.end())
        assert match is not None
        assert match.lastgroup is not None
        self._start, self._at = match.start(), match.end()
        return Token(match[0] if match.lastgroup == "Mark" else match.lastgroup, match[0])

    def peek(self) -> str:
        """The next character, empty at the end."""
        return self._path[self._at : self._at + 1]

    def skip(self) -> None:
        """Pass over the next character; Go then forgets where the token began."""
        self._at += 1
        self._start = None

    @property
    def place(self) -> str:
        """`PATH<tab>:1:3 - 1:5`."""
        begin = "" if self._start is None else f":{self._shown(self._start)}"
        return f"{self._path}\t{begin} - {self._shown(self._at)}"

    def _shown(self, offset: int) -> str:
        before = self._path[:offset]
        return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"
