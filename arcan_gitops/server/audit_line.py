"""One line of the audit log as bytes: the JSON that Python's encoder makes, put together without it."""

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

_MILLISECONDS: Final = tuple(f".{number:03}Z" for number in range(1000))

Fields = Mapping[str, str | int | None]


def source(instance: str, chain: str, worker: int) -> str:
    """What all lines of a process have in common: `"instance":"arcan-0","chain":"...","worker":7`."""
    return f'"instance":{quoted(instance[:MAX_TEXT])},"chain":{quoted(chain)},"worker":{worker}'


def content(now: float, source: str, sequence: int, fields: Fields, request_id: str | None = None) -> bytes:
    """A line up to its hash: time (`now` in Unix seconds), source, sequence number, request id, then the
    fields that are not None.

    Texts are cut to 253 characters; a line that is too long all the same loses `claimed_namespace`, the one
    field whose length a caller chooses.
    """
    decision = "" if request_id is None else f',"request_id":{quoted(request_id)}'
    start = f'{{"time":"{_time(now)}",{source},"sequence":{sequence}{decision}'
    rest = _rest(tuple(fields), tuple(fields.values()))
    if len(start) + len(rest) > MAX_LINE_BYTES - _END_BYTES - _MAC_BYTES:
        short = {name: value for name, value in fields.items() if name != "claimed_namespace"}
        rest = _rest(tuple(short), tuple(short.values()))
    return (start + rest).encode("ascii")


@lru_cache(maxsize=4096)  # the same callers ask for the same again and again; a few megabytes
def _rest(names: tuple[str, ...], values: tuple[str | int | None, ...]) -> str:
    return "".join(
        f',"{name}":{quoted(value[:MAX_TEXT]) if isinstance(value, str) else value}'
        for name, value in zip(names, values, strict=True)
        if value is not None
    )


def _time(now: float) -> str:
    """`2026-01-31T12:00:00.123Z`, rounded to microseconds as `datetime` does, then cut to milliseconds."""
    second = int(now)
    microseconds = round((now - second) * 1e6)
    if microseconds == 1_000_000:
        second, microseconds = second + 1, 0
    return _second(second) + _MILLISECONDS[microseconds // 1000]


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]
