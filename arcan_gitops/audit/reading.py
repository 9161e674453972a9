"""An audit line in a line of a log, whatever wrapped it on its way.

What is before the line is passed over: the time, stream and tag of CRI (`2026-01-31T12:00:00Z stdout F `),
the pod's name of `kubectl logs --prefix`, the head of syslog. Docker's json-file driver, journald's JSON and
the usual collectors have it as a text in a JSON object.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from arcan_gitops.audit.chain import HASH_FIELD

_START: Final = b'{"time":"'
_WRAPPED: Final = ("log", "MESSAGE", "message")
_HEAD: Final = re.compile(
    rb'\{"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","instance":"((?:[^"\\]|\\.)*)",'
    rb'"chain":"([0-9a-f]{16})","worker":(\d{1,10}),"sequence":(\d{1,20})(?=,)'
)
_TAIL: Final = re.compile(rb',"hash":"([0-9a-f]{64})"\}')
_TAIL_BYTES: Final = len(HASH_FIELD) + 64 + 2
_UNCHAINED: Final = re.compile(rb'\{"time":"\d{4}-\d\d-\d\dT[^"]*","(?:worker|instance)":')
_ANY_LINK: Final = re.compile(rb'"chain":"[0-9a-f]{16}"|,"hash":"[0-9a-f]{64}"')
_SHORT_BYTES: Final = 60  # up to the start of "instance" and some of it


@dataclass(frozen=True, slots=True)
class Line:
    """A line that has all that chains it; `content` is what its hash is over."""

    chain: bytes
    sequence: int
    time: bytes  # as it is written
    content: bytes
    hash: bytes

    @property
    def source(self) -> tuple[str, int]:
        """Instance and worker, as the line says them; what is no JSON is shown as it is."""
        head = _HEAD.match(self.content)
        assert head is not None
        instance = head[2].decode("ascii", "replace")
        with suppress(ValueError):
            instance = str(json.loads(f'"{instance}"'))
        return instance, int(head[4])

    @property
    def seconds(self) -> float:
        """Its time, in Unix seconds."""
        return seconds_of(self.time)

    def record(self) -> dict[str, Any]:
        """Its fields. Raises `ValueError` where it is no JSON."""
        record: dict[str, Any] = json.loads(self.content + b"}")
        return record

    @property
    def event(self) -> str | None:
        """What it tells of, where that is no decision."""
        if b'"event":"' not in self.content:
            return None
        with suppress(ValueError):
            event = self.record().get("event")
            return event if isinstance(event, str) else None
        return None


@dataclass(frozen=True, slots=True)
class Damaged:
    """What looks like an audit line, and is none or only a part of one."""

    torn: bool  # it has no end, as where a disk was full


def audit_line(raw: bytes) -> Line | Damaged | None:
    """The audit line in a line of a log. None where there is none: another program's line."""
    text = unwrapped(raw)
    if text is None:
        return None
    head = _HEAD.match(text)
    if head is not None and _TAIL.fullmatch(text, len(text) - _TAIL_BYTES) is not None:
        return Line(head[3], int(head[5]), head[1], text[:-_TAIL_BYTES], text[-66:-2])
    if head is not None or _UNCHAINED.match(text) or _ANY_LINK.search(text):
        return Damaged(torn=not text.endswith(b"}"))
    return Damaged(torn=True) if len(text) < _SHORT_BYTES and not text.endswith(b"}") else None


def unwrapped(raw: bytes) -> bytes | None:
    """From the start of a JSON object with a time on; None where there is none."""
    if raw.startswith(b'{"') and not raw.startswith(_START):
        with suppress(ValueError, RecursionError):
            record = json.loads(raw)
            for name in _WRAPPED:
                text = record.get(name)
                if isinstance(text, str):
                    raw = text.removesuffix("\n").encode("utf-8", "surrogatepass")
                    break
    at = raw.find(_START)
    return None if at < 0 else raw[at:]


def seconds_of(time: bytes) -> float:
    """Unix seconds of `2026-01-31T12:00:00.123Z`; 0 for what is no time."""
    return _second(time[:19]) + int(time[20:23]) / 1000


@lru_cache(maxsize=64)
def _second(text: bytes) -> float:
    try:
        return datetime.fromisoformat(text.decode() + "+00:00").timestamp()
    except ValueError:
        return 0.0
