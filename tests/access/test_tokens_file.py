"""Reading `tokens.yaml`: what it says, and what is wrong with it, with file and line."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import TokenRecord, mint, newest, read_tokens
from arcan_gitops.yamlio import InvalidFile, emit

DIGEST = "sha256:" + "0a" * 32
GOOD = f"""\
version: 1
tokens:
  - id: "4kT9mQ2xWv7B"
    name: eso-operator
    policy: read-only
    environments: [prod, 'dev-*']
    keys: ["DB_*"]
    created: 2026-05-01T12:00:00Z
    expires: 2027-05-01
    digest: "{DIGEST}"
  - id: aaaaaaaaaaaa
    name: eso-operator
    policy: read-only
    created: "2026-06-01T12:00:00+02:00"
    digest: {DIGEST}
"""


def read(text: str) -> tuple[TokenRecord, ...]:
    return read_tokens(text.encode(), "realms/production/tokens.yaml")


def test_a_tokens_file_is_read():
    assert read(GOOD) == (
        TokenRecord(
            "4kT9mQ2xWv7B",
            "eso-operator",
            "read-only",
            ("prod", "dev-*"),
            ("DB_*",),
            datetime(2026, 5, 1, 12, tzinfo=UTC),
            datetime(2027, 5, 1, tzinfo=UTC),
            DIGEST,
        ),
        TokenRecord(
            "aaaaaaaaaaaa",
            "eso-operator",
            "read-only",
            None,
            None,
            datetime(2026, 6, 1, 10, tzinfo=UTC),
            None,
            DIGEST,
        ),
    )


def test_a_file_without_tokens_is_valid():
    assert read("version: 1\ntokens: []\n") == ()


def test_the_newest_entry_stands_for_a_name():
    records = read(GOOD)
    assert newest(records, "eso-operator") == records[1]
    assert newest(reversed(records), "eso-operator") == records[1]
    assert newest(records, "other") is None


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "hint"),
    [
        ("version: 1", "version: 2", 1, "'version' must be 1", None),
        ("version: 1", "verson: 1", 1, "unknown field 'verson'", "version"),
        ("tokens:", "token:", 2, "unknown field 'token'", "tokens"),
        (
            "    policy: read-only\n    env",
            "    polcy: read-only\n    env",
            5,
            "unknown field 'polcy'",
            "policy",
        ),
        ("keys: [", "key: [", 7, "unknown field 'key'", "keys"),
        ("    name: eso-operator\n", "", 3, "'name' is missing", None),
        ("read-only\n    env", "admin\n    env", 5, "'admin' is not a policy", "a policy is read-only"),
        ("    policy: read-only\n", "", 3, "'policy' is missing", None),
        ("eso-operator", "'a b'", 4, "'a b' is not a valid token name", "63"),
        ("4kT9mQ2xWv7B", "short", 3, "'id' must be 12 letters and digits", "create"),
        ('"4kT9mQ2xWv7B"', "123456789012", 3, "'id' must be a text", None),
        ("[prod, 'dev-*']", "[]", 6, "'environments' is empty", "leave"),
        ('["DB_*"]', "[]", 7, "'keys' is empty", "leave"),
        ('["DB_*"]', "", 7, "'keys' must be a list of texts", None),
        ('["DB_*"]', "DB_*", 7, "'keys' must be a list of texts", None),
        ('["DB_*"]', "['DB_*,X']", 7, "'DB_*,X' is not a valid key glob", "one pattern an entry"),
        ("prod,", "Prod,", 6, "'Prod' is not a valid environment glob", None),
        ("2026-05-01T12:00:00Z", "yesterday", 8, "'created': 'yesterday' is not a point", "RFC 3339"),
        ("2027-05-01", "2027-05-01 10:00:00", 9, "is not a point in time", "RFC 3339"),
        ("2027-05-01", "2025-05-01", 9, "'expires' is before 'created'", None),
        (f'"{DIGEST}"', f'"{DIGEST[:-1]}"', 10, "'digest' must be", "create"),
        (f'"{DIGEST}"', f'"{DIGEST[7:]}"', 10, "'digest' must be", "create"),
        ("aaaaaaaaaaaa", "4kT9mQ2xWv7B", 11, "'4kT9mQ2xWv7B' is given twice (first in line 3)", None),
        ("version: 1\n", "", 1, "'version' must be 1", None),
    ],
)
def test_nonsense_is_an_error_at_its_line(old, new, line, problem, hint):
    assert old in GOOD
    with pytest.raises(InvalidFile) as caught:
        read(GOOD.replace(old, new, 1))
    assert caught.value.message.startswith(f"realms/production/tokens.yaml:{line}: ")
    assert problem in caught.value.message
    assert hint is None or hint in caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "version: 1\n", "[]", "version: 1\ntokens: {}\n", "version: 1\ntokens:\n"]
)
def test_a_file_without_a_list_of_tokens_is_an_error(text):
    with pytest.raises(InvalidFile):
        read(text)


@pytest.mark.parametrize("field", ["id", "name", "policy", "created", "expires", "digest", "keys"])
def test_a_token_pasted_into_the_file_is_not_repeated_in_the_error(field):
    text = mint().text.reveal()
    entry = dict(read(GOOD)[0].to_plain())
    entry[field] = [text + " "] if field == "keys" else text
    with pytest.raises(InvalidFile) as caught:
        read(emit([{"version": 1, "tokens": [entry]}]))
    assert text[17:30] not in f"{caught.value.message} {caught.value.hint}"


base62 = st.text(alphabet="0123456789ABCDEFabcdefxyz", min_size=12, max_size=12)
times = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
records = st.builds(
    TokenRecord,
    id=base62,
    name=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z"),
    policy=st.just("read-only"),
    environments=st.none() | st.lists(st.from_regex(r"\A[-a-z0-9*?]{1,9}\Z"), min_size=1).map(tuple),
    keys=st.none() | st.lists(st.from_regex(r"\A[-A-Za-z0-9._*?]{1,9}\Z"), min_size=1).map(tuple),
    created=times.map(lambda moment: moment.replace(year=1999, day=1)),
    expires=st.none() | times,
    digest=st.binary(min_size=32, max_size=32).map(lambda data: f"sha256:{data.hex()}"),
)


@given(records)
def test_a_record_survives_json_and_yaml(record):
    plain = record.to_plain()
    assert TokenRecord.from_plain(json.loads(json.dumps(plain))) == record
    assert read(emit([{"version": 1, "tokens": [plain]}])) == (record,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version: 1\ntokens: [" + "{}, " * 1001 + "]\n", "more than 1000 tokens"),
        (GOOD.replace("[\"DB_*\"]", "[" + ", ".join(f"K{n}" for n in range(501)) + "]"), "more than 500 globs"),
        (GOOD + "#" * (1 << 20), "has more than 1048576 bytes"),
    ],
)  # fmt: skip
def test_a_file_that_could_keep_the_server_from_other_realms_is_refused(text: str, problem: str):
    with pytest.raises(InvalidFile, match=problem):
        read(text)
