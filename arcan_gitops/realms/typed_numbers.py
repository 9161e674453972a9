"""Numbers without quotes that would be served as another text than was typed: `0123` as 83, `1.10` as 1.1.

Source: go.yaml.in/yaml/v3 resolve.go, by whose rules SOPS reads YAML.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from arcan_gitops.errors import ArcanError
from arcan_gitops.golang.yaml import INT64_MAX, INT64_MIN, resolve_plain
from arcan_gitops.realms.text import text_of
from arcan_gitops.sops.emit_yaml import plain_scalar

_MOST_DIGITS: Final = 20  # of an integer of 64 bits, with its sign


def lines_with_another_number(data: bytes) -> Iterator[int]:
    """The lines of a YAML text, which was read before, where a number would not come out as it is written.

    As SOPS itself writes it (`1e+21`) is as it is written.
    """
    get: Any = CParser(data).get_event
    while not isinstance(event := get(), yaml.StreamEndEvent):
        plain = isinstance(event, yaml.ScalarEvent) and event.tag is None and event.implicit[0]
        if plain and _becomes_another(event.value):
            yield event.start_mark.line + 1


class _Digits(str):
    """A number of JSON as it is written."""

    __slots__ = ()


def keys_with_another_number(text: str) -> tuple[str, ...]:
    """The top-level keys of a JSON object with such a number in them; none of what is no JSON object."""
    try:
        tree = json.loads(text, parse_int=_Digits, parse_float=_Digits)
        items = tree.items() if isinstance(tree, dict) else ()
        return tuple(key for key, value in items if any(map(_json_becomes_another, _numbers(value))))
    except (ValueError, RecursionError):
        return ()


def _numbers(value: Any) -> Iterator[_Digits]:
    if isinstance(value, _Digits):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _numbers(child)


def _json_becomes_another(text: str) -> bool:
    """As SOPS reads JSON, whose numbers have no other notations."""
    value: int | float = float(text)
    if isinstance(value, float) and math.isinf(value):
        return True  # it is above what SOPS can hold
    if len(text) <= _MOST_DIGITS and text.lstrip("-").isdigit() and INT64_MIN <= int(text) <= INT64_MAX:
        value = int(text)
    return text not in (text_of(value), plain_scalar(value))


def _becomes_another(text: str) -> bool:
    try:
        value = resolve_plain(text)
        if type(value) is not int and type(value) is not float:
            return False
        return text not in (text_of(value), plain_scalar(value))
    except OverflowError:
        return True  # it is above what SOPS can hold
    except (ArcanError, ValueError):
        return False  # it has no text at all, which is said elsewhere
