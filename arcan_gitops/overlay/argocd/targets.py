"""From apps and overlays to what Argo CD's Applications need of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from arcan_gitops.names import Namespace, ObjectName, OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.argocd.settings import PLATFORM_FOLDER, ClusterName
from arcan_gitops.overlay.credentials import Kind
from arcan_gitops.overlay.placement import by_store_namespace, placements
from arcan_gitops.overlay.plan import plan
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.overlay.tombstones import Tombstones


@dataclass(frozen=True, slots=True)
class Target:
    """One overlay and where it goes.

    `eso_version` has no `v`: `2.9.0`; `namespaces` are those that its apps fill, `emptied` those with a
    tombstone; `server_namespace` is that of its server, if it has, or had, one; `teams`: an app lets a team
    make ExternalSecrets; `accounts`: stores may read by accounts.
    """

    overlay: OverlayName
    cluster: ClusterName
    eso_version: str
    eso_namespace: Namespace
    namespaces: tuple[Namespace, ...]
    server_namespace: Namespace | None
    teams: bool
    accounts: bool
    cluster_stores: tuple[ObjectName, ...]
    where: str  # `file:line`, for errors
    emptied: tuple[Namespace, ...] = ()
    removed: bool = False

    @property
    def platform_namespace(self) -> Namespace:
        """Where what is of the cluster belongs: beside its server, or beside ESO."""
        return self.server_namespace or self.eso_namespace


def targets(
    apps: Sequence[App],
    overlays: Sequence[Overlay],
    servers: Collection[OverlayName],
    server_namespace: Namespace,
    empty: Tombstones,
    left: Collection[OverlayName] = (),
) -> Iterator[Target]:
    """The overlays that have files: an app goes there, a server is part of it, or a tombstone is. `overlays`
    are also those that are removed, in which all else is gone; `left` are those that an app has left, which
    may have had a team: what a project does not permit, Argo CD does not prune.

    Raises `InvalidName` where the names of stores have to end in that of a token, and cannot.
    """
    for overlay in overlays:
        placed = placements(apps, overlay) if overlay.removed is None else ()
        emptied = empty.get(overlay.name, {})
        has_server = overlay.name in servers
        if not placed and not emptied and not (has_server and overlay.removed is None):
            continue
        namespaces = {name for placement in placed for name in placement.namespaces}
        cluster_wide = by_store_namespace(placed).get(None)
        stores = plan(cluster_wide).stores.values() if cluster_wide else ()
        yield Target(
            overlay.name,
            overlay.cluster,
            str(overlay.settings.eso_version),
            overlay.settings.eso_namespace,
            tuple(sorted(namespaces)),
            server_namespace if has_server else None,
            overlay.name in left or any(placement.app.team is not None for placement in placed),
            overlay.settings.credentials.kind is Kind.ACCOUNT,
            tuple(sorted(store.name for store in stores)),
            overlay.where,
            tuple(Namespace(folder) for folder in emptied if folder != PLATFORM_FOLDER),
            overlay.removed is not None,
        )
