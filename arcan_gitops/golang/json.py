"""JSON as Go's `encoding/json` reads and writes it, with what that does to values.

Every number becomes a float64 (so large integers lose digits), map keys are sorted and `<`, `>` and `&`
are escaped on the way out. Source: Go encoding/json; measured with ESO itself
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn, TypeAlias

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.yaml import format_float

Json: TypeAlias = Mapping[str, "Json"] | Sequence["Json"] | str | float | bool | None

_SPACE: Final = " \t\r\n"
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_HTML: Final = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
_SEPARATORS: Final = str.maketrans({c: f"\\u{ord(c):04x}" for c in "\u2028\u2029"})


def parse(body: bytes) -> Json:
    """The one JSON document in `body`.

    Raises `GoError` with Go's message for an empty body, a body that does not begin as JSON (a byte order
    mark, HTML, plain text) and trailing bytes; other syntax errors are worded here, and quote nothing.
    """
    # Go reports a byte, so a byte order mark is its first byte, shown as that code point.
    text = body.decode("utf-8", "replace")
    stripped = text.lstrip(_SPACE)
    if not stripped:
        raise GoError("unexpected end of JSON input")
    if stripped[0] not in '{["-0123456789tfn':
        first = chr(body.lstrip(_SPACE.encode())[0])
        raise GoError(f"invalid character {_go_character(first)} looking for beginning of value")
    _require_literal(stripped)
    try:
        value, end = _DECODER.raw_decode(stripped)
    except json.JSONDecodeError as error:
        if error.pos >= len(stripped.rstrip(_SPACE)) or error.msg.startswith("Unterminated"):
            raise GoError("unexpected end of JSON input") from None
        raise GoError(f"invalid JSON at character {len(text) - len(stripped) + error.pos}") from None
    except RecursionError:
        raise NotSupported("a JSON answer nested this deeply") from None
    rest = stripped[end:].lstrip(_SPACE)
    if rest:
        raise GoError(f"invalid character {_go_character(rest[0])} after top-level value")
    return _clean(value)


def _require_literal(text: str) -> None:
    """Plain text that begins with t, f or n is a literal gone wrong."""
    word = next((word for word in ("true", "false", "null") if text[0] == word[0]), "")
    for expected, found in zip(word, text, strict=False):
        if expected != found:
            shown = _go_character(found)
            raise GoError(f"invalid character {shown} in literal {word} (expecting '{expected}')")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise GoError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return value


def _constant(name: str) -> NoReturn:
    raise GoError(f"invalid character {_go_character(name.lstrip('-')[0])} in numeric literal")


_DECODER: Final = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_constant)


def _clean(value: Json) -> Json:
    """Half a surrogate pair becomes U+FFFD, as in Go."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_SURROGATES.sub("\ufffd", name): _clean(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _go_character(character: str) -> str:
    """A character as Go's JSON errors quote it."""
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    return f"'{character}'" if character.isprintable() else f"'\\u{ord(character):04x}'"


def marshal(value: Json, *, indent: int = 0, html: bool = True) -> bytes:
    """`json.Marshal(value)`: compact, keys sorted, HTML-escaped; with `indent` `json.MarshalIndent`.

    An int is a Go integer; bytes that are no UTF-8 become U+FFFD.
    """
    return _marshal(value, "\n" if indent else "", indent, html).encode("utf-8")


def _marshal(value: Json, line: str, indent: int, html: bool) -> str:
    if isinstance(value, str):
        return _text(value, html)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(int(value))
    inner = line + " " * indent
    colon = ": " if indent else ":"
    if isinstance(value, Mapping):
        items = [
            f"{inner}{_text(name, html)}{colon}{_marshal(value[name], inner, indent, html)}"
            for name in sorted(value)
        ]
        return "{" + ",".join(items) + (line if items else "") + "}"
    items = [inner + _marshal(item, inner, indent, html) for item in value]
    return "[" + ",".join(items) + (line if items else "") + "]"


def _text(text: str, html: bool) -> str:
    written = json.dumps(text, ensure_ascii=False).translate(_HTML if html else _SEPARATORS)
    return _SURROGATES.sub(r"\\ufffd", written)


def _float(number: float) -> str:
    """The shortest digits; an exponent only below 1e-6 and from 1e21 on (encoding/json floatEncoder)."""
    size = abs(number)
    if number and (size < 1e-6 or size >= 1e21):
        mantissa, exponent = repr(number).split("e")
        return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}"
    return format_float(number)


def type_name(value: Json) -> str:
    """What Go's `%T` prints for the value."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, str):
        return "string"
    return "map[string]interface {}" if isinstance(value, Mapping) else "[]interface {}"
