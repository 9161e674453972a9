"""What only the key can tell of a change: whether everything opens, and what happened to the values.

`compare` and `in_clear` are for holders of the key alone. What they say of a value (that it changed, that it
is another one's) answers guesses, and must not reach those who may propose values.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree, Snapshot
from arcan_gitops.realms.binding import Place
from arcan_gitops.realms.kinds import require_kinds
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.realms.snapshot import Environment
from arcan_gitops.review.objects import Objects, Tree

LEAST_CHARACTERS: Final = 8  # of a value that is looked for: a shorter one is found everywhere
LEAST_LETTERS: Final = 12  # of one that is a word
_WORD: Final = re.compile(r"[a-z]+|[A-Z]+|[A-Z]?[a-z]+|[0-9.:-]+", re.ASCII)
_PIECE: Final = re.compile(rb"[0-9A-Za-z\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """What became of the values of one environment, by the names of its keys, sorted.

    `known_before` is false where the environment was not there, or was not opened: then all keys are `added`.
    `anew` are those that were encrypted anew with the value that they had, as a rotation does it.
    """

    realm: RealmName
    environment: EnvironmentName
    keys: int
    known_before: bool
    rotated: bool  # it has another data key
    added: tuple[KeyName, ...] = ()
    gone: tuple[KeyName, ...] = ()
    changed: tuple[KeyName, ...] = ()
    anew: tuple[KeyName, ...] = ()
    empty: tuple[KeyName, ...] = ()  # of those that are added or changed
    equal: Mapping[KeyName, tuple[str, ...]] = field(default_factory=dict)  # likewise: where the value is too


@dataclass(frozen=True, slots=True)
class InClear:
    """A value that stands where everybody can read it; `line` counts from 1."""

    path: str
    line: int
    realm: RealmName
    environment: EnvironmentName
    key: KeyName


def compare(before: Snapshot | None, after: Snapshot) -> tuple[PlaceChange, ...]:
    """The environments that are loaded after the change, sorted, each beside what it was before."""
    return tuple(
        _place(after, place, before.environment(*place) if before is not None else None, environment)
        for place, environment in sorted(after.all())
    )


def _place(after: Snapshot, place: Place, old: Environment | None, new: Environment) -> PlaceChange:
    realm, name = place
    values = {} if old is None else old.values
    both = sorted(new.values.keys() & values.keys())
    added = tuple(sorted(new.values.keys() - values.keys()))
    changed = tuple(key for key in both if new.values[key] != values[key])
    anew = tuple(
        key for key in both if old is not None and key not in changed and new.version(key) != old.version(key)
    )
    touched = (*added, *changed) if old is not None else ()
    equal = {key: found for key in touched if (found := tuple(_elsewhere(after, place, key)))}
    rotated = (
        old is not None and old.seal is not None and new.seal is not None and old.seal.key != new.seal.key
    )
    return PlaceChange(
        realm,
        name,
        len(new.values),
        old is not None,
        rotated,
        added,
        tuple(sorted(values.keys() - new.values.keys())),
        changed,
        anew,
        tuple(key for key in touched if not new.values[key].reveal()),
        equal,
    )


def _elsewhere(after: Snapshot, place: Place, key: KeyName) -> Iterator[str]:
    """The other environments of the realm whose key of that name has that value."""
    realm, name = place
    value = after.environments[realm][name].values[key]
    for other, environment in sorted(after.environments[realm].items()):
        if other != name and environment.values.get(key) == value:
            yield f"{realm}/{other}"


def wrong_kinds(snapshot: Snapshot, tree: RealmTree) -> list[ArcanError]:
    """The values that are not of the kind that the realm's `realm.yaml` wants, by key; no value is in it."""
    problems: list[ArcanError] = []
    for (realm, name), environment in sorted(snapshot.all()):
        kinds = settings_of(tree, realm).kinds
        for key, value in sorted(environment.values.items()) if kinds else ():
            try:
                require_kinds({key: value.reveal()}, kinds)
            except ArcanError as error:
                problems.append(error.located(f"{realm}/{name}"))
    return problems


def in_clear(snapshot: Snapshot, objects: Objects, tree: Tree) -> Iterator[InClear]:
    """The values that some file of the tree holds in clear, or as base64; each file and key once, sorted.

    Compared exactly. Values of fewer than 8 characters are not looked for, nor words and numbers of fewer
    than 12: they stand everywhere.
    """
    wanted = _Wanted(snapshot)
    blobs = {path: entry.blob for path, entry in tree.files.items()}
    objects.load(blobs.values())
    for path in sorted(blobs):
        data = objects.data(blobs[path])
        if data is not None:
            for where, place, key in wanted.found_in(data):
                yield InClear(path, data.count(b"\n", 0, where) + 1, *place, key)


class _Wanted:
    """The texts to look for, by their longest piece of letters and digits.

    A file is cut into such pieces once, and only what shares a piece with it is looked for in it.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_piece: dict[bytes, list[tuple[bytes, Place, KeyName]]] = {}
        self._without: list[tuple[bytes, Place, KeyName]] = []
        for place, environment in snapshot.all():
            for key, value in environment.values.items():
                for text in _forms(value.reveal()):
                    inner = max(_PIECE.findall(text), key=len, default=None)
                    owner = (text, place, key)
                    if inner is None:
                        self._without.append(owner)
                    else:
                        self._by_piece.setdefault(inner, []).append(owner)

    def found_in(self, data: bytes) -> Iterable[tuple[int, Place, KeyName]]:
        """(position, place, key) of each key whose value is there, in the order of the file."""
        pieces = self._by_piece.keys() & set(_PIECE.findall(data))
        likely = [owner for piece in pieces for owner in self._by_piece[piece]] + self._without
        found: dict[tuple[Place, KeyName], int] = {}
        for text, place, key in likely:
            where = data.find(text)
            if where >= 0:
                found[place, key] = min(where, found.get((place, key), where))
        return sorted((where, place, key) for (place, key), where in found.items())


def _forms(value: str) -> Iterator[bytes]:
    """A value as it could stand in a file: as it is, and as a Kubernetes Secret has it."""
    text = value.strip()
    if len(text) < LEAST_CHARACTERS or (len(text) < LEAST_LETTERS and _WORD.fullmatch(text)):
        return
    yield text.encode("utf-8", "surrogatepass")
    for whole in {value, text}:
        yield base64.b64encode(whole.encode("utf-8", "surrogatepass"))
