"""The key that each value gets: by one rule, or by `--map`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from arcan_gitops.errors import ArcanError, quoted
from arcan_gitops.migrate.outcome import Named, Outcome, Status
from arcan_gitops.migrate.source import Found, Left, Origin
from arcan_gitops.names import InvalidName, KeyName, did_you_mean

_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)
_MAX_BYTES: Final = 128  # of a key in a SOPS document, in YAML
_RESERVED: Final = "sops"


def key_for(origin: Origin, below: str) -> KeyName:
    """The key for a value: the path of its secret below the one that was asked for, and the field.

    Joined by '.'; each run of other characters than A-Z a-z 0-9 . _ - becomes one '_'. Raises `InvalidName`.
    """
    return _key(_parts(origin, below))


def name_like(text: str) -> str:
    """A valid key name that is close to a text: `db/password` gives `db_password`."""
    return re.sub(r"\A\.(?=\.|\Z)", "_", _OTHER.sub("_", text))[:_MAX_BYTES] or "KEY"


def _key(parts: Sequence[str]) -> KeyName:
    name = ".".join(_OTHER.sub("_", part) for part in parts)
    return _checked(re.sub(r"\A\.(?=\.|\Z)", "_", name))


def _parts(origin: Origin, below: str) -> Sequence[str]:
    path, prefix = _segments(origin.path), _segments(below)
    rest = path[len(prefix) :] if path[: len(prefix)] == prefix else path
    parts = rest if origin.field is None else [*rest, origin.field]
    return parts or path[-1:]


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _checked(name: str) -> KeyName:
    key = KeyName.parse(name)
    if len(key) > _MAX_BYTES or key == _RESERVED:
        rule = f"at most {_MAX_BYTES} characters, and not '{_RESERVED}'"
        raise InvalidName(f"'{key[:80]}' is not a name for a key of a document", hint=f"a key has {rule}")
    return key


def name_all(
    items: Iterable[Found | Left], below: str, mapped: Mapping[str, KeyName]
) -> tuple[list[Named], list[Outcome]]:
    """The values with their keys, and what becomes no key.

    `mapped` has keys for origins, as they are written in the report, that win over the rule. Of values that
    would get the same key none gets it. Raises `ArcanError` for an origin in `mapped` that was not found.
    """
    named: list[Named] = []
    outcomes: list[Outcome] = []
    known: set[str] = set()
    for item in items:
        known.add(str(item.origin))
        if isinstance(item, Left):
            status = Status.FAILED if item.wrong else Status.SKIPPED
            outcomes.append(Outcome(item.origin, status, reason=item.reason))
            continue
        parts = _parts(item.origin, below) if item.name is None else item.name
        try:
            given = mapped.get(str(item.origin))
            key = _key(parts) if given is None else _checked(given)
        except InvalidName as error:
            reason = f"{error.message}: name it, --map {quoted(f'{item.origin}=KEY')}"
            outcomes.append(Outcome(item.origin, Status.FAILED, reason=reason))
            continue
        named.append(Named(item, key, key != ".".join(parts)))
    for text in mapped:
        if text not in known:
            raise ArcanError(f"--map: there is no '{text}' in the source", hint=did_you_mean(text, known))
    return _without_collisions(named, outcomes)


def _without_collisions(named: list[Named], outcomes: list[Outcome]) -> tuple[list[Named], list[Outcome]]:
    by_key: dict[KeyName, list[Named]] = {}
    for one in named:
        by_key.setdefault(one.key, []).append(one)
    for key, same in by_key.items():
        for one in same if len(same) > 1 else ():
            others = ", ".join(str(other.found.origin) for other in same if other is not one)
            given = quoted(f"{one.found.origin}=KEY")
            reason = f"would be named like {others}: name one of them, --map {given}"
            outcomes.append(Outcome(one.found.origin, Status.FAILED, key, reason))
    return [one for one in named if len(by_key[one.key]) == 1], outcomes
