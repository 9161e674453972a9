"""(apps, settings, catalogue) -> the files of every overlay. Pure: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import AppName, Namespace, OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.argocd.settings import PLATFORM_FOLDER
from arcan_gitops.overlay.catalogue import Catalogue
from arcan_gitops.overlay.check import MOST_PROBLEMS, find_problems
from arcan_gitops.overlay.entries import external_secrets, raw_manifests
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE, kustomization
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, by_store_namespace, placements
from arcan_gitops.overlay.plan import plan
from arcan_gitops.overlay.removal import Departure
from arcan_gitops.overlay.settings import SETTINGS_FILE, Settings
from arcan_gitops.overlay.team import team_manifests
from arcan_gitops.overlay.tombstones import tombstones
from arcan_gitops.overlay.tree import COMMAND, Tree, header
from arcan_gitops.yamlio import emit

APPS_FOLDER: Final = "apps"
SERVERS_FOLDER: Final = "servers"
_MOST_NAMED: Final = 8  # apps, in the header of a file
_CLUSTER_STORES_FILE: Final = "cluster-stores.yaml"
_STORES_FILE: Final = "stores.yaml"
_TOMBSTONE: Final = (
    "# A tombstone: nothing is here any more, and Argo CD prunes what was. Its sources say when it may go.\n"
)

# Folder of an overlay -> its files: path below it -> the apps that it is made from, and the text.
_Folders = dict[str, dict[str, tuple[tuple[Placement, ...], str]]]


def build_overlays(
    apps: Sequence[App],
    settings: Settings,
    catalogue: Catalogue,
    servers: Collection[OverlayName] = (),
    *,
    departures: Sequence[Departure] = (),
    cluster_stores: bool = True,
    command: str = COMMAND,
) -> Tree:
    """The tree below `overlays/`; an overlay that no app goes to has no files, unless it is of `servers`:
    those take the server of servers/<overlay>/ in. `departures` and removed overlays leave tombstones.

    overlay/<namespace>/ has what is in one namespace: stores.yaml with the stores that an app uses there, and
    apps/<app>.yaml with an ExternalSecret for each Kubernetes Secret. overlay/_platform/ has what is of the
    cluster: the server, cluster-stores.yaml, and the ClusterExternalSecrets. Each folder is a kustomization,
    and overlay/kustomization.yaml takes all of them.
    Without `cluster_stores`, cluster-wide stores are left to somebody who knows all apps that use them.
    `command` is the one that the files name as their origin. Raises `SeveralErrors` with all that is wrong.
    """
    overlays = settings.overlays(catalogue.environments())
    removed = [overlay.name for overlay in settings.removed]
    problems = find_problems(apps, overlays, catalogue, departures, removed)
    if problems:
        hint = f"these are the first {MOST_PROBLEMS}" if len(problems) == MOST_PROBLEMS else None
        raise SeveralErrors("the overlays cannot be generated:", problems, hint=hint)
    files: dict[str, str] = {}
    empty = tombstones(apps, departures, settings, overlays, servers)
    for overlay in (*overlays, *settings.removed):
        placed = placements(apps, overlay) if overlay.removed is None else ()
        folders = _folders(placed, catalogue, command, cluster_stores=cluster_stores)
        taken_in: dict[str, list[str]] = {}  # from elsewhere, by folder
        if overlay.name in servers and overlay.removed is None:
            folders = {PLATFORM_FOLDER: {}, **folders}
            taken_in[PLATFORM_FOLDER] = [f"../../../{SERVERS_FOLDER}/{overlay.name}"]
        for folder, made in folders.items():
            resources = [*taken_in.get(folder, ()), *made]
            users = {user.app.name: user for used, _ in made.values() for user in used}
            files[f"{overlay.name}/{folder}/{KUSTOMIZATION_FILE}"] = _file(
                [users[name] for name in sorted(users)], [kustomization(resources)], command
            )
            files |= {f"{overlay.name}/{folder}/{path}": text for path, (_, text) in made.items()}
        emptied = empty.get(overlay.name, {})
        for folder, sources in emptied.items():
            files[f"{overlay.name}/{folder}/{KUSTOMIZATION_FILE}"] = _tombstone(folder, sources, command)
        if folders or emptied:
            files[f"{overlay.name}/{KUSTOMIZATION_FILE}"] = _file(
                placed, [kustomization([*folders, *emptied])], command
            )
    return files


def _folders(
    placed: Sequence[Placement], catalogue: Catalogue, command: str, *, cluster_stores: bool
) -> _Folders:
    """The files of one overlay but its kustomizations: in each folder the stores first, then the apps."""
    stores: _Folders = {}
    apps: dict[tuple[AppName, str], tuple[Placement, list[Manifest]]] = {}

    def add(folder: str, placement: Placement, manifest: Manifest) -> None:
        apps.setdefault((placement.app.name, folder), (placement, []))[1].append(manifest)

    for namespace, group in by_store_namespace(placed).items():
        planned = plan(group)
        if namespace is not None or cluster_stores:
            folder, file = (
                (PLATFORM_FOLDER, _CLUSTER_STORES_FILE)
                if namespace is None
                else (str(namespace), _STORES_FILE)
            )
            notes = "".join(f"# {need}\n" for need in planned.needs)
            stores[folder] = {file: (group, _file(group, planned.manifests(), command, notes))}
        for placement in group:
            for place, manifest in _team(placement):
                add(str(place), placement, manifest)
            folder = PLATFORM_FOLDER if isinstance(placement.place, ManyNamespaces) else str(placement.place)
            for secret in external_secrets(placement, planned, catalogue):
                add(folder, placement, secret.manifest())
            for manifest in raw_manifests(placement, planned):
                add(folder, placement, manifest)
    folders: _Folders = {folder: {} for folder in sorted({*stores, *(folder for _, folder in apps)})}
    for folder, files in stores.items():
        folders[folder] |= files
    for (name, folder), (placement, manifests) in sorted(apps.items()):
        file = f"{APPS_FOLDER}/{name}.yaml"
        folders[folder][file] = ((placement,), _file([placement], manifests, command))
    return folders


def _team(placement: Placement) -> Iterator[tuple[Namespace, Manifest]]:
    """What lets the app's team make ExternalSecrets, and where."""
    if placement.app.team is not None:
        for namespace in placement.namespaces:
            for manifest in team_manifests(placement.app.name, namespace, placement.app.team):
                yield namespace, manifest


def _tombstone(folder: str, sources: Sequence[str], command: str) -> str:
    namespace = None if folder == PLATFORM_FOLDER else Namespace(folder)
    return header(sources, command) + _TOMBSTONE + emit([kustomization([], namespace)])


def _file(placed: Sequence[Placement], manifests: Sequence[Manifest], command: str, notes: str = "") -> str:
    apps = [f"{APPS_FOLDER}/{placement.app.name}.yaml" for placement in placed]
    sources = [SETTINGS_FILE, *(apps if len(apps) <= _MOST_NAMED else [f"{APPS_FOLDER}/*.yaml"])]
    return header(sources, command) + notes + emit(manifests)
