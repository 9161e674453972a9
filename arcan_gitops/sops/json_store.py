"""The JSON of a SOPS document as a tree. Source: getsops/sops stores/json/store.go, at 3.13.2.

Before 3.13.2 SOPS read every number as a float; the type inside `ENC[...]` says which an encrypted one is,
so that it matters for numbers in clear alone.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, NoReturn

from arcan_gitops.golang.yaml import INT64_MAX, INT64_MIN
from arcan_gitops.sops.errors import DuplicateKey, Malformed, TooLarge, empty_file, malformed
from arcan_gitops.sops.limits import Limits
from arcan_gitops.yamlio.faults import unreadable


def parse(data: bytes, limits: Limits) -> list[dict[str, Any]]:
    """The one object of the file as a tree, still encrypted.

    Raises `Malformed`, `DuplicateKey` and `TooLarge`.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(f"the document has {len(data)} bytes, more than the {limits.max_bytes} allowed")
    try:
        tree = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except ValueError as error:  # not UTF-8, or no JSON
        if not data.strip():
            raise empty_file() from None
        if (fault := unreadable(data)) is not None:
            raise malformed(fault) from None
        place = (
            f"line {error.lineno}: not JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise Malformed(place or "not JSON") from None
    except RecursionError:
        raise TooLarge(f"nested deeper than {limits.max_depth}") from None
    if type(tree) is not dict:
        raise Malformed("the top level is not an object")
    _Check(limits).node(tree, 1)
    return [tree]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        shown = twice if len(twice) <= 80 else twice[:77] + "..."
        raise DuplicateKey(f"the key {shown!a} is given twice")
    return read


def _integer(digits: str) -> int | float:
    if digits == "-0":  # written only by versions to which every number was a float
        return -0.0
    if len(digits) <= 20 and INT64_MIN <= (number := int(digits)) <= INT64_MAX:
        return number
    return _float(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Malformed("a number too large for SOPS")
    return number


def _constant(name: str) -> NoReturn:
    raise Malformed(f"not JSON: {name}")


class _Check:
    """What the decoder does not know of: limits, and texts that no UTF-8 can write."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._values = 0

    def node(self, value: Any, depth: int) -> None:
        self._values += 1  # maps and lists count too: they take memory as values do
        if self._values > self._limits.max_leaves:
            raise TooLarge(f"the document has more than the {self._limits.max_leaves} values allowed")
        if type(value) is dict:
            self._enter(depth)
            for key, child in value.items():
                _text(key)
                self.node(child, depth + 1)
        elif type(value) is list:
            self._enter(depth)
            for child in value:
                self.node(child, depth + 1)
        elif type(value) is str:
            _text(value)

    def _enter(self, depth: int) -> None:
        if depth > self._limits.max_depth:
            raise TooLarge(f"nested deeper than {self._limits.max_depth}")


def _text(text: str) -> None:
    """JSON can escape half a character (a lone surrogate), which readers make different things of."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Malformed("not JSON: half a character (a lone surrogate)") from None
