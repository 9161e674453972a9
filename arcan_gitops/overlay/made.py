"""The Kubernetes Secrets that a declared app has in an overlay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arcan_gitops.names import ObjectName, OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, placements
from arcan_gitops.overlay.settings import Overlay, Settings


@dataclass(frozen=True, slots=True)
class MadeSecret:
    """A Kubernetes Secret in one namespace, or in all with some labels (""). `entry`: that of the file."""

    overlay: OverlayName
    namespace: str
    secret: str
    entry: ObjectName
    is_owned: bool  # it goes when its ExternalSecret goes

    def __str__(self) -> str:
        where = f"in namespace '{self.namespace}'" if self.namespace else "in all namespaces with its labels"
        return f"Kubernetes Secret '{self.secret}' {where} of overlay '{self.overlay}' goes"


def made_by(placement: Placement) -> Iterator[MadeSecret]:
    """All of an app in one overlay."""
    namespaces: tuple[str, ...] = tuple(map(str, placement.namespaces))
    if isinstance(placement.place, ManyNamespaces) and placement.place.labels is not None:
        namespaces = ("",)
    overlay = placement.overlay.name
    for namespace in namespaces:
        for secret in placement.app.secrets:
            yield MadeSecret(overlay, namespace, secret.name, secret.name, secret.creation == "Owner")
        for raw in placement.app.raw:
            target = raw.spec.get("target")
            policy = target.get("creationPolicy", "Owner") if isinstance(target, Mapping) else "Owner"
            yield MadeSecret(overlay, namespace, raw.target, raw.name, policy == "Owner")


def secrets_that_go(apps: Sequence[App], settings: Settings, overlay: Overlay) -> tuple[MadeSecret, ...]:
    """What goes with an overlay: all but what another overlay of the cluster takes over, folder by folder."""
    taken: set[str] = set()
    for other in settings.declared:
        if settings.argocd is not None and other.name != overlay.name and other.cluster == overlay.cluster:
            taken |= {str(name) for placement in placements(apps, other) for name in placement.namespaces}
    return tuple(
        made
        for placement in placements(apps, overlay)
        for made in made_by(placement)
        if made.is_owned and made.namespace not in taken
    )
