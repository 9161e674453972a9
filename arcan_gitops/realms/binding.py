"""Whether a document stands where it belongs: what its `arcan_place` says, and who else has its data key.

A ciphertext belongs to no place by itself: whoever can write to one realm's folder could put another realm's
document there, and have a server that opens both serve it to that realm's tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import EnvironmentName, InvalidName, RealmName, place_name
from arcan_gitops.realms.tree import DocumentFile
from arcan_gitops.sops import Document

Place = tuple[RealmName, EnvironmentName]


class OtherPlace(ArcanError):
    """A document that says that it belongs elsewhere."""


class NotBound(ArcanError):
    """A document that says of no place that it belongs there, where it must."""


class Copied(ArcanError):
    """A document that is bound to no place, and has the data key of one that is."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of every document, whatever its realm allows."""

    binding: bool = False  # a document must be bound to its place
    recorded: bool = False  # a key that is not there counts as removed only where a record says so
    forbidden_recipients: Set[str] = frozenset()


NO_DEMANDS = Demands()


@dataclass(frozen=True, slots=True)
class Seal:
    """Whether a document is bound to its place, and a digest that names its data key (None: not known)."""

    bound: bool
    key: bytes | None = field(repr=False)


def seal_of(document: Document, file: DocumentFile, *, required: bool) -> Seal:
    """The seal of a document at its place. Raises `OtherPlace`, and `NotBound` if it is `required` to be."""
    if document.place is None:
        if required:
            raise NotBound(
                "is not bound to its place: a copy of another realm's document would look like this",
                hint=f"with an identity: {_bind(file.realm, file.environment)}",
            )
        return Seal(False, document.key_digest)
    require_place(document, file)
    return Seal(True, document.key_digest)


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


def copies(seals: Mapping[Place, Seal]) -> tuple[dict[Place, Copied], list[str]]:
    """The places whose documents are refused as copies, and what is to be said of others.

    A data key is random for each document: two that have the same one are copies of each other. Which is the
    copy is known where one of them is bound to its place.
    """
    by_key: dict[bytes, list[Place]] = defaultdict(list)
    for place, seal in seals.items():
        if seal.key is not None:
            by_key[seal.key].append(place)
    refused: dict[Place, Copied] = {}
    told: list[str] = []
    for places in by_key.values():
        bound = [place_name(*place) for place in places if seals[place].bound]
        if not bound and len(places) > 1:
            names = [place_name(*place) for place in sorted(places)]
            told.append(f"{some(names)}: have one data key, and none is bound: all but one are copies")
        if bound:
            refused |= {place: _copied(place, bound[0]) for place in places if not seals[place].bound}
    return refused, told


def _copied(place: Place, original: str) -> Copied:
    where = f"{place[0]} --env {place[1]}"
    return Copied(
        f"{place_name(*place)}: is bound to no place, and has the data key of {original}: one is a copy",
        hint=f"if it is meant, give it its own: arcan realm rotate {where} && arcan realm bind {where}",
    )


def refuse_twin(place: Place, seals: Mapping[Place, Seal]) -> None:
    """Raise `Copied` where another document has the data key of one that is not bound: binding it would make
    a copy that somebody put there the real one.
    """
    mine = seals[place]
    others = [
        place_name(*at) for at in sorted(seals) if at != place and seals[at].key == mine.key is not None
    ]
    if others and not mine.bound:
        raise _copied(place, some(others))
