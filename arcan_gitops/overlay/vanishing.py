"""What is generated no longer, held against what is said to go: no Kubernetes Secret goes by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.argocd.settings import IN_CLUSTER
from arcan_gitops.overlay.deployed import Deployed, deployed_by
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE
from arcan_gitops.overlay.project import Declared
from arcan_gitops.overlay.removal import REMOVED, Day
from arcan_gitops.overlay.settings import Overlay, Settings
from arcan_gitops.overlay.tombstones import leavings
from arcan_gitops.overlay.tree import Tree
from arcan_gitops.overlay.unsaid import Before, Unsaid, holds


@dataclass(frozen=True, slots=True)
class Going:
    """A Kubernetes Secret that goes, as the files say; `why` has the app and the day."""

    deployed: Deployed
    why: str
    is_pruned: bool  # or its folder is another overlay's now, which leaves alone what it does not have itself

    def __str__(self) -> str:
        deployed = self.deployed
        about = f"Kubernetes Secret {deployed} of overlay '{deployed.overlay}'"
        if not self.is_pruned and deployed.namespace:
            delete = f"kubectl --namespace {deployed.namespace} delete externalsecret {deployed.external}"
            return f"{about} stays until somebody removes it ({self.why}): {delete}"
        stays = "" if deployed.is_owned else "; the Secret itself stays, it is not owned"
        return f"{about} goes: {self.why}{stays}"


@dataclass(frozen=True, slots=True)
class Vanishing:
    """What is generated no longer: what goes as somebody said, and what nobody said."""

    going: tuple[Going, ...]
    problems: tuple[ArcanError, ...]


def find_vanishing(
    before: Before,
    after: Tree,
    declared: Declared,
    settings: Settings,
    overlays: Sequence[Overlay],
    apps: Path,
    today: Day,
) -> Vanishing:
    """Compare what was generated with what is.

    With Argo CD's section, an overlay may take over what another one of its cluster had: that is one
    Application's namespace and then another's. `apps` is the folder of the apps' files, for hints.
    """
    gone = _gone(before, after, settings, overlays)
    said = _Said(declared, settings, overlays)
    going, silent = [], []
    for deployed in gone:
        if (why := said.of(deployed)) is None:
            silent.append(deployed)
        else:
            is_pruned = f"{deployed.folder}/{KUSTOMIZATION_FILE}" in after
            going.append(Going(deployed, why, is_pruned))
    unsaid = Unsaid(before, after, declared, settings, overlays, apps, today)
    return Vanishing(tuple(going), tuple(unsaid.problems(silent)))


def find_future(declared: Declared, settings: Settings, today: Day) -> Iterator[str]:
    """Warnings of days that are yet to come: nothing waits for one. The next one is today somewhere."""
    days = [(gone.where, gone.day) for gone in declared.departures]
    days += [(gone.where, gone.day) for app in declared.apps for gone in app.removed]
    days += [(each.where, each.removed) for each in settings.removed if each.removed is not None]
    for where, day in sorted(set(days)):
        if (day.date - today.date).days > 1:
            yield f"{where}: '{REMOVED}: {day}' is in the future, and what is removed goes with the merge"


def _gone(
    before: Before, after: Tree, settings: Settings, overlays: Sequence[Overlay]
) -> tuple[Deployed, ...]:
    """Only files that differ are read."""
    old = {path: text for path, text in before.files.items() if after.get(path) != text}
    new = {path: text for path, text in after.items() if before.files.get(path) != text}
    made: dict[str, list[Deployed]] = {}
    for deployed in deployed_by(new):
        made.setdefault(deployed.external, []).append(deployed)
    now = {overlay.name: str(overlay.cluster) for overlay in (*overlays, *settings.removed)}
    cluster = _by_name({**now, **before.clusters})
    return tuple(
        sorted(
            deployed
            for deployed in deployed_by(old)
            if not any(
                deployed.is_still(other)
                and (
                    other.overlay == deployed.overlay
                    or (settings.argocd is not None and cluster(other.overlay) == cluster(deployed.overlay))
                )
                for other in made.get(deployed.external, ())
            )
        )
    )


def _by_name(clusters: Mapping[OverlayName, str]) -> Callable[[OverlayName], str]:
    return lambda overlay: clusters.get(overlay, IN_CLUSTER)


class _Said:
    """What the files say of that which goes."""

    def __init__(self, declared: Declared, settings: Settings, overlays: Sequence[Overlay]) -> None:
        self._apps = {app.name: app for app in declared.apps}
        self._left = list(leavings(declared.apps, declared.departures, settings, overlays))

    def of(self, deployed: Deployed) -> str | None:
        """Why it goes, or None where nobody says so."""
        for leaving in self._left:
            same = (leaving.app, leaving.overlay.name) == (deployed.app, deployed.overlay)
            if same and holds(leaving.place, deployed):
                return f"app '{leaving.app}', {REMOVED} {leaving.day} ({leaving.source})"
        app = self._apps.get(deployed.app)
        for gone in app.removed if app is not None else ():
            if gone.is_of(deployed.secret, deployed.external):
                return f"{REMOVED} {gone.day} ({gone.where})"
        return None
