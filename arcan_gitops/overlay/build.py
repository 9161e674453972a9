"""(apps, settings, catalogue) -> the files of every overlay. Pure: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.catalogue import Catalogue
from arcan_gitops.overlay.check import MOST_PROBLEMS, find_problems
from arcan_gitops.overlay.entries import external_secrets
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE, kustomization
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.placement import Placement, by_store_namespace, placements
from arcan_gitops.overlay.plan import plan
from arcan_gitops.overlay.settings import SETTINGS_FILE, Settings
from arcan_gitops.overlay.team import team_manifests
from arcan_gitops.overlay.tree import COMMAND, Tree, header
from arcan_gitops.yamlio import emit

APPS_FOLDER: Final = "apps"
SERVERS_FOLDER: Final = "servers"
_MOST_NAMED: Final = 8  # apps, in the header of a file
_CLUSTER_STORES_FILE: Final = "cluster-stores.yaml"


def build_overlays(
    apps: Sequence[App],
    settings: Settings,
    catalogue: Catalogue,
    servers: Collection[OverlayName] = (),
    *,
    cluster_stores: bool = True,
    command: str = COMMAND,
) -> Tree:
    """The tree below `overlays/`; an overlay that no app goes to has no files, unless it is of `servers`:
    those take the server of servers/<overlay>/ in.

    overlay/kustomization.yaml; overlay/stores/<namespace>.yaml and overlay/cluster-stores.yaml with the
    stores that an app uses; overlay/apps/<app>.yaml with an ExternalSecret for each Kubernetes Secret.
    Without `cluster_stores`, cluster-wide stores are left to somebody who knows all apps that use them.
    `command` is the one that the files name as their origin. Raises `SeveralErrors` with all that is wrong.
    """
    overlays = settings.overlays(catalogue.environments())
    problems = find_problems(apps, overlays, catalogue)
    if problems:
        hint = f"these are the first {MOST_PROBLEMS}" if len(problems) == MOST_PROBLEMS else None
        raise SeveralErrors("the overlays cannot be generated:", problems, hint=hint)
    files: dict[str, str] = {}
    for overlay in overlays:
        server = [f"../../{SERVERS_FOLDER}/{overlay.name}"] if overlay.name in servers else []
        placed = placements(apps, overlay)
        made = _manifests(placed, catalogue, command, cluster_stores=cluster_stores)
        if resources := [*server, *made]:
            made = {KUSTOMIZATION_FILE: _file(placed, [kustomization(resources)], command), **made}
        files |= {f"{overlay.name}/{path}": text for path, text in made.items()}
    return files


def _manifests(
    placed: Sequence[Placement], catalogue: Catalogue, command: str, *, cluster_stores: bool
) -> dict[str, str]:
    """The files of one overlay but its kustomization: the stores first, then the apps."""
    files: dict[str, str] = {}
    app_files: dict[str, str] = {}
    for namespace, group in by_store_namespace(placed).items():
        planned = plan(group)
        if namespace is not None or cluster_stores:
            file = _CLUSTER_STORES_FILE if namespace is None else f"stores/{namespace}.yaml"
            notes = "".join(f"# {need}\n" for need in planned.needs)
            files[file] = _file(
                group, [store.manifest() for store in planned.stores.values()], command, notes
            )
        for placement in group:
            secrets = external_secrets(placement, planned, catalogue)
            manifests = [*_team(placement), *(secret.manifest() for secret in secrets)]
            app_files[f"{APPS_FOLDER}/{placement.app.name}.yaml"] = _file([placement], manifests, command)
    return {**files, **dict(sorted(app_files.items()))}


def _team(placement: Placement) -> Iterator[Manifest]:
    if placement.app.team is not None:
        for namespace in placement.namespaces:
            yield from team_manifests(placement.app.name, namespace, placement.app.team)


def _file(placed: Sequence[Placement], manifests: Sequence[Manifest], command: str, notes: str = "") -> str:
    apps = [f"{APPS_FOLDER}/{placement.app.name}.yaml" for placement in placed]
    sources = [SETTINGS_FILE, *(apps if len(apps) <= _MOST_NAMED else [f"{APPS_FOLDER}/*.yaml"])]
    return header(sources, command) + notes + emit(manifests)
