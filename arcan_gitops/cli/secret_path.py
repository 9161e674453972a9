"""Which value of a document KEY means: a key by its name, or a path into maps and lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName, did_you_mean
from arcan_gitops.realms.environment import Edit
from arcan_gitops.sops import NoSuchKey

_F = TypeVar("_F")

Steps = tuple[str | int, ...]


class NameOrPath(ArcanError):
    """A name with dots, where there is a map of the name before the first dot."""


def path_option(command: _F) -> _F:
    """`--path`: `as_path`, which is None where nobody says."""
    option: Any = click.option(
        "--path/--no-path", "as_path", default=None,
        help="KEY is a path into a map or list (db.password, tiers.0); or a name that has dots.",
    )  # fmt: skip
    decorated: _F = option(command)
    return decorated


def steps_to(document: Edit, file: Path, key: KeyName, as_path: bool | None, doing: str) -> Steps:
    """Where the value is, or will be. `doing` is what --path would do: `sets`.

    Raises `NameOrPath` where it could be either, `NoSuchKey` for a list that is not indexed by a number.
    """
    if not as_path:
        first, dot, rest = key.partition(".")
        is_map = isinstance(document.tree.get(first), dict | list)
        if as_path is None and dot and rest and is_map and key not in document.tree:
            raise NameOrPath(
                f"{file}: there is no key '{key}', and there is a map or list '{first}'",
                hint=f"--path {doing} '{rest}' in it; --no-path means a key that is named '{key}'",
            )
        return (key,)
    steps: list[str | int] = []
    node: Any = document.tree
    for part in key.split("."):
        step: str | int = int(part) if isinstance(node, list) and part.isdigit() else part
        if part == "" or (isinstance(node, list) and isinstance(step, str)):
            raise NoSuchKey(
                f"{file}: '{key}' is no path: {_shown(steps)} is followed by '{part}'",
                hint="a path is the names of keys, and for lists 0, 1, 2..., joined by '.': db.password",
            )
        steps.append(step)
        node = _child(node, step)
    return tuple(steps)


def value_at(document: Edit, file: Path, steps: Steps) -> Any:
    """The value. Raises `NoSuchKey`, naming the nearest."""
    node: Any = document.tree
    for at, step in enumerate(steps):
        child = _child(node, step)
        if child is None and not (isinstance(node, Mapping) and step in node):
            known = (
                node if isinstance(node, Mapping) else map(str, range(len(node)) if _is_list(node) else ())
            )
            where = f" in {_shown(steps[:at])}" if at else ""
            raise NoSuchKey(
                f"{file}: there is no key '{step}'{where}", hint=did_you_mean(str(step), map(str, known))
            )
        node = child
    return node


def there_is(document: Edit, file: Path, steps: Steps) -> bool:
    """Whether there is a value."""
    try:
        value_at(document, file, steps)
    except NoSuchKey:
        return False
    return True


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, Mapping):
        return node.get(step)
    if _is_list(node) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _is_list(node: Any) -> bool:
    return isinstance(node, list)


def _shown(steps: Steps | list[str | int]) -> str:
    return f"'{'.'.join(map(str, steps))}'" if steps else "the document"
