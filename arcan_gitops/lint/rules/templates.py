"""Go templates, as far as lint looks into them: where they are, and which variables they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.golang.errors import GoError

_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STRINGS: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/', re.DOTALL)
_VARIABLE: Final = re.compile(r"(?<![\w.)\]$])((?:\.[^\W\d]\w*)+)")
# Inside these the dot is something else.
_MOVES_THE_DOT: Final = re.compile(r"\{\{-?\s*(?:range|with|define|block|template)\b")
_PLACE: Final = re.compile(r"template: [^:]*:(?:\d+:)*(?:\d+:)? ?")
_FUNCTION: Final = re.compile(r'function "\w+" not defined')
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|\'(?:[^\'\\]|\\.)*\'')
# Stands for an action where the text around it is looked at; no URL, header or path holds it.
PLACEHOLDER: Final = "\x00"


def without_actions(text: str) -> str:
    """The text with each `{{ ... }}` replaced by `PLACEHOLDER`."""
    return _ACTION.sub(PLACEHOLDER, text)


def actions(text: str) -> Iterator[str]:
    """The inside of each `{{ ... }}`, its strings and comments blanked."""
    for match in _ACTION.finditer(text):
        yield _STRINGS.sub(" ", match[0][2:-2])


def variables(text: str) -> Iterator[tuple[str, ...]]:
    """`("remoteRef", "key")` for each field that a template names; none where the dot may be another."""
    if _MOVES_THE_DOT.search(text):
        return
    for action in actions(text):
        for match in _VARIABLE.finditer(action):
            yield tuple(match[1][1:].split("."))


def cause(error: GoError) -> str:
    """Go's words about a text that is no template, without what they quote of it: it may hold a secret."""
    said = _PLACE.sub("", str(error), count=1)
    return said if _FUNCTION.fullmatch(said) else _QUOTED.sub("...", said)
