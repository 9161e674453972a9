"""Whether a document stands where it belongs: what its `arcan_place` says, and who else has its data key.

A ciphertext belongs to no place by itself: whoever can write to one realm's folder could put another realm's
document there, and have a server that opens both serve it to that realm's tokens.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache

from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, place_name
from arcan_gitops.realms.layout import DocumentFile
from arcan_gitops.sops import Document
from arcan_gitops.sops.metadata import Metadata

Place = tuple[RealmName, EnvironmentName]
# One document: of a place, or of one key there.
Unit = tuple[RealmName, EnvironmentName, KeyName | None]


class OtherPlace(ArcanError):
    """A document that says that it belongs elsewhere."""


class NotBound(ArcanError):
    """A document that says of no place that it belongs there, where it must."""


class Copied(ArcanError):
    """A document that is bound to no place, and has the data key of one that is."""


class Widened(ArcanError):
    """A key file that has the data key of another one, and not its recipients."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of every document, whatever its realm allows."""

    binding: bool = False  # a document must be bound to its place
    recorded: bool = False  # a key that is not there counts as removed only where a record says so
    forbidden_recipients: Set[str] = frozenset()


NO_DEMANDS = Demands()


@dataclass(frozen=True, slots=True)
class Audience:
    """Who can open a document: the recipients, in how many groups, and how many of these are needed, all of
    it as a digest; the comment of an SSH key counts for nothing.
    """

    digest: bytes
    recipients: int

    @classmethod
    def of(cls, metadata: Metadata) -> Audience:
        """What a document says of it; nothing authenticates that."""
        recipients = tuple((group.recipients, group.others) for group in metadata.groups)
        return _audience(metadata.groups_needed, recipients)


@lru_cache(maxsize=256)
def _audience(needed: int, groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]) -> Audience:
    """The audience of key groups, each of recipients and of types of other keys."""
    named = sorted(
        (sorted({" ".join(each.split()[:2]) for each in recipients}), sorted(others))
        for recipients, others in groups
    )
    digest = hashlib.sha256(repr((needed, named)).encode()).digest()
    return Audience(digest, sum(len(names) for names, _ in named))


@dataclass(frozen=True, slots=True)
class Seal:
    """Whether a document is bound to its place, a digest that names its data key (None: not known), and who
    can open it.
    """

    bound: bool
    key: bytes | None = field(repr=False)
    audience: Audience | None = field(default=None, repr=False)


def seal_of(document: Document, file: DocumentFile, *, required: bool) -> Seal:
    """The seal of a document at its place. Raises `OtherPlace`, and `NotBound` if it is `required` to be."""
    if document.place is None:
        if required:
            raise NotBound(
                "is not bound to its place: a copy of another realm's document would look like this",
                hint=f"with an identity: {_bind(file.realm, file.environment)}",
            )
        return Seal(False, document.key_digest, Audience.of(document.metadata))
    require_place(document, file)
    return Seal(True, document.key_digest, Audience.of(document.metadata))


def _bind(realm: RealmName, environment: EnvironmentName) -> str:
    return f"arcan realm bind {realm} --env {environment}"


def require_place(document: Document, file: DocumentFile) -> None:
    """Raise `OtherPlace` where the document says that it belongs elsewhere."""
    if document.place is None or document.place == file.place:
        return
    other = _parsed(document.place)
    moved = f"{_bind(file.realm, file.environment)} --from {other}" if other else ""
    raise OtherPlace(
        f"belongs at {other or 'another place'}, not at {file.place}: it was copied or moved",
        hint=f"restore the file of {file.place} from Git"
        + (f"; if it was moved on purpose, with an identity: {moved}" if moved else ""),
    )


def _parsed(place: str) -> str:
    """The place, if it is one: what a document holds there may be anything."""
    realm, _, environment = place.partition("/")
    try:
        return place_name(RealmName.parse(realm), EnvironmentName.parse(environment))
    except InvalidName:
        return ""


def unit_of(file: DocumentFile) -> Unit:
    """Which document a file is."""
    return file.realm, file.environment, file.key


def unit_name(unit: Unit) -> str:
    """`REALM/ENVIRONMENT[/KEY]`"""
    return "/".join(part for part in unit if part is not None)


# The seals of the documents of each place, by the key of a key file.
Seals = Mapping[Place, Mapping[KeyName | None, Seal]]


def copies(seals: Seals) -> tuple[dict[Unit, ArcanError], list[str]]:
    """The documents that are refused as copies, and what is to be said of others.

    A data key is random for each document, and key files of one environment may share one: two places that
    have the same one are copies of each other. Which is the copy is known where one of them is bound to its
    place. Key files with one data key must have the same recipients: who opens one could open all.
    """
    held = Counter(seal.key for beside in seals.values() for seal in beside.values())
    by_key: dict[bytes, dict[Place, dict[KeyName | None, Seal]]] = defaultdict(lambda: defaultdict(dict))
    for place, beside in seals.items():
        for key, seal in beside.items():
            if seal.key is not None and held[seal.key] > 1:
                by_key[seal.key][place][key] = seal
    refused: dict[Unit, ArcanError] = {}
    told: list[str] = []
    for by_place in by_key.values():
        for place, beside in by_place.items():
            refused |= _widened(place, beside)
        if len(by_place) > 1:
            bound = sorted(at for at, its in by_place.items() if any(seal.bound for seal in its.values()))
            if not bound:
                names = [place_name(*place) for place in sorted(by_place)]
                told.append(f"{some(names)}: have one data key, and none is bound: all but one are copies")
            for place, beside in by_place.items():
                others = [other for other in bound if other != place]
                for key, seal in beside.items():
                    if others and not seal.bound:
                        refused[*place, key] = _copied((*place, key), place_name(*others[0]))
    return refused, told


def audience_that_counts(audiences: Collection[Audience | None]) -> Audience | None:
    """Whose recipients count among key files with one data key: those that most of them have; where no most
    have, the fewest.
    """
    first = next(iter(audiences))
    if all(each is first or each == first for each in audiences):  # as always, of thousands
        return first
    many = Counter(audiences)
    return max(many, key=lambda each: (many[each], -each.recipients if each is not None else 0))


def _widened(place: Place, beside: Mapping[KeyName | None, Seal]) -> dict[Unit, ArcanError]:
    """Those of the key files of a place with one data key whose recipients are not those that count."""
    counts = audience_that_counts([seal.audience for seal in beside.values()])
    first = unit_name((*place, next(key for key, seal in beside.items() if seal.audience == counts)))
    return {
        (*place, key): Widened(
            f"{unit_name((*place, key))}: has the data key of {first} and other recipients, who could open "
            "both",
            hint=f"give it its own: arcan realm rotate {place[0]} --env {place[1]}",
        )
        for key, seal in beside.items()
        if seal.audience is not counts and seal.audience != counts
    }


def _copied(unit: Unit, original: str) -> Copied:
    where = f"{unit[0]} --env {unit[1]}"
    return Copied(
        f"{unit_name(unit)}: is bound to no place, and has the data key of {original}: one is a copy",
        hint=f"if it is meant, give it its own: arcan realm rotate {where} && arcan realm bind {where}",
    )


def twins(seals: Mapping[Unit, Seal]) -> dict[Unit, ArcanError]:
    """The documents that are not bound and have the data key of one at another place, each with why: binding
    it would make a copy that somebody put there the real one.
    """
    places: dict[bytes | None, set[Place]] = defaultdict(set)
    for unit, seal in seals.items():
        places[seal.key].add(unit[:2])
    found: dict[Unit, ArcanError] = {}
    for unit, seal in seals.items():
        if seal.key is not None and not seal.bound:
            others = places[seal.key] - {unit[:2]}
            if others:
                found[unit] = _copied(unit, some(sorted(place_name(*place) for place in others)))
    return found
