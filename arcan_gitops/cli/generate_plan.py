"""What `arcan generate overlays` would write: planned here, and compared or written by who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arcan_gitops.cli.generate_app import plan_inventories, with_inventory
from arcan_gitops.cli.generate_argocd import plan_argocd
from arcan_gitops.cli.generate_server import Servers, plan_servers
from arcan_gitops.cli.generated import Generated
from arcan_gitops.cli.project import catalogue_for, servers_that_go
from arcan_gitops.deploy import find_intruders, find_unserved
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay import Catalogue, Declared, Settings, Tree, build_overlays
from arcan_gitops.overlay.settings import Overlay


@dataclass(frozen=True, slots=True)
class OverlaysPlan:
    """All that `arcan generate overlays` would write, before anything is compared or written."""

    realms: Path
    kustomize_dir: Path
    settings: Settings
    declared: Declared
    catalogue: Catalogue
    places: Sequence[Overlay]
    servers: Servers
    with_server: frozenset[OverlayName]
    tree: Tree

    def generated(self) -> tuple[Generated, ...]:
        """The trees of files, in the order in which they are written."""
        return (
            plan_inventories(self.realms, self.catalogue, with_inventory(self.realms, self.catalogue)),
            *self.servers.generated,
            Generated(self.kustomize_dir / "overlays", self.tree),
            plan_argocd(self.kustomize_dir, self.settings, self.declared, self.places, self.with_server),
        )


def plan_overlays(
    realms: Path, kustomize_dir: Path, clusters: Path, settings: Settings, declared: Declared
) -> OverlaysPlan:
    """Judge what is declared, and build it. Raises `SeveralErrors` where it cannot be generated."""
    apps = declared.apps
    catalogue = catalogue_for(realms, kustomize_dir, apps, settings)
    places = settings.overlays(catalogue.environments())
    servers = plan_servers(realms, kustomize_dir, places, clusters)
    with_server = servers.overlays | servers_that_go(kustomize_dir, settings)
    tree = build_overlays(apps, settings, catalogue, with_server, departures=declared.departures)
    if wrong := (*find_intruders(apps, servers.servers), *find_unserved(apps, servers.servers)):
        raise SeveralErrors("the overlays cannot be generated:", wrong)
    return OverlaysPlan(
        realms, kustomize_dir, settings, declared, catalogue, places, servers, with_server, tree
    )
