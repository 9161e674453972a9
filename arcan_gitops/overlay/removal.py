"""What goes is said, with the day: an app, an app at a place that it has left, or one Secret of an app.

name: shop                      # an app that goes keeps its file
namespace: shop
overlays: [prod]
removed: 2026-11-28

left: [{namespace: shop, overlays: [prod], removed: 2026-11-28}]     # in the file of an app that moved
secrets: [{name: shop-backend, removed: 2026-11-28}]                 # in the file of an app that stays
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from arcan_gitops.names import AppName, InvalidName, Namespace, ObjectName, OverlayName
from arcan_gitops.overlay.place import ManyNamespaces, Place, read_overlays, read_place
from arcan_gitops.yamlio import Fields

REMOVED: Final = "removed"
DEPARTURE_FIELDS: Final = ("namespace", "namespaces", "overlays", REMOVED)


class Day(str):
    """A day: `2026-11-28`."""

    __slots__ = ()
    grammar: ClassVar = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `InvalidName`."""
        try:
            if cls.grammar.fullmatch(text) is not None:
                datetime.date.fromisoformat(text)
                return cls(text)
        except ValueError:
            pass
        raise InvalidName(f"{text[:80]!r} is not a day", hint="write it as in 2026-11-28")

    @property
    def date(self) -> datetime.date:
        """The same for the calendar."""
        return datetime.date.fromisoformat(self)

    @classmethod
    def today(cls) -> Self:
        """The day here and now."""
        return cls(datetime.date.today().isoformat())


@dataclass(frozen=True, slots=True)
class Departure:
    """An app that is gone from a place; `overlays` None is all of them."""

    app: AppName
    place: Place
    overlays: tuple[OverlayName, ...] | None
    day: Day
    source: str
    where: str  # `file:line`, for errors

    def goes_to(self, overlay: OverlayName) -> bool:
        """Whether the app was part of an overlay."""
        return self.overlays is None or overlay in self.overlays

    def place_in(self, overlay: OverlayName) -> Namespace | ManyNamespaces | None:
        """Where the app was in an overlay, or None where it was not there."""
        if not self.goes_to(overlay):
            return None
        return self.place.get(overlay) if isinstance(self.place, Mapping) else self.place

    @classmethod
    def parse(cls, fields: Fields, app: AppName) -> Self:
        """What says where the app was, and when it went; other fields are not read. Raises `InvalidFile`."""
        where = f"{fields.source}:{fields.line_of(REMOVED)}"
        return cls(app, read_place(fields), read_overlays(fields), read_day(fields), fields.source, where)


@dataclass(frozen=True, slots=True)
class RemovedApp:
    """An app that is gone, from all places where it was."""

    name: AppName
    departures: tuple[Departure, ...]

    @property
    def where(self) -> str:
        """`file:line`, for errors."""
        return self.departures[0].where

    @classmethod
    def of(cls, fields: Fields, name: AppName) -> Self:
        """Of a file that has been read; the fields about what the app got are not. Raises `InvalidFile`."""
        return cls(name, (Departure.parse(fields, name), *read_left(fields, name)))


def read_left(fields: Fields, app: AppName) -> tuple[Departure, ...]:
    """The field `left`: where the app was before. Raises `InvalidFile`."""
    entries = fields.mappings("left")
    for entry in entries:
        entry.only(*DEPARTURE_FIELDS)
    return tuple(Departure.parse(entry, app) for entry in entries)


@dataclass(frozen=True, slots=True)
class RemovedSecret:
    """A Kubernetes Secret that an app no longer has. `external` is the name of its ExternalSecret: with a
    `secret` too where the entry gives both, alone for a raw entry.
    """

    secret: ObjectName | None
    external: ObjectName | None
    day: Day
    where: str

    @classmethod
    def parse(cls, fields: Fields, known: tuple[str, ...], *, raw: bool = False) -> Self:
        """An entry with `removed`; other fields are not read. Raises `InvalidFile`."""
        fields.only(*known)
        name: ObjectName = fields.parse("name", ObjectName, fields.text("name"))
        external: ObjectName | None = name if raw else None
        if not raw and (given := fields.optional_text("externalSecret")) is not None:
            external = fields.parse("externalSecret", ObjectName, given)
        where = f"{fields.source}:{fields.line_of(REMOVED)}"
        return cls(None if raw else name, external, read_day(fields), where)

    def is_of(self, secret: str, external: str) -> bool:
        """Whether it names what an ExternalSecret `external` makes as `secret`."""
        return self.secret in (None, secret) and self.external in (None, external)


def read_day(fields: Fields) -> Day:
    """The field `removed`. Raises `InvalidFile`."""
    day: Day = fields.parse(REMOVED, Day, fields.text(REMOVED))
    return day


def split_removed(
    fields: Fields, field: str, known: tuple[str, ...], *, raw: bool = False
) -> tuple[list[Fields], list[RemovedSecret]]:
    """The entries of a list that stay, and those that are removed. Raises `InvalidFile`."""
    stay: list[Any] = []
    removed = []
    for item in fields.mappings(field):
        if REMOVED in item:
            removed.append(RemovedSecret.parse(item, known, raw=raw))
        else:
            stay.append(item)
    return stay, removed
