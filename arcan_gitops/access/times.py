"""Points in time and durations, as people write them in a tokens file and on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from arcan_gitops.access.token import shown
from arcan_gitops.durations import RULE, is_duration, parse_seconds
from arcan_gitops.errors import ArcanError

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?",
    re.ASCII,
)
TIME_RULE: Final = "a date as 2027-01-31 or 2027-01-31T12:00:00Z (RFC 3339)"


class InvalidTime(ArcanError):
    """A text that is not a time or duration, or a time beyond the calendar."""


def parse_time(text: str) -> datetime:
    """A point in time in UTC from RFC 3339 text; a date alone is its midnight in UTC.

    Digits below the microsecond are cut. Raises `InvalidTime`.
    """
    if _TIME.fullmatch(text) is not None:
        try:
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise InvalidTime(f"{shown(text)} is not a point in time", hint=f"write {TIME_RULE}")


def format_time(moment: datetime) -> str:
    """RFC 3339 text in UTC: `2027-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def parse_duration(text: str) -> timedelta:
    """A duration of days, hours, minutes and seconds, in this order. Raises `InvalidTime`."""
    if not is_duration(text):
        raise InvalidTime(f"{shown(text)} is not a duration", hint=f"write {RULE}")
    return timedelta(seconds=parse_seconds(text))


def parse_expiry(text: str, now: datetime) -> datetime:
    """The end of a token's life, given as a duration from `now` or as a point in time after it.

    Raises `InvalidTime`, also for a time that is not after `now`.
    """
    if is_duration(text):
        moment = later(now, parse_duration(text))
    else:
        try:
            moment = parse_time(text)
        except InvalidTime:
            raise InvalidTime(
                f"{shown(text)} is neither a duration nor a date",
                hint=f"write {RULE}, or {TIME_RULE}",
            ) from None
    if moment <= now:
        raise InvalidTime(f"{shown(text)} is not in the future", hint="a token must live for a while")
    return moment


def later(moment: datetime, duration: timedelta) -> datetime:
    """`moment + duration`. Raises `InvalidTime` beyond the year 9999."""
    try:
        return moment + duration
    except OverflowError:
        raise InvalidTime("a time beyond the year 9999", hint="choose a shorter duration") from None
