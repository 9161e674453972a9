"""One grammar for every duration that a person writes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import parse_duration
from arcan_gitops.durations import parse_seconds
from arcan_gitops.names import InvalidName
from arcan_gitops.overlay.app_schema import app_schema
from arcan_gitops.overlay.duration import Duration


@given(st.tuples(*[st.none() | st.integers(0, 9999)] * 4))
def test_settings_tokens_and_the_schema_take_the_same_durations(numbers: tuple[int | None, ...]) -> None:
    parts = zip(numbers, "dhms", strict=True)
    text = "".join(f"{number}{unit}" for number, unit in parts if number is not None)
    pattern = next(re.finditer(r"'pattern': '(\^[^']*d\)[^']*)'", str(app_schema())))[1]
    assert (re.search(pattern, text) is not None) is bool(text)
    if not text:
        return
    seconds = sum((number or 0) * unit for number, unit in zip(numbers, (86400, 3600, 60, 1), strict=True))
    assert parse_seconds(text) == parse_duration(text).total_seconds() == seconds
    if 0 < seconds < 1 << 33:
        assert Duration.parse(text).seconds == seconds


@pytest.mark.parametrize(
    "text", ["", "d", "1", "1w", "1h1d", "-1d", "+1d", "1.5h", " 1h", "1h\n", "\u0661h", "1234567890s"]
)
def test_any_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidName) as error:
        parse_seconds(text)
    assert error.value.hint == "write a duration such as 90d, 12h, 1h30m or 45s"
