"""The pages about findings, as `arcan explain` prints them: docs/lint and docs/review, in one file.

A test holds that file against the pages; `pytest tests/docs --rewrite-golden` writes it anew.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import did_you_mean

FILE: Final = "explanations.md"
_TITLE: Final = re.compile(r"^# (AR[CR]\d{3}): (.+)$", re.MULTILINE)


def command(rule: str) -> str:
    """What prints the page about a rule: `arcan explain ARC020`."""
    return f"arcan explain {rule}"


def titles() -> dict[str, str]:
    """The title of each page, by the id of its rule."""
    return dict(_TITLE.findall(_text()))


def explanation(rule: str) -> str:
    """The page about a rule, in Markdown. Raises `ArcanError` where there is none."""
    text, wanted = _text(), rule.upper()
    starts = {match[1]: match.start() for match in _TITLE.finditer(text)}
    if wanted not in starts:
        hint = f"{did_you_mean(wanted, starts)} arcan explain lists all"
        raise ArcanError(f"there is no finding {rule[:40]!r}", hint=hint.strip())
    end = min((start for start in starts.values() if start > starts[wanted]), default=len(text))
    return text[starts[wanted] : end].rstrip("\n") + "\n"


def _text() -> str:
    return resources.files("arcan_gitops").joinpath(FILE).read_text("utf-8")
