"""The values of a document: what they may be, where they are, and copies that differ in one of them.

A path is a sequence of keys and list indexes. Nothing here changes a tree that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from arcan_gitops.golang.yaml import INT64_MAX, INT64_MIN, Timestamp, parse_timestamp
from arcan_gitops.sops.cipher import canonical
from arcan_gitops.sops.errors import BadValue, TooLarge
from arcan_gitops.sops.limits import DEFAULT_LIMITS

Value = Any  # dict[str, Value] | list[Value] | str | int | float | bool | None | Timestamp
Tree = dict[str, Value]
Path = tuple[str | int, ...]
_RESERVED: Final = "sops"
_MAX_KEY_BYTES: Final = 128  # YAML has such a key, and one with a line break, as `? key`: and no use for it
_BREAK: Final = re.compile("[\n\r\x85\u2028\u2029]")


def plain_value(value: Any, path: Path) -> Any:
    """A copy of a value that a document can hold.

    Raises `BadValue` for other types, integers beyond 64 bits, text with lone surrogates, keys that are no
    text, and timestamps in any form but RFC 3339 as Go prints it; `TooLarge` for what is nested too deep.
    """
    if len(path) > DEFAULT_LIMITS.max_depth:  # also of what contains itself
        raise TooLarge(f"key {shown(path)}: nested deeper than {DEFAULT_LIMITS.max_depth}")
    if type(value) is dict:
        for key in value:
            check_key(key, path)
        return {key: plain_value(child, (*path, key)) for key, child in value.items()}
    if type(value) is list:
        return [plain_value(child, (*path, at)) for at, child in enumerate(value)]
    if value is None or type(value) is bool or type(value) is float:
        return value
    if type(value) is int and INT64_MIN <= value <= INT64_MAX:
        return value
    if type(value) is str or (type(value) is Timestamp and _is_canonical(value)):
        try:
            canonical(value)
        except UnicodeEncodeError:
            raise BadValue(f"key {shown(path)}: a text that is not Unicode") from None
        return value
    raise BadValue(
        f"key {shown(path)}: a value that SOPS cannot hold",
        hint="dict, list, str, int of 64 bits, float, bool, None and Timestamp are held",
    )


def check_key(key: Any, parent: Path) -> None:
    """Raises `BadValue` for a key that no document can hold below `parent`."""
    if type(key) is not str:
        raise BadValue(f"{f'key {shown(parent)}: ' if parent else ''}has a key that is not a text")
    if not parent and key == _RESERVED:
        raise BadValue("the key 'sops' is that of SOPS's own metadata", hint="use another name")
    try:
        long = len(key.encode()) > _MAX_KEY_BYTES
    except UnicodeEncodeError:
        raise BadValue("a key that is not Unicode") from None
    if long or _BREAK.search(key):
        raise BadValue(f"a key with a line break, or of more than {_MAX_KEY_BYTES} bytes")


def same(one: Any, other: Any, *, exact: bool = False) -> bool:
    """Whether two trees hold the same values of the same types in the same order.

    Not `exact`: an integral float may be an integer, as which one in clear comes back.
    """
    if isinstance(one, dict) or isinstance(other, dict):
        return (
            isinstance(one, dict)
            and isinstance(other, dict)
            and list(one) == list(other)
            and all(same(child, other[key], exact=exact) for key, child in one.items())
        )
    if isinstance(one, list) or isinstance(other, list):
        return (
            isinstance(one, list)
            and isinstance(other, list)
            and len(one) == len(other)
            and all(same(a, b, exact=exact) for a, b in zip(one, other, strict=True))
        )
    if one is None or other is None:
        return one is other
    kinds = {type(one), type(other)}
    return (len(kinds) == 1 or (kinds == {int, float} and not exact)) and canonical(one) == canonical(other)


def same_document(one: Tree, other: Tree) -> bool:
    """Whether two documents as they are stored are the same; in their `sops` blocks no order counts."""
    return same(without(one, (_RESERVED,)), without(other, (_RESERVED,))) and same(
        sorted_keys(one[_RESERVED]), sorted_keys(other[_RESERVED])
    )


def sorted_keys(value: Any) -> Any:
    """The same with every map in the order of its keys."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(child) for child in value] if isinstance(value, list) else value


def get(node: Any, path: Path) -> Any:
    """What is at a path that exists."""
    for step in path:
        node = node[step]
    return node


def _changed(node: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """A copy of a tree in which `change` made a new container of the one at `path`; the rest is shared."""
    if not path:
        return change(node)
    copy = node.copy()
    copy[path[0]] = _changed(node[path[0]], path[1:], change)
    return copy


def put(tree: Tree, path: Path, value: Any) -> Tree:
    """With a value at a path; one behind the end of a list is appended, a new key stands before `sops`."""

    def change(container: Any) -> Any:
        last: Any = path[-1]
        if isinstance(container, list):
            return [*container[:last], value, *container[last + 1 :]]
        copy = {**container, last: value}
        if len(path) == 1 and last not in container and next(reversed(container), None) == _RESERVED:
            copy[_RESERVED] = copy.pop(_RESERVED)
        return copy

    changed: Tree = _changed(tree, path[:-1], change)
    return changed


def without(tree: Tree, path: Path) -> Tree:
    """Without what is at a path."""

    def change(container: Any) -> Any:
        copy = container.copy()
        del copy[path[-1]]
        return copy

    changed: Tree = _changed(tree, path[:-1], change)
    return changed


def renamed(tree: Tree, path: Path, name: str, value: Any) -> Tree:
    """With another name and value for the key at a path, in its place."""

    def change(container: Any) -> Any:
        return {
            (name if key == path[-1] else key): (value if key == path[-1] else child)
            for key, child in container.items()
        }

    changed: Tree = _changed(tree, path[:-1], change)
    return changed


def shown(path: Path) -> str:
    """A path for an error."""
    steps = (step if isinstance(step, str) else str(step) if abs(step) < 2**64 else "..." for step in path)
    text = ".".join(steps)
    return repr(text if len(text) <= 120 else text[:117] + "...")


def _is_canonical(text: str) -> bool:
    try:
        return parse_timestamp(text) == text
    except ValueError:
        return False
