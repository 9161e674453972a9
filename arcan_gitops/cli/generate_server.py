"""What `arcan generate overlays` writes for the servers that arcan.yaml declares: no command of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from arcan_gitops.cli.generated import Generated
from arcan_gitops.cli.project import servers_of
from arcan_gitops.deploy import (
    RealmFolder,
    Server,
    ServerSettings,
    base_tree,
    cluster_tree,
    component_tree,
    realm_tree,
    server_tree,
)
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, OverlayName, RealmName
from arcan_gitops.overlay.build import SERVERS_FOLDER
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.realms import CannotRead, DocumentFile, RealmTree, Selection
from arcan_gitops.realms.clusters import SUFFIX, read_clusters
from arcan_gitops.realms.settings import settings_of


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers, and all that is generated for them, in the order to write it."""

    servers: tuple[Server, ...]
    generated: tuple[Generated, ...]

    @property
    def overlays(self) -> frozenset[OverlayName]:
        """The overlays that have one."""
        return frozenset(server.settings.overlay.name for server in self.servers)


def plan_servers(realms: Path, kustomize_dir: Path, overlays: Sequence[Overlay], clusters: Path) -> Servers:
    """Where no server is declared, the folders are listed too: files that were generated there are removed.

    Raises `ArcanError` for invalid settings, a selection of nothing, and a file that is too large.
    """
    declared = servers_of(kustomize_dir, overlays)
    tree = RealmTree(realms)
    documents = tree.documents() if declared else ()
    servers = tuple(_server(one, documents) for one in declared)
    used = {realm for server in servers for realm, _ in server.selected}
    folders = [_folder(tree, documents, realm) for realm in sorted(used)]
    root = kustomize_dir / SERVERS_FOLDER
    to_realms, to_clusters = (
        PurePosixPath(os.path.relpath(folder.resolve(), root.resolve())) for folder in (realms, clusters)
    )
    keys = _clusters(clusters) if servers else ()
    return Servers(
        servers,
        (
            Generated(realms, realm_tree(folders), shared=True),
            Generated(kustomize_dir / "base", base_tree() if servers else {}),
            Generated(kustomize_dir / "components", component_tree() if servers else {}),
            Generated(clusters, cluster_tree(keys), shared=True),
            Generated(root, server_tree(servers, folders, to_realms, to_clusters if keys else None)),
        ),
    )


def _clusters(folder: Path) -> tuple[str, ...]:
    """The names of the clusters' files. Raises `SeveralErrors` where one would keep servers from starting."""
    if not folder.is_dir():
        return ()
    found, problems = read_clusters(folder, {})
    if problems:
        raise SeveralErrors(f"{folder}: the clusters cannot be read:", problems)
    return tuple(f"{name}{SUFFIX}" for name in found)


def _server(settings: ServerSettings, documents: Sequence[DocumentFile]) -> Server:
    """What the patterns select today, as `arcan serve --select` would. Raises `BadSelection`."""
    try:
        selection = Selection.parse(settings.select)
        found = {(file.realm, file.environment) for file in documents}
        selected = frozenset(pair for pair in found if selection.has(*pair))
        selection.require_each_used(found)
    except ArcanError as error:
        raise error.located(f"{settings.overlay.where}: server.deploy.select") from None
    return Server(settings, selected)


def _folder(tree: RealmTree, documents: Sequence[DocumentFile], realm: RealmName) -> RealmFolder:
    beside = (tree.tokens_file(realm), tree.realm_file(realm))
    whole: dict[EnvironmentName, int] = {}
    keys: dict[EnvironmentName, dict[KeyName, int]] = {}
    for file in documents:
        if file.realm != realm:
            continue
        if file.key is None:
            whole[file.environment] = _size(file.path)
        else:
            keys.setdefault(file.environment, {})[file.key] = _size(file.path)
    return RealmFolder(
        realm,
        whole,
        {path.name: _size(path) for path in beside if path is not None},
        _removed(tree, realm),
        keys,
        settings_of(tree, realm).shards,
    )


def _removed(tree: RealmTree, realm: RealmName) -> dict[EnvironmentName, dict[str, int]]:
    """The records of removed keys that a server would read. Raises `SeveralErrors`."""
    environments, problems = tree.removal_folders(realm)
    found: dict[EnvironmentName, dict[str, int]] = {}
    for environment in environments:
        files, misplaced = tree.removal_files(realm, environment)
        problems = (*problems, *misplaced)
        if files:
            found[environment] = {path.name: _size(path) for path in files.values()}
    if problems:
        raise SeveralErrors(f"{tree.root / realm}: the records of removed keys cannot be read:", problems)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read: {error.strerror}") from None
