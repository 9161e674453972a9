"""Values of an environment that has a file for each key, set and removed without a private key.

A value that is set is a new document, for those whom `.sops.yaml` names; nothing is decrypted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arcan_gitops.cli.default_branch import named, rule_differences
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.secret_path import NameOrPath
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName, did_you_mean, nearest
from arcan_gitops.realms.key_files import OpenFiles
from arcan_gitops.sops import ANY_VALUES, NoSuchKey, has_parts, outline


def refuse_parts(opened: OpenFiles, key: KeyName, as_path: bool | None, doing: str) -> None:
    """Raise `NameOrPath` for a name with dots that could be a path into another key's map."""
    first, dot, rest = key.partition(".")
    unsaid = as_path is None and dot and rest and first in opened.keys and key not in opened.keys
    if unsaid and _has_parts(opened, first):
        raise NameOrPath(
            f"{opened.path}: there is no key '{key}', and there is a map or list '{first}'",
            hint=f"--path {doing} '{rest}' in it, with an identity; --no-path means a key named '{key}'",
        )


def refuse_whole(opened: OpenFiles, key: KeyName) -> None:
    """Raise `ArcanError` where a text would take the place of a map or a list."""
    if key in opened.keys and _has_parts(opened, key):
        raise ArcanError(
            f"{opened.path}: key '{key}': is a map or a list, and a text would take its place",
            hint="--path sets a part of it, 'arcan secret edit' changes all of it; or unset it first",
        )


def _has_parts(opened: OpenFiles, key: str) -> bool:
    data = opened.read(key)
    try:
        return data is not None and has_parts(data, key)
    except ArcanError:
        return False  # what is no document is replaced as a whole


def put(opened: OpenFiles, values: Mapping[str, Any]) -> None:
    """Set the values, and say for whom they were encrypted, what they replace, and how the rule differs from
    that of the default branch. Raises as `OpenFiles.put`.
    """
    ages = {key: _age(opened.read(key)) for key in values if key in opened.keys}
    near = {key: nearest(key, opened.keys) for key in values if key not in opened.keys}
    opened.put(values)
    for key in values:
        path = opened.sealing(key).path
        if key in ages:
            say(f"changed {key} in {path}; {ages[key]}")
        else:
            say(f"added {key} to {path}" + (f"; there is a '{near[key]}' too" if near[key] else ""))
    _tell_whom(opened, list(values))


def _tell_whom(opened: OpenFiles, keys: Sequence[str]) -> None:
    """Once for each rule."""
    told: dict[str, Path] = {}
    for key in keys:
        sealing = opened.sealing(key)
        if sealing.rule.name in told:
            continue
        told[sealing.rule.name] = sealing.path
        groups = [named(list(group), opened.config) for group in sealing.recipients.groups]
        needed = sealing.recipients.needed()
        whom = groups[0] if len(groups) == 1 else f"{needed} of the groups ({'), ('.join(groups)})"
        say(f"encrypted for {whom} ({sealing.rule.name} of {opened.config.path}), and for nobody else")
        if differs := rule_differences(opened.config, sealing.path):
            warn(differs)
    say("it cannot be read back without the identity of one of them; commit the file")


def _age(data: bytes | None) -> str:
    """What is replaced: nothing proves its date, which is what the file says."""
    try:
        said = outline(data or b"", limits=ANY_VALUES).metadata.mac_aad.decode()
        when = datetime.fromisoformat(said).astimezone(UTC)
    except (ArcanError, ValueError):
        return "it replaces a file that was no document"
    days = (datetime.now(UTC) - when).days
    old = "of today" if days < 1 else f"{days} day{'s' if days > 1 else ''} old"
    return f"it replaces a value of {when.date().isoformat()}, {old}"


def require_there(opened: OpenFiles, keys: Sequence[KeyName]) -> None:
    """Raise `NoSuchKey`, naming the nearest, for a key that has no file."""
    for key in keys:
        if key not in opened.keys:
            raise NoSuchKey(f"{opened.path}: there is no key '{key}'", hint=did_you_mean(key, opened.keys))
