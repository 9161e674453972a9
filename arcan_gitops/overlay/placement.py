"""Which app goes where: what checking and building have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from arcan_gitops.names import Namespace
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.naming import Credential, StoreNames, store_names
from arcan_gitops.overlay.settings import Overlay, Scope


@dataclass(frozen=True, slots=True)
class Placement:
    """One app in one overlay."""

    app: App
    overlay: Overlay
    namespace: Namespace

    @property
    def credential(self) -> Credential:
        """The token that the app reads with."""
        return Credential(self.app.realm, self.app.token)

    @property
    def store_namespace(self) -> Namespace | None:
        """Where the app's stores are: in its own namespace, or cluster-wide."""
        return self.namespace if self.overlay.settings.scope is Scope.NAMESPACE else None

    @property
    def token_namespace(self) -> Namespace:
        """Where the Secret with the token is."""
        return self.store_namespace or self.overlay.settings.eso_namespace


def placements(apps: Iterable[App], overlay: Overlay) -> tuple[Placement, ...]:
    """The apps that go to an overlay, by name; one without a namespace there is left out."""
    return tuple(
        Placement(app, overlay, namespace)
        for app in sorted(apps, key=lambda app: app.name)
        if app.goes_to(overlay.name) and (namespace := app.namespace_in(overlay.name)) is not None
    )


def by_store_namespace(placed: Sequence[Placement]) -> Mapping[Namespace | None, tuple[Placement, ...]]:
    """The placements of one overlay that share stores' names, sorted by namespace."""
    groups: dict[Namespace | None, list[Placement]] = {}
    for placement in placed:
        groups.setdefault(placement.store_namespace, []).append(placement)
    return {namespace: tuple(groups[namespace]) for namespace in sorted(groups, key=str)}


def names_for(group: Sequence[Placement]) -> Mapping[Credential, StoreNames]:
    """The names of stores and token Secrets for one such group. Raises `InvalidName`."""
    return store_names(group[0].overlay.settings, sorted({placement.credential for placement in group}))
