"""Go's ways with text that differ from Python's: quoting, trimming, case, durations."""

from __future__ import annotations

import re
from typing import Final

# unicode.IsSpace; Python's str.strip() also takes U+001C to U+001F.
_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_DURATION_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def go_quote(text: str) -> str:
    """`strconv.Quote`, also `%q`."""
    return f'"{"".join(_ESCAPES.get(c) or _shown(c) for c in text)}"'


def _shown(character: str) -> str:
    point = ord(character)
    if 0xDC80 <= point <= 0xDCFF:  # a byte that was not UTF-8 (surrogateescape)
        return f"\\x{point - 0xDC00:02x}"
    if character.isprintable():
        return character
    if point < 0x20 or point == 0x7F:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def trim_space(text: str) -> str:
    """`strings.TrimSpace`."""
    return text.strip(_SPACE)


def to_upper(text: str) -> str:
    """`strings.ToUpper`: rune by rune, so `ß` stays."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def to_lower(text: str) -> str:
    """`strings.ToLower`: rune by rune."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def parse_duration(text: str) -> float:
    """Seconds of a Go duration (`5s`, `1m30s`, `0.5ms`). Raises `ValueError`."""
    if text in ("0", "+0", "-0"):
        return 0.0
    sign = -1.0 if text.startswith("-") else 1.0
    rest, total = text.lstrip("+-") if text[:1] in "+-" else text, 0.0
    if not rest:
        raise ValueError("not a duration")
    while rest:
        match = _DURATION_PART.match(rest)
        if match is None:
            raise ValueError("not a duration")
        total += float(match[1]) * _SECONDS[match[2]]
        rest = rest[match.end() :]
    return sign * total
