"""A line of the audit log has the bytes that a general JSON encoder makes of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from arcan_gitops.audit.fields import FIELDS
from arcan_gitops.names import KeyName
from arcan_gitops.server.audit_line import MAX_LINE_BYTES, Fields, content, encoded, source

# control characters, surrogates, what JSON escapes and what lies beyond the first plane, mixed with letters
TEXTS = st.text(
    st.characters(exclude_categories=()) | st.sampled_from('\x00\x1f\x7f"\\/\u2028\ud800\udfff\U0001f511 aZ')
)
VALUES = st.none() | st.integers() | TEXTS | TEXTS.map(lambda text: text * 50) | st.builds(KeyName, TEXTS)


INSTANCE, CHAIN = 'a host \ud800 "', "0123456789abcdef"
END = len(',"mac":"","hash":""}\n') + 2 * 64  # what comes after the content, at the most


def by_the_encoder(now: float, worker: int, sequence: int, fields: Fields) -> bytes:
    """A line up to its hash by the encoder and `datetime`, as plainly as it can be said."""
    seconds, milliseconds = divmod(int(now * 1000), 1000)
    time = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
    record = {"time": time, "instance": INSTANCE, "chain": CHAIN, "worker": worker, "sequence": sequence}
    for name, value in fields.items():
        if value is not None:
            record[name] = value[:253] if isinstance(value, str) else value
    data = json.dumps(record, separators=(",", ":")).encode("ascii").removesuffix(b"}")
    if len(data) <= MAX_LINE_BYTES - END or "claimed_namespace" not in fields:
        return data
    return by_the_encoder(
        now, worker, sequence, {name: fields[name] for name in fields if name != "claimed_namespace"}
    )


@given(
    st.floats(0, 10_000_000_000),
    st.integers(0, 2**22),
    st.integers(0, 2**64),
    st.dictionaries(st.sampled_from(FIELDS[5:]), VALUES),
)
@example(1_800_000_000.9999996, 1, 1, {"claimed_namespace": "\u2028" * 253, "client": "\ud800" * 253})
@example(
    1_800_000_000.9999994,
    1,
    1,
    {"claimed_namespace": "\u2028" * 253, **dict.fromkeys(FIELDS[5:17], "\x00" * 300)},
)
def test_the_bytes_are_those_of_the_encoder(
    now: float, worker: int, sequence: int, fields: dict[str, object]
) -> None:
    least = {name: fields.pop(name) for name in ("claimed_namespace",) if name in fields}
    written = by_the_encoder(now, worker, sequence, {**fields, **least})  # type: ignore[arg-type]
    texts = (encoded(fields), encoded(least))  # type: ignore[arg-type]
    assert content(now, source(INSTANCE, CHAIN, worker), sequence, *texts) == written


@given(st.integers(0, 10_000_000_000), st.integers(0, 999), st.floats(0.01, 0.99))
def test_a_time_is_that_of_its_millisecond(second: int, millisecond: int, part: float) -> None:
    now = second + (millisecond + part) / 1000
    [text] = re.findall(rb'"time":"(.{24})"', content(now, source(INSTANCE, CHAIN, 0), 0, ""))
    assert datetime.fromisoformat(text.decode()) == datetime.fromtimestamp(second, UTC) + timedelta(
        milliseconds=millisecond
    )


def test_no_name_of_a_field_needs_an_escape() -> None:
    assert all(json.dumps(name) == f'"{name}"' for name in FIELDS)
