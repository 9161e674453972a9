"""Times and durations as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import InvalidTime, format_time, parse_duration, parse_expiry, parse_time

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_reads_back_as_it_was_written(moment):
    assert parse_time(format_time(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T12:00:00Z", NOW),
        ("2026-05-01T14:00:00+02:00", NOW),
        ("2026-05-01T12:00:00.123456789Z", NOW.replace(microsecond=123456)),
    ],
)
def test_rfc_3339_is_read(text, moment):
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-5-1",
        "2026-02-30",
        "2026-05-01T12:00:00",
        "2026-05-01 12:00:00",
        "2026-05-01T25:00:00Z",
        "2026-05-01T12:00:00+99:00",
        "0001-01-01T00:00:00+23:00",
        "0000-01-01",
        "20260501",
        "2026-W18-5",
    ],
)
def test_any_other_time_is_refused(text):
    with pytest.raises(InvalidTime):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", timedelta()),
    ],
)
def test_durations_are_read(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5h", "1m1h", "1w", "1d ", "9" * 30 + "d", "²d"])
def test_any_other_duration_is_refused(text):
    with pytest.raises(InvalidTime):
        parse_duration(text)


def test_an_expiry_is_a_duration_from_now_or_a_date():
    assert parse_expiry("1h30m", NOW) == NOW + timedelta(minutes=90)
    assert parse_expiry("2027-01-31", NOW) == datetime(2027, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0d", "0s", "2026-05-01", "2026-05-01T12:00:00Z", "2020-01-01"])
def test_an_expiry_that_is_not_in_the_future_is_refused(text):
    with pytest.raises(InvalidTime, match="not in the future"):
        parse_expiry(text, NOW)


def test_an_expiry_that_is_neither_says_what_it_could_be():
    with pytest.raises(InvalidTime, match="neither a duration nor a date") as caught:
        parse_expiry("soon", NOW)
    assert "90d" in caught.value.hint
    assert "2027-01-31" in caught.value.hint


def test_an_expiry_beyond_the_calendar_is_refused():
    with pytest.raises(InvalidTime, match="9999"):
        parse_expiry("9999999d", NOW)
