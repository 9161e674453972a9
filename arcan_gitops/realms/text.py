"""What ESO gets for a value: always text, because ESO rounds numbers and empties null."""

from __future__ import annotations

import json
import math
from typing import Any

from arcan_gitops.errors import ArcanError
from arcan_gitops.golang.yaml import format_float


class NoText(ArcanError):
    """A value that has no text: null, NaN, an infinity, or bytes that are not UTF-8."""


def text_of(value: Any) -> str:
    """Strings as they are, integers in decimal, booleans `true`/`false`, floats as Go's FormatFloat('f', -1),
    timestamps as RFC 3339, maps and lists as compact JSON by the same rules in document order.

    Raises `NoText`.
    """
    if value is None:
        raise NoText("is null, which has no text", hint="give it a value, or remove the key")
    if isinstance(value, str):
        return _utf8(str(value))
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(key)}:{_json(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NoText("is NaN or an infinity, which has no text", hint="quote it if it should be text")
        return format_float(value)
    return json.dumps(value)  # true, false, null, an integer


def _quoted(text: str) -> str:
    return json.dumps(_utf8(str(text)), ensure_ascii=False)


def _utf8(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NoText("is not UTF-8 text, which JSON cannot carry", hint="store it base64-encoded") from None
    return text
