"""Text functions of Go that differ from Python's: quoting, trimming, case, durations."""

from __future__ import annotations

import re
from typing import Final

from arcan_gitops.golang.errors import GoError

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


_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([^\\\n])"
)
_ESCAPED: Final = dict(zip("abfnrtv\\'\"", b"\a\b\f\n\r\t\v\\'\"", strict=True))


def unquote(quoted: str) -> str:
    """`strconv.Unquote` of a text in double quotes or backquotes. Raises `GoError` (`invalid syntax`)."""
    inside = quoted[1:-1]
    if len(quoted) < 2 or quoted[0] != quoted[-1] or quoted[0] not in '`"':
        raise GoError("invalid syntax")
    if quoted[0] == "`":
        return inside.replace("\r", "")
    if "\\" not in inside and "\n" not in inside and '"' not in inside:
        return inside
    data, at = bytearray(), 0
    while at < len(inside):
        match = _ESCAPE.match(inside, at)
        if match is None or match[1] == "'" or match[6] == '"':
            raise GoError("invalid syntax")
        data += _unescaped(match)
        at = match.end()
    return data.decode("utf-8", "surrogateescape")


def unquote_char(quoted: str) -> int:
    """The code point of a character constant: `'a'`, `'\\n'`. Raises `GoError`."""
    match = _ESCAPE.match(quoted, 1)
    if match is None or match[1] == '"' or match[6] == "'":
        raise GoError("invalid syntax")
    if quoted[match.end() :] != "'":
        raise GoError(f"malformed character constant: {quoted}")
    if match[2] or match[3]:
        return _unescaped(match)[0]
    return ord(_unescaped(match).decode("utf-8", "surrogateescape"))


def _unescaped(match: re.Match[str]) -> bytes:
    simple, byte, octal, short, long, plain = match.groups()
    if simple:
        return bytes([_ESCAPED[simple]])
    if byte:
        return bytes([int(byte, 16)])
    if octal:
        if int(octal, 8) > 0xFF:
            raise GoError("invalid syntax")
        return bytes([int(octal, 8)])
    if plain:
        return plain.encode("utf-8", "surrogateescape")
    point = int(short or long, 16)
    if point > 0x10FFFF or 0xD800 <= point < 0xE000:
        raise GoError("invalid syntax")
    return chr(point).encode("utf-8")


def trim_space(text: str) -> str:
    """`strings.TrimSpace`."""
    return text.strip(_SPACE)


def is_space(character: str) -> bool:
    """`unicode.IsSpace`."""
    return character in _SPACE


def to_title(text: str) -> str:
    """`strings.Title`: the first letter of each word in upper case."""
    previous, parts = " ", []
    for character in text:
        parts.append(to_upper(character) if _separates(previous) else character)
        previous = character
    return "".join(parts)


def _separates(character: str) -> bool:
    if character.isascii():
        return not (character.isalnum() or character == "_")
    return not character.isalpha() and not character.isdecimal() and is_space(character)


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
