"""What ESO does to the keys and values of a bulk answer: rewrite, convert, validate, decode.

Source: esutils/utils.go (`RewriteMap`, `ConvertKeys`, `ValidateKeys`, `Decode`); measured with ESO itself
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from arcan_gitops.eso.errors import EsoError, NotSupported
from arcan_gitops.eso.objects import MergeRewrite, RegexpRewrite, Rewrite, TransformRewrite
from arcan_gitops.golang import base64 as go_base64
from arcan_gitops.golang import json as go_json
from arcan_gitops.golang import template
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.json import Json
from arcan_gitops.golang.regexp import compile_pattern, replace_all
from arcan_gitops.golang.yaml import format_float

_LONGEST_KEY: Final = 253

Values = Mapping[str, bytes]


def rewrite(values: Values, rewrites: tuple[Rewrite, ...]) -> dict[str, bytes]:
    """The values under the keys that the rewrites make, one after the other.

    Raises `EsoError`; `NotSupported` where two keys become one: ESO then keeps the value of one of them at
    random.
    """
    renamed = dict(values)
    for index, operation in enumerate(rewrites):
        try:
            renamed = _rewritten(renamed, operation)
        except GoError as error:
            raise EsoError(
                f"error applying rewrite to keys: failed rewrite operation[{index}]: {error}"
            ) from None
    return renamed


def _rewritten(values: Values, operation: Rewrite) -> dict[str, bytes]:
    match operation:
        case RegexpRewrite(source, target):
            try:
                pattern = compile_pattern(source)
            except GoError as error:
                raise EsoError(f"regexp failed with failed to compile: {error}") from None
            names = {key: replace_all(pattern, target, key) for key in values}
        case TransformRewrite(text):
            names = _transformed(values, text)
        case MergeRewrite():
            return _merged(values, operation)
    renamed: dict[str, bytes] = {}
    for key, name in names.items():
        if name in renamed:
            twins = sorted(old for old, new in names.items() if new == name)
            raise NotSupported(
                f"a rewrite that makes one key {name!r} of {', '.join(twins)}",
                hint="ESO keeps the value of one of them, at random",
            )
        renamed[name] = values[key]
    return renamed


def _merged(values: Values, operation: MergeRewrite) -> dict[str, bytes]:
    """`RewriteMerge`: the keys in order, those with priority last, so that their members win."""
    merged: dict[str, Json] = {}
    conflicts: list[str] = []
    keys = sorted(key for key in values if key not in operation.priority)
    for key in (*keys, *operation.priority):
        if key not in values:
            if operation.ignores_missing:
                continue
            raise EsoError(f'merge failed with key "{key}" not found in input map')
        members = _members(values[key])
        conflicts += [name for name in members if name in merged]
        merged |= members
    if conflicts and not operation.ignores_conflicts:
        raise EsoError(f"merge failed with conflicts: {', '.join(sorted(conflicts))}")
    if operation.strategy == "Extract":
        return {name: member_value(value) for name, value in merged.items()}
    if not operation.into:
        raise EsoError("merge failed with missing 'into' field")
    return {**values, operation.into: go_json.marshal(merged, html=False)}


def _members(value: bytes) -> Mapping[str, Json]:
    prefix = "merge failed with failed to unmarshal JSON"
    try:
        found = go_json.parse(value)
    except GoError as error:
        raise EsoError(f"{prefix}: {error}") from None
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        kind = {"[]interface {}": "array", "float64": "number"}.get(go_json.type_name(found))
        kind = kind or go_json.type_name(found)
        what = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise EsoError(f"{prefix}: {what}")
    return found


def member_value(value: Json) -> bytes:
    """`esutils.GetByteValue`: null is empty, a number keeps its fraction, the rest is JSON."""
    match value:
        case None:
            return b""
        case bool():
            return b"true" if value else b"false"
        case float():
            return format_float(value).encode("ascii")
        case str():
            return value.encode("utf-8")
        case _:
            return go_json.marshal(value)


def _transformed(values: Values, text: str) -> dict[str, str]:
    try:
        tree = template.parse(text, name="transform")
    except GoError as error:
        raise EsoError(f"transform failed with failed to parse template: {error}") from None
    names: dict[str, str] = {}
    for key in values:
        try:
            names[key] = template.render(tree, {"value": key})
        except GoError as error:
            raise EsoError(
                f'transform failed with failed to execute template for key "{key}": {error}'
            ) from None
    return names


def convert(values: Values, strategy: str) -> dict[str, bytes]:
    """Characters that no key may have become `_` (Default) or `_U0041_` (Unicode). Raises `EsoError`."""
    converted: dict[str, bytes] = {}
    for key, value in values.items():
        name = "".join(
            c if _allowed(c) else ("_" if strategy == "Default" else f"_U{ord(c):04x}_") for c in key
        )
        if name in converted:
            problem = f"secret name collision during conversion: {name}"
            raise EsoError(f"error applying conversion strategy {strategy} to keys: {problem}")
        converted[name] = value
    return converted


def validated(values: Values) -> dict[str, bytes]:
    """The values without an empty key. Raises `EsoError` for a key that is too long or ill-formed."""
    prefix = "invalid secret keys (TIP: use rewrite or conversionStrategy to change keys)"
    for key in values:
        length = len(key.encode("utf-8"))
        if length > _LONGEST_KEY:
            shown = key.encode("utf-8")[:_LONGEST_KEY].decode("utf-8", "replace")
            raise EsoError(
                f"{prefix}: key has length {length} but max is {_LONGEST_KEY}: "
                f"(following is truncated): {shown}"
            )
        for character in key:
            if not _allowed(character):
                raise EsoError(
                    f"{prefix}: key has invalid character {character}, "
                    f"only alphanumeric, '-', '.' and '_' are allowed: {key}"
                )
    return {key: value for key, value in values.items() if key}


def _allowed(character: str) -> bool:
    """Any letter or number of Unicode, or one of `-._` (Kubernetes is stricter, later)."""
    return character in "-._" or unicodedata.category(character)[0] in "LN"


def decode(value: bytes, strategy: str) -> bytes:
    """The value after its `decodingStrategy`; Auto takes what decodes, else the value as it is.

    Raises `EsoError` with Go's base64 error.
    """
    if strategy == "Auto":
        for url in (False, True):
            try:
                return go_base64.decode(value, url=url)
            except GoError:
                continue
    if strategy not in ("Base64", "Base64URL"):
        return value
    try:
        return go_base64.decode(value, url=strategy == "Base64URL")
    except GoError as error:
        raise EsoError(f"error applying decoding strategy {strategy} to data: {error}") from None


def decode_all(values: Values, strategy: str) -> dict[str, bytes]:
    """All values decoded. Raises `EsoError` naming the key."""
    decoded: dict[str, bytes] = {}
    for key, value in values.items():
        try:
            decoded[key] = decode(value, strategy)
        except GoError as error:
            prefix = f"error applying decoding strategy {strategy} to data"
            problem = str(error).removeprefix(f"{prefix}: ")
            raise EsoError(f"{prefix}: failure decoding key {key}: {problem}") from None
    return decoded
