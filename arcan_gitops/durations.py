"""Durations as people write them, in settings, realm files and on the command line: `90d`, `1h30m`.

Manifests have Go's durations instead, for which see `golang.text`.
"""

from __future__ import annotations

import re
from typing import Final

from arcan_gitops.names import InvalidName

# days, hours, minutes and seconds in that order, at least one; also the `pattern` of a JSON Schema
GRAMMAR: Final = "(?=.)(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"
RULE: Final = "a duration such as 90d, 12h, 1h30m or 45s"
_DURATION: Final = re.compile(GRAMMAR)
_SECONDS: Final = (86_400, 3_600, 60, 1)


def is_duration(text: str) -> bool:
    """Whether `parse_seconds` takes the text."""
    return _DURATION.fullmatch(text) is not None


def parse_seconds(text: str) -> int:
    """The whole seconds of a duration, 0 or more. Raises `InvalidName`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidName(f"{text[:80]!r} is not a duration", hint=f"write {RULE}")
    return sum(int(number or 0) * unit for number, unit in zip(match.groups(), _SECONDS, strict=True))
