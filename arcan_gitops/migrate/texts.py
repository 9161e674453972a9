"""The text that a value of another system becomes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.migrate.source import Found, Left, Origin
from arcan_gitops.realms import text_of
from arcan_gitops.secret import SecretValue

_BASE64_NOTE: Final = "is not UTF-8 text: kept as base64; declare it with 'decode: Base64'"


def of_value(origin: Origin, value: Any) -> Found | Left:
    """One value of JSON: a text as it is, numbers and booleans as they are written, lists and maps as JSON.

    That is what ESO makes of them too (external-secrets, pkg/utils GetByteValue).
    """
    if value is None:
        return Left(origin, "is null, which has no text")
    try:
        text = text_of(value)
    except ArcanError as error:
        return Left(origin, error.message, wrong=True)
    return Found(origin, SecretValue(text), "" if isinstance(value, str) else "is now a text")


def of_bytes(origin: Origin, data: bytes) -> Found:
    """Bytes as text, or their base64 where they are not valid text."""
    try:
        return Found(origin, SecretValue(data.decode("utf-8")))
    except UnicodeDecodeError:
        return Found(origin, SecretValue(base64.b64encode(data).decode("ascii")), _BASE64_NOTE, base64=True)


def of_text(path: str, text: str, *, whole: bool) -> Iterator[Found | Left]:
    """A secret that is one text: the fields of a JSON object one by one, and anything else as it is.

    `whole` keeps a JSON object in one piece too.
    """
    fields = None if whole else _fields(text)
    if not fields:
        yield Found(Origin(path), SecretValue(text))
        return
    for name, value in fields.items():
        yield of_value(Origin(path, name), value)


def _fields(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
