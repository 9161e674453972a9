"""How go-yaml v3 reads a plain scalar, and how Go prints numbers.

SOPS, kustomize and kubectl are Go programs: what a plain scalar means to them decides the SOPS MAC and
whether a generated manifest says what it should. PyYAML's own resolver follows YAML 1.1 and differs.
Source: go.yaml.in/yaml/v3 resolve.go; strconv.FormatFloat; time.RFC3339Nano.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
UINT64_MAX: Final = (1 << 64) - 1


class Timestamp(str):
    """A point in time as RFC 3339 text, with all the digits that the document gave."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Timestamp([redacted])"


class Ambiguous(ValueError):
    """A scalar whose meaning to go-yaml we do not reproduce: refused, never guessed."""


Scalar = str | int | float | bool | Timestamp | None

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
# The plain scalars made of letters that are not text.
WORDS: Final = frozenset(word for word in _WORDS if word.isalpha())
_FIRST: Final = frozenset("+-0123456789.~nNtTfF")
# A plain scalar that starts with one of these is a text, whatever follows.
ALWAYS_TEXT: Final = frozenset("abcdeghijklmopqrsuvwxyzABCDEGHIJKLMOPQRSUVWXYZ_/$")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
# These go to strconv.ParseFloat as they are, which allows `_` between digits only.
_DOT_FLOAT: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?", re.ASCII)
_INTEGER: Final = re.compile(
    r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|(0[0-7]*)|([1-9][0-9]*))", re.ASCII
)
_TIME_START: Final = re.compile(r"[0-9]{4}-", re.ASCII)
_TIME_LIKE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9]|\Z)", re.ASCII)
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
    r"| ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]{1,9})?)?",
    re.ASCII,
)
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def resolve_plain(text: str) -> Scalar:
    """The value of an untagged plain scalar.

    Raises `OverflowError` for an unsigned 64-bit integer (SOPS cannot hold one) and `Ambiguous` for the
    spellings on which we would have to guess.
    """
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return _finite(text, text.replace("_", "")) if _DOT_FLOAT.fullmatch(text) else text
    if text[0] not in "+-0123456789":
        return text
    if _TIME_START.match(text):
        timestamp = parse_timestamp(text)
        if timestamp is not None:
            return timestamp
    return _number(text)


def _number(text: str) -> Scalar:
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match is not None:
        sign, hexadecimal, binary, octal, old_octal, decimal = match.groups()
        if hexadecimal:
            number = int(hexadecimal, 16)
        elif binary:
            number = int(binary, 2)
        elif octal or old_octal:
            number = int(octal or old_octal, 8)
        else:
            if len(decimal) > 400:  # beyond any float; int() of it would only cost time
                return text
            number = int(decimal)
        if sign == "-":
            number = -number
        if INT64_MIN <= number <= INT64_MAX:
            return number
        if 0 <= number <= UINT64_MAX and not sign:
            raise OverflowError("an integer above 2^63-1")
        if not (decimal or old_octal):
            return text
    unsigned = digits.lstrip("+-")
    if unsigned[:2] in ("0b", "0o") and unsigned[2:3] in ("+", "-"):
        raise Ambiguous("an octal or binary number with a sign inside")
    return _finite(text, digits) if _FLOAT.fullmatch(digits) else text


def _finite(text: str, digits: str) -> float | str:
    number = float(digits)
    return text if math.isinf(number) else number


def parse_timestamp(text: str) -> Timestamp | None:
    """RFC 3339 text with nanoseconds as Go's time.Time prints it, or None if `text` is not a timestamp.

    Accepts go-yaml's four layouts (date, `T` or `t` with offset, space without offset).
    Raises `Ambiguous` for what looks like one and is not of these layouts.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        if _TIME_LIKE.match(text):
            raise Ambiguous("a text that is almost a timestamp")
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] + (month == 2 and leap):
        return None
    hour, minute, second, fraction, offset = 0, 0, 0, "", "Z"
    if match[4]:
        hour, minute, second = int(match[4]), int(match[5]), int(match[6])
        fraction, offset = match[7] or "", match[8]
    elif match[9]:
        hour, minute, second, fraction = int(match[9]), int(match[10]), int(match[11]), match[12] or ""
    if hour > 23 or minute > 59 or second > 59:
        return None
    if offset != "Z":
        if int(offset[1:3]) > 24 or int(offset[4:6]) > 60:
            return None
        if offset[1:] == "00:00":
            offset = "Z"
    fraction = fraction.rstrip("0").rstrip(".")
    return Timestamp(
        f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{fraction}{offset}"
    )


def parse_rfc3339(text: str) -> Timestamp | None:
    """What Go reads strictly as RFC 3339 (time.Time.UnmarshalText), as it prints it again; else None."""
    return parse_timestamp(text) if _RFC3339.fullmatch(text) else None


def format_float(number: float) -> str:
    """`strconv.FormatFloat(number, 'f', -1, 64)`: the shortest digits, never an exponent."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    text = repr(number)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")
