"""Regular expressions as Go's `regexp` has them: RE2, unanchored, `$1` in replacements.

Source: Go regexp and regexp/syntax; the engine is RE2 itself (google-re2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import re2

from arcan_gitops.golang.errors import GoError

_REFERENCE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
# Where RE2 and Go word an error differently.
_GO_WORDS: Final[Mapping[str, str]] = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid repetition size": "invalid repeat count",
}


class TooComplex(GoError):
    """A pattern that would take more memory than it may."""


def compile_pattern(source: str, *, memory: int | None = None) -> Any:
    """The compiled pattern; `memory`: at most so many bytes for its program.

    Raises `GoError` with Go's `error parsing regexp: ...` (also for RE2's own any-byte escape, which Go does
    not know), and `TooComplex`.
    """
    if r"\C" in source.replace(r"\\", ""):
        raise GoError(r"error parsing regexp: invalid escape sequence: `\C`")
    options = re2.Options()
    options.log_errors = False  # RE2 would write to standard error
    if memory is not None:
        options.max_mem = memory
    try:
        return re2.compile(source, options)
    except re2.error as error:
        text = error.args[0]
        said = text.decode("utf-8") if isinstance(text, bytes) else str(text)
        problem, colon, part = said.partition(": ")
        shown = f"{_GO_WORDS.get(problem, problem)}{colon}`{part}`" if colon else problem
        kind = TooComplex if "too large" in said else GoError
        raise kind(f"error parsing regexp: {shown}") from None


def replace_all(pattern: Any, target: str, text: str) -> str:
    """`Regexp.ReplaceAllString`: no empty match right after another match."""
    parts: list[str] = []
    done = 0
    previous = -1
    for match in pattern.finditer(text):
        if match.start() == match.end() == previous:
            continue
        parts += [text[done : match.start()], _expand(target, match)]
        done = previous = match.end()
    return "".join([*parts, text[done:]])


def find_all(pattern: Any, text: str, most: int) -> list[str]:
    """`Regexp.FindAllString`: at most so many matches, all where `most` is negative."""
    found: list[str] = []
    previous = -1
    for match in pattern.finditer(text):
        if 0 <= most <= len(found):
            break
        if match.start() == match.end() == previous:
            continue
        found.append(match[0])
        previous = match.end()
    return found


def _expand(target: str, match: Any) -> str:
    """`Regexp.Expand`: `$1`, `${1}`, `$name`, `$$`; `$1x` means the group `1x`, which is not there: empty."""

    def group(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        key = int(name) if name.isascii() and name.isdigit() else name
        try:
            return match[key] or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(group, target)
