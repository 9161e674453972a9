"""What would go without a word: an error for each overlay, app, place and Secret, and how to say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Final, TypeVar

from arcan_gitops.errors import ArcanError, quoted, some
from arcan_gitops.names import AppName, Namespace, OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.argocd.settings import IN_CLUSTER
from arcan_gitops.overlay.deployed import Deployed, deployed_by
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.project import Declared
from arcan_gitops.overlay.removal import REMOVED, Day
from arcan_gitops.overlay.settings import Overlay, Settings
from arcan_gitops.overlay.tree import Tree
from arcan_gitops.yamlio.emitting import flow

T = TypeVar("T")
_MOST: Final = 8  # Secrets, in one message


@dataclass(frozen=True, slots=True)
class Before:
    """What was generated before: the files below the folder of overlays, and as far as they tell, on which
    cluster an overlay is. `environments` are those of overlays, where arcan.yaml of then is known.
    """

    files: Tree
    clusters: Mapping[OverlayName, str] = field(default_factory=dict)
    environments: Mapping[OverlayName, str] = field(default_factory=dict)


def holds(place: Namespace | ManyNamespaces, one: Deployed) -> bool:
    """Whether a Secret is one of an app at the place."""
    if not isinstance(place, ManyNamespaces):
        return one.namespace == place
    if place.labels is None:
        return one.namespace in place.names
    return not one.namespace and set(place.labels.items()) == set(one.labels)


class Unsaid:
    """The problems of that which goes without a word, each with what to write so that it is said."""

    def __init__(
        self,
        before: Before,
        after: Tree,
        declared: Declared,
        settings: Settings,
        overlays: Sequence[Overlay],
        folder: Path,
        today: Day,
    ) -> None:
        self._before, self._after, self._folder, self._today = before, after, folder, today
        self._settings = settings
        self._apps = {app.name: app for app in declared.apps}
        self._departed = {gone.app for gone in declared.departures}
        self._live = [overlay.name for overlay in overlays]
        self._overlays = {*self._live, *(overlay.name for overlay in settings.removed)}

    def problems(self, silent: Sequence[Deployed]) -> Iterator[ArcanError]:
        """One for each overlay, app, place or Secret that is gone without a word."""
        for overlay, group in _grouped(silent, lambda one: one.overlay).items():
            if overlay not in self._overlays:
                yield self._overlay_gone(overlay, group)
        for name, group in _grouped(silent, lambda one: one.app).items():
            app = self._apps.get(name)
            if app is None:
                yield self._app_gone(name, group)
                continue
            here = [one for one in group if one.overlay in self._overlays]
            there = [one for one in here if self._is_there(app, one)]
            for same in _grouped(there, lambda one: (one.external, one.secret)).values():
                yield self._secret_gone(app, same)
            moved = [one for one in here if not self._is_there(app, one)]
            if moved:
                yield self._place_left(app, moved)

    def _is_there(self, app: App, one: Deployed) -> bool:
        place = app.place_in(one.overlay) if app.goes_to(one.overlay) else None
        return one.overlay in self._live and place is not None and holds(place, one)

    def _overlay_gone(self, overlay: OverlayName, group: Sequence[Deployed]) -> ArcanError:
        environment = self._before.environments.get(overlay, "ENVIRONMENT")
        cluster = self._before.clusters.get(overlay)
        where = f" --cluster {cluster}" if cluster not in (None, IN_CLUSTER) else ""
        return ArcanError(
            f"{self._settings.source}: nothing says that overlay '{overlay}' goes, with {_secrets(group)}",
            hint=f"arcan overlay add {overlay} --env {environment}{where} && arcan overlay remove {overlay}",
        )

    def _app_gone(self, name: AppName, group: Sequence[Deployed]) -> ArcanError:
        path = self._folder / f"{name}.yaml"
        problem = f"{path}: nothing says that app '{name}' goes, with {_secrets(group)}"
        if name in self._departed:
            problem = f"{path}: app '{name}' is {REMOVED}, but not from where it has {_secrets(group)}"
            where = "; ".join(_place(group))
            return ArcanError(problem, hint=f"name all namespaces and overlays where it was: {where}")
        lines = [f"name: {name}", *_place(group), f"{REMOVED}: {self._today}"]
        texts = " ".join(map(quoted, lines))
        return ArcanError(problem, hint=f"say so: printf '%s\\n' {texts} > {quote(str(path))}")

    def _place_left(self, app: App, group: Sequence[Deployed]) -> ArcanError:
        entry = "{" + ", ".join([*_place(group), f"{REMOVED}: {self._today}"]) + "}"
        problem = f"{app.source}: nothing says that app '{app.name}' has left a place, with {_secrets(group)}"
        if app.left:
            return ArcanError(problem, hint=f"add to its 'left': - {entry}")
        line = quoted(f"left: [{entry}]")
        return ArcanError(problem, hint=f"say so: printf '%s\\n' {line} >> {quote(app.source)}")

    def _secret_gone(self, app: App, group: Sequence[Deployed]) -> ArcanError:
        external, secret = group[0].external, group[0].secret
        if (renamed := self._made_by_another(group[0])) is not None:
            entry = f"{{name: {secret}, externalSecret: {external}, {REMOVED}: {self._today}}}"
            return ArcanError(
                f"{app.source}: ExternalSecret '{external}' becomes '{renamed}', and is of the same "
                f"{_secrets(group)}: that is deleted with the first, and made again for the second",
                hint=f"keep the name: 'externalSecret: {external}'; or, where the Secret may be missing for "
                f"a moment, add to 'secrets': - {entry}",
            )
        named = "" if external == secret else f"externalSecret: {external}, "
        return ArcanError(
            f"{app.source}: nothing says that an entry of app '{app.name}' goes, with {_secrets(group)}",
            hint=f"add to its 'secrets': - {{name: {secret}, {named}{REMOVED}: {self._today}}}",
        )

    def _made_by_another(self, one: Deployed) -> str | None:
        """The ExternalSecret that makes the same Secret now."""
        here = {path: text for path, text in self._after.items() if path.startswith(f"{one.overlay}/")}
        same = (one.namespace, one.secret)
        return next((o.external for o in deployed_by(here) if (o.namespace, o.secret) == same), None)


def _grouped(found: Iterable[Deployed], by: Callable[[Deployed], T]) -> dict[T, list[Deployed]]:
    groups: dict[T, list[Deployed]] = {}
    for one in found:
        groups.setdefault(by(one), []).append(one)
    return groups


def _secrets(group: Sequence[Deployed]) -> str:
    """`Secret 'a' in namespace 'b' (overlay 'prod'), ...`"""
    named = dict.fromkeys(f"{one} (overlay '{one.overlay}')" for one in group)
    return f"Secret {some(list(named), _MOST)}"


def _place(group: Sequence[Deployed]) -> list[str]:
    """The fields that say where an app was: `namespace: shop`, `overlays: [prod]`."""
    by_overlay: dict[OverlayName, list[str]] = {}
    for one in group:
        names = by_overlay.setdefault(one.overlay, [])
        if one.namespace not in names:
            names.append(one.namespace)
    overlays = f"overlays: [{', '.join(by_overlay)}]"
    everywhere = {name for names in by_overlay.values() for name in names}
    if group[0].labels:
        return [f"namespaces: {flow({'matchLabels': dict(group[0].labels)})}", overlays]
    if any(one.kind == "ClusterExternalSecret" for one in group):
        return [f"namespaces: [{', '.join(sorted(everywhere))}]", overlays]
    if len(everywhere) == 1:
        return [f"namespace: {everywhere.pop()}", overlays]
    pairs = ", ".join(f"{overlay}: {names[0]}" for overlay, names in by_overlay.items())
    return [f"namespace: {{{pairs}}}", overlays]
