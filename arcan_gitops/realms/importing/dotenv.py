"""A dotenv file, as people write it for a shell, Docker Compose or the dotenv libraries.

`KEY=value` lines, `export` before them or not. A value without quotes ends at its line, or at a `#` behind a
blank; one in single quotes is taken as it is; one in double quotes has the escapes of n, r, t, `"`, `$` and
the backslash. In quotes a value may have several lines. Nothing is expanded: `$HOME` is five characters.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from arcan_gitops.errors import together
from arcan_gitops.realms.importing.problems import BadImport, text_of
from arcan_gitops.yamlio.faults import conflict

_REST_OF_LINE: Final = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NAMES: Final = "a name is a letter or '_', and then letters, digits, '_', '.' and '-'"
_NAME: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_SINGLE: Final = re.compile(r"'([^']*)'")
_DOUBLE: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_MOST_PROBLEMS: Final = 100
_COMMENT: Final = re.compile(r"(?<=[ \t])#")
_ESCAPE: Final = re.compile(r'\\([nrt"$\\])')
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


def read(data: bytes, source: str) -> dict[str, Any]:
    """The values of a file, all texts.

    Raises `BadImport`, naming each line that is wrong, and nothing that stands in it but a key. After a quote
    without its end nothing more is told: where the next value begins is not known.
    """
    text = text_of(data, source).replace("\r\n", "\n")
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    problems: list[BadImport] = []
    at, line = 0, 1
    while at < len(text) and len(problems) < _MOST_PROBLEMS:
        end = _REST_OF_LINE.match(text, at)
        if end is None:
            try:
                key, value, end = _assignment(text, at, source, line)
                if key in values:
                    _fail(source, line, f"'{key}' is given twice (first in line {lines[key]})")
                values[key], lines[key] = value, line
            except _Open as error:
                problems.append(error.problem)
                break
            except BadImport as error:
                problems.append(error)
        after = end.end() if end is not None else _next_line(text, at)
        line += text.count("\n", at, after)
        at = after
    if problems:
        raise together(problems, f"{source}: {len(problems)} lines cannot be read:")
    return values


class _Open(Exception):
    """A quote without its end. Never leaves this module."""

    def __init__(self, problem: BadImport) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _next_line(text: str, at: int) -> int:
    return text.find("\n", at) + 1 or len(text)


def _assignment(text: str, at: int, source: str, line: int) -> tuple[str, str, re.Match[str]]:
    """(key, value, the rest of its line)"""
    name = _NAME.match(text, at)
    if name is None:
        _refuse_line(text, at, source, line)
    value, after = _value(text, name.end(), source, line)
    end = _REST_OF_LINE.match(text, after)
    if end is None:
        _fail(source, line, "something follows the closing quote", 'a quote inside is written \\"')
    return name[1], value, end


def _value(text: str, at: int, source: str, line: int) -> tuple[str, int]:
    """(value, where it ends)"""
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        end = text.find("\n", at)
        end = end if end >= 0 else len(text)
        comment = _COMMENT.search(text, at, end)
        return text[at : comment.start() if comment else end].strip(" \t"), end
    quoted = (_SINGLE if quote == "'" else _DOUBLE).match(text, at)
    if quoted is None:
        raise _Open(BadImport(f"{source}:{line}: a quote without its end"))
    if quote == "'":
        return quoted[1], quoted.end()
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), quoted[1]), quoted.end()


def _refuse_line(text: str, at: int, source: str, line: int) -> NoReturn:
    """The name is not repeated: it may be a part of a value that lost its quotes."""
    first = text[at:].partition("\n")[0]
    marker = conflict(first.encode())
    if marker is not None:
        _fail(source, line, marker.problem, marker.hint)
    before, equals, _ = first.partition("=")
    quotes = "a value of several lines needs double quotes"
    if equals and before.strip():
        problem = "not of the form KEY=VALUE: what stands before '=' is not the name of a variable"
        _fail(source, line, problem, f"{_NAMES}; {quotes}")
    _fail(source, line, "not of the form KEY=VALUE", quotes)


def _fail(source: str, line: int, problem: str, hint: str | None = None) -> NoReturn:
    raise BadImport(f"{source}:{line}: {problem}", hint=hint)
