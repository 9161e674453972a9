"""The values that the getsops binary printed, put where the ciphertext was.

Each must fit its `ENC[...]`: the type that is named there, and for texts the length in bytes. What is in
clear is taken from the document itself. No part of the output is ever in a message.
"""

from __future__ import annotations

from typing import Any

from arcan_gitops.getsops.binary import BinaryFailed
from arcan_gitops.golang.yaml import INT64_MAX, INT64_MIN, parse_rfc3339
from arcan_gitops.sops import Limits, SopsError, json_store
from arcan_gitops.sops.cipher import PREFIX, TAG_BYTES, split_value
from arcan_gitops.sops.trees import Tree


def values(sealed: Tree, output: bytes, limits: Limits) -> Tree:
    """The tree with the values of `output`, which is JSON, in the place of its ciphertext.

    Raises `BinaryFailed` where the two do not go together.
    """
    try:
        [tree] = json_store.parse(output, limits)
    except SopsError:
        raise _unfit() from None
    opened: Tree = _opened(sealed, tree)
    return opened


def _opened(sealed: Any, value: Any) -> Any:
    if isinstance(sealed, dict):
        if not isinstance(value, dict) or list(sealed) != list(value):
            raise _unfit()
        return {key: _opened(child, value[key]) for key, child in sealed.items()}
    if isinstance(sealed, list):
        items = [item for item in sealed if not _is_comment(item)]  # which JSON does not have
        if not isinstance(value, list) or len(items) != len(value):
            raise _unfit()
        return [_opened(item, child) for item, child in zip(items, value, strict=True)]
    if not _is_ciphertext(sealed):
        return sealed
    _, data, kind = split_value(sealed)
    return _typed(kind, value, len(data) - TAG_BYTES)


def _is_ciphertext(leaf: Any) -> bool:
    return type(leaf) is str and leaf.startswith(PREFIX)


def _is_comment(item: Any) -> bool:
    return _is_ciphertext(item) and split_value(item)[2] == "comment"


def _typed(kind: str, value: Any, size: int) -> Any:
    """`size` finds a text that JSON cannot carry: Go puts U+FFFD for what is not UTF-8."""
    if kind == "str" and type(value) is str and len(value.encode()) == size:
        return value
    if kind == "bool" and type(value) is bool:
        return value
    if kind == "int" and type(value) is int and INT64_MIN <= value <= INT64_MAX:
        return value
    if kind == "float" and type(value) in (int, float):
        return -0.0 if value == 0 and size == len("-0") else float(value)  # JSON has no sign for it
    if kind == "time" and type(value) is str and (timestamp := parse_rfc3339(value)) is not None:
        return timestamp
    raise _unfit()


def _unfit() -> BinaryFailed:
    return BinaryFailed(
        "what the getsops binary printed does not fit the document",
        hint="values that are not UTF-8, NaN and infinities do not come through it: store them in base64",
    )
