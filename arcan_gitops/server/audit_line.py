"""One line of the audit log as bytes: the JSON that Python's encoder makes, put together without it.

What many lines have in common is encoded once, by whoever has it: a line is put together from such texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

# One write of at most this many bytes is whole or not at all in a pipe (PIPE_BUF), and cannot be torn apart
# by another process's in a file that is opened with O_APPEND.
MAX_LINE_BYTES: Final = 4096
MAX_TEXT: Final = 253
_END_BYTES: Final = 9 + 64 + 3  # `,"hash":"`, the hash, `"}` and the end of the line
_MAC_BYTES: Final = 8 + 64 + 1
_LONGEST: Final = MAX_LINE_BYTES - _END_BYTES - _MAC_BYTES

_MILLISECONDS: Final = tuple(f".{number:03}Z" for number in range(1000))

Fields = Mapping[str, str | int | None]


def source(instance: str, chain: str, worker: int) -> str:
    """What all lines of a process have in common: `"instance":"arcan-0","chain":"...","worker":7`."""
    return f'"instance":{quoted(instance[:MAX_TEXT])},"chain":{quoted(chain)},"worker":{worker}'


def encoded(fields: Fields) -> str:
    """Fields as they are in a line: `,"status":200,"client":"10.0.0.1"`. None is left out.

    Texts are cut to 253 characters.
    """
    return "".join(
        [
            f',"{name}":{quoted(value[:MAX_TEXT]) if isinstance(value, str) else value}'
            for name, value in fields.items()
            if value is not None
        ]
    )


def content(now: float, source: str, sequence: int, fields: str, least: str = "") -> bytes:
    """A line up to its hash: time (`now` in Unix seconds), source, sequence number, then encoded fields.

    `least` is left out where the line would be too long with it.
    """
    line = f'{{"time":"{_time(now)}",{source},"sequence":{sequence}{fields}{least}'
    if len(line) > _LONGEST:
        line = line.removesuffix(least)
    return line.encode("ascii")


def _time(now: float) -> str:
    """`2026-01-31T12:00:00.123Z`, cut to milliseconds."""
    second, millisecond = divmod(int(now * 1000), 1000)
    return _second(second) + _MILLISECONDS[millisecond]


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]
