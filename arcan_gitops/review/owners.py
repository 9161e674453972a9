"""CODEOWNERS: who must agree to a change of a file. Source: GitHub, "About code owners"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # the first that is there counts
_MAX_LINES: Final = 3_000
_WILD: Final = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, slots=True)
class Owners:
    """The lines of the file: pattern and owners. `path` is empty where there is no such file."""

    path: str = ""
    lines: tuple[tuple[str, tuple[str, ...]], ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes, path: str) -> Owners:
        """What GitHub cannot parse it skips; so does this."""
        lines, numbers = [], {}
        for number, text in enumerate(data.decode("utf-8", "replace").splitlines()[:_MAX_LINES], start=1):
            words = text.partition(" #")[0].split()
            if words and not words[0].startswith("#"):
                lines.append((words[0], tuple(words[1:])))
                numbers[words[0]] = number
        return cls(path, tuple(lines), numbers)

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a path: those of the last line that matches it."""
        for pattern, owners in reversed(self.lines):
            if _matcher(pattern).match(path):
                return owners
        return ()


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> re.Pattern[str]:
    """Of .gitignore's patterns, without `!` and `[ ]`, which CODEOWNERS does not have."""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = (_WILD.get(part, re.escape(part)) for part in re.split(r"(\*\*/|/\*\*|\*\*|\*|\?)", body))
    front = "" if anchored or pattern.startswith("/") else "(?:.*/)?"
    behind = "/.*" if pattern.endswith("/") else "" if body.endswith("*") and body != "*" else "(?:/.*)?"
    return re.compile(f"{front}{''.join(parts)}{behind}\\Z", re.DOTALL)
