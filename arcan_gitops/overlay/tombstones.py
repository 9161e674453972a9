"""Folders of an overlay that nothing fills any more: each stays, empty, until Argo CD has pruned what it had.

An Application whose folder is gone prunes nothing; one whose folder is empty prunes all (`allowEmpty`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from arcan_gitops.names import AppName, Namespace, OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.argocd.settings import PLATFORM_FOLDER
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, placements
from arcan_gitops.overlay.removal import Day, Departure
from arcan_gitops.overlay.settings import SETTINGS_FILE, Overlay, Scope, Settings

_APPS: Final = "apps"

# Overlay -> folder -> the files by which it is empty, as headers name them.
Tombstones = Mapping[OverlayName, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Leaving:
    """An app that is gone from one place of one overlay."""

    app: AppName
    overlay: Overlay
    place: Namespace | ManyNamespaces
    day: Day
    source: str  # as headers of generated files name it

    @property
    def folders(self) -> tuple[str, ...]:
        """Where it had something, or may have had."""
        if isinstance(self.place, ManyNamespaces):
            return (PLATFORM_FOLDER,)
        settings = self.overlay.settings
        scopes = [settings.scope, *(store.scope for store in settings.others.values())]
        return (str(self.place), *([PLATFORM_FOLDER] if Scope.CLUSTER in scopes else []))


def leavings(
    apps: Sequence[App], departures: Sequence[Departure], settings: Settings, overlays: Sequence[Overlay]
) -> Iterator[Leaving]:
    """Everything that is said to be gone: apps, and all apps of an overlay that is removed."""
    for overlay in (*overlays, *settings.removed):
        for gone in departures:
            if (place := gone.place_in(overlay.name)) is not None:
                source = f"{_APPS}/{PurePath(gone.source).name}"
                yield Leaving(gone.app, overlay, place, gone.day, source)
    for overlay in settings.removed:
        assert overlay.removed is not None
        for app in apps:
            place = app.place_in(overlay.name) if app.goes_to(overlay.name) else None
            if place is not None:
                yield Leaving(app.name, overlay, place, overlay.removed, SETTINGS_FILE)


def folders_of(placed: Sequence[Placement]) -> set[str]:
    """The folders of an overlay that its apps fill."""
    found: set[str] = set()
    for placement in placed:
        store = placement.store_namespace
        found.add(PLATFORM_FOLDER if store is None else str(store))
        many = isinstance(placement.place, ManyNamespaces)
        found.add(PLATFORM_FOLDER if many else str(placement.place))
        if placement.app.team is not None:
            found |= set(map(str, placement.namespaces))
    return found


def tombstones(
    apps: Sequence[App],
    departures: Sequence[Departure],
    settings: Settings,
    overlays: Sequence[Overlay],
    servers: Collection[OverlayName] = (),
) -> Tombstones:
    """The folders that have to be there, and empty. `servers` are the overlays that have, or had, a server.

    Not where another overlay of the cluster fills the same: its Application takes over what is there, and
    must not find it pruned.
    """
    filled = {overlay.name: folders_of(placements(apps, overlay)) for overlay in overlays}
    for overlay in overlays:
        if overlay.name in servers:
            filled[overlay.name].add(PLATFORM_FOLDER)
    found: dict[OverlayName, dict[str, dict[str, None]]] = {}
    for leaving in leavings(apps, departures, settings, overlays):
        for folder in leaving.folders:
            found.setdefault(leaving.overlay.name, {}).setdefault(folder, {})[leaving.source] = None
    for overlay in settings.removed:
        if overlay.name in servers:
            found.setdefault(overlay.name, {}).setdefault(PLATFORM_FOLDER, {})[SETTINGS_FILE] = None
    clusters = {overlay.name: overlay.cluster for overlay in (*overlays, *settings.removed)}
    return {
        name: {folder: tuple(sources) for folder, sources in sorted(left.items())}
        for name, folders in sorted(found.items())
        if (left := {f: s for f, s in folders.items() if not _is_filled(name, f, filled, clusters)})
    }


def _is_filled(
    name: OverlayName,
    folder: str,
    filled: Mapping[OverlayName, Collection[str]],
    clusters: Mapping[OverlayName, str],
) -> bool:
    """Whether the overlay itself fills the folder, or another one does in its place.

    The platform of a live overlay is its own; that of a removed one may be what another took over.
    """
    if folder in filled.get(name, ()):
        return True
    if folder == PLATFORM_FOLDER and name in filled:
        return False
    return any(folder in folders and clusters[other] == clusters[name] for other, folders in filled.items())
