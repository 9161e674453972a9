"""Base64, hexadecimal, digests and JSON as sprig has them (strings.go, crypto.go, defaults.go)."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from arcan_gitops.golang import base64 as go_base64
from arcan_gitops.golang import json as go_json
from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.json import Json
from arcan_gitops.golang.template.signature import Function, function
from arcan_gitops.golang.template.values import List, Map, Missing, Value, of_json


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _b64dec(text: str) -> str:
    try:
        return _text(go_base64.decode(_bytes(text)))
    except GoError as error:
        return str(error)  # sprig puts the error's text in place of the value


def _hexdec(text: str) -> str:
    try:
        return _text(bytes.fromhex(text) if " " not in text and "\n" not in text else bytes.fromhex("x"))
    except ValueError:
        raise NotSupported("hexdec of what is not hexadecimal") from None


def _digest(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, _bytes(text)).hexdigest()


def _must_from_json(text: str) -> Value:
    if "e" in text.lower() and _is_too_large(text):
        raise NotSupported("fromJson of a number that no float64 holds")
    return of_json(go_json.parse(_bytes(text)))


def _is_too_large(text: str) -> bool:
    try:
        go_json.parse(_bytes(text))
    except GoError as error:
        return "cannot unmarshal number" in str(error)
    return False


def _from_json(text: str) -> Value:
    try:
        return _must_from_json(text)
    except GoError:
        return None  # sprig drops the error


def _to_json(*, indent: int = 0, html: bool = True) -> Callable[[Value], str]:
    return lambda value: _text(go_json.marshal(_without_nil(value), indent=indent, html=html))


def _without_nil(value: Value) -> Json:
    """A nil slice is null."""
    if isinstance(value, Map):
        return {name: _without_nil(item) for name, item in value.items()}
    if isinstance(value, List):
        return None if value.is_nil else [_without_nil(item) for item in value]
    assert not isinstance(value, Missing)  # nil is None here
    return value


FUNCTIONS: Final[Mapping[str, Function]] = {
    "adler32sum": function("s", lambda text: str(zlib.adler32(_bytes(text)))),
    "b32enc": function("s", lambda text: base64.b32encode(_bytes(text)).decode("ascii")),
    "b64dec": function("s", _b64dec),
    "b64enc": function("s", lambda text: base64.b64encode(_bytes(text)).decode("ascii")),
    "fromJson": function("s", _from_json, gives_any=True),
    "hexdec": function("s", _hexdec),
    "mustFromJson": function("s", _must_from_json, gives_any=True),
    "mustToJson": function("a", _to_json()),
    "mustToPrettyJson": function("a", _to_json(indent=2)),
    "mustToRawJson": function("a", _to_json(html=False)),
    "sha1sum": function("s", _digest("sha1")),
    "sha256sum": function("s", _digest("sha256")),
    "sha512sum": function("s", _digest("sha512")),
    "toJson": function("a", _to_json()),
    "toPrettyJson": function("a", _to_json(indent=2)),
    "toRawJson": function("a", _to_json(html=False)),
}
