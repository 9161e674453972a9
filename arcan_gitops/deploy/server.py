"""`kustomize/servers/<overlay>/`: the base, the selected realms and the components of one server."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from arcan_gitops.deploy.clusters import cluster_patches
from arcan_gitops.deploy.names import (
    CA_KEY,
    CA_MAP,
    IDENTITY_KEY,
    IDENTITY_SECRET,
    SERVER_NAMESPACE,
    SERVICE_HOSTS,
    TLS_CERT,
    TLS_KEY,
    TLS_SECRET,
    server_hosts,
)
from arcan_gitops.deploy.patches import json_patch, target_of
from arcan_gitops.deploy.policies import policy_patches
from arcan_gitops.deploy.realms import RealmFolder, document_map, maps_of, removed_map
from arcan_gitops.deploy.settings import BINDINGS, DELETIONS, STARTS, ServerSettings
from arcan_gitops.deploy.volumes import volume_patch
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.settings import DEFAULTS, SETTINGS_FILE
from arcan_gitops.overlay.tree import Tree, header
from arcan_gitops.yamlio import emit

_BASE: Final = PurePosixPath("../../base/arcan")
_COMPONENTS: Final = PurePosixPath("../../components")
_VOLUME_FILE: Final = "realms-volume.yaml"
_UNSELECTED_FILE: Final = "unselected.yaml"

# What the base and the components are written with.
_IMAGE: Final = "arcan"

# Kustomize 5.4 to 5.6 crash on a patch that deletes and has no `target`, where another document follows it in
# its file (kubernetes-sigs/kustomize #5471); the name is anything, since the target says what is deleted.
_DELETION: Final[Manifest] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "unselected"},
    "$patch": "delete",
}


@dataclass(frozen=True, slots=True)
class Server:
    """What is generated for one server: its settings, and what its selection means today."""

    settings: ServerSettings
    selected: frozenset[tuple[RealmName, EnvironmentName]]

    def folders(self, folders: Iterable[RealmFolder]) -> tuple[RealmFolder, ...]:
        """The realms of which it has a document, sorted."""
        realms = {realm for realm, _ in self.selected}
        return tuple(sorted((f for f in folders if f.realm in realms), key=lambda folder: folder.realm))


def server_tree(
    servers: Iterable[Server],
    folders: Sequence[RealmFolder],
    realms: PurePosixPath,
    clusters: PurePosixPath | None = None,
) -> Tree:
    """The files below kustomize/servers/; `realms` is the path from there to the folder of the realms,
    `clusters` to that of the clusters, if there is any.
    """
    return {
        f"{server.settings.overlay.name}/{path}": text
        for server in servers
        for path, text in _files(server, server.folders(folders), realms, clusters).items()
    }


def _files(
    server: Server, folders: Sequence[RealmFolder], realms: PurePosixPath, clusters: PurePosixPath | None
) -> Tree:
    notes = header([SETTINGS_FILE, *(f"realm {folder.realm}" for folder in folders)])
    files = {_VOLUME_FILE: notes + emit([volume_patch(folders, server.selected)])}
    patches: list[dict[str, Any]] = [{"path": _VOLUME_FILE}]
    unselected = [target for folder in folders if (target := _unselected(server, folder))]
    if unselected:
        files[_UNSELECTED_FILE] = notes + emit([_DELETION])
        patches += [{"path": _UNSELECTED_FILE, "target": target} for target in unselected]
    below = [realms / folder.realm for folder in folders]
    if clusters is not None:
        below.append(clusters)
        patches += cluster_patches()
    kustomization = _kustomization(server.settings, below, patches)
    return {**files, KUSTOMIZATION_FILE: notes + _needs(server.settings) + emit([kustomization])}


def _kustomization(
    settings: ServerSettings,
    below: Sequence[PurePosixPath],
    patches: Sequence[dict[str, Any]],
) -> Manifest:
    """`below` are folders with ConfigMaps, from kustomize/servers/ on."""
    image: dict[str, str] = {"name": _IMAGE, "newName": settings.image.name}
    if settings.image.tag is not None:
        image["newTag"] = settings.image.tag
    if settings.image.digest is not None:
        image["digest"] = settings.image.digest
    body: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(_BASE), *(str(".." / folder) for folder in below)],
    }
    if settings.components:
        body["components"] = [str(_COMPONENTS / name) for name in settings.components]
    body["images"] = [image]
    body["patches"] = [*patches, *_patches(settings)]
    return body


def _unselected(server: Server, folder: RealmFolder) -> dict[str, str] | None:
    """The target of `_DELETION`: the ConfigMaps that the realm's kustomization makes and this server is not
    to have. Their names are one pattern of RE2, which Kustomize anchors. None where the server has all
    of them.
    """
    patterns = []
    for environment in {*folder.environments, *folder.removed}:
        if (folder.realm, environment) in server.selected:
            continue
        if environment in folder.documents:
            patterns.append(_exactly(document_map(folder.realm, environment)))
        if environment in folder.keys:
            patterns.append(maps_of(folder.realm, environment))
        if environment in folder.removed:
            patterns.append(_exactly(removed_map(folder.realm, environment)))
    if not patterns:
        return None
    target = {"version": "v1", "kind": "ConfigMap", "namespace": str(SERVER_NAMESPACE)}
    return {**target, "name": f"({'|'.join(sorted(patterns))})"}


def _exactly(name: str) -> str:
    return name.replace(".", r"\.")


def _patches(settings: ServerSettings) -> Iterable[dict[str, Any]]:
    """What differs from the base and the components as they are written."""
    options = [] if settings.binding == BINDINGS[0] else [f"--binding={settings.binding}"]
    if settings.start != STARTS[0]:  # of an option that is given twice the last one counts
        options.append(f"--start={settings.start}")
    if settings.deletions != DELETIONS[0]:
        options.append(f"--deletions={settings.deletions}")
    if options:
        target = target_of("apps", "v1", "Deployment", "arcan")
        pointer = "/spec/template/spec/containers/0/args/-"
        yield json_patch(target, "add", *((pointer, option) for option in options))
    eso_namespace = settings.overlay.settings.eso_namespace
    if eso_namespace != DEFAULTS.eso_namespace:
        pointer = "/spec/ingress/0/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name"
        target = target_of("networking.k8s.io", "v1", "NetworkPolicy", "arcan")
        yield json_patch(target, "replace", (pointer, str(eso_namespace)))
    if settings.replicas is not None:
        yield json_patch(
            target_of("autoscaling", "v2", "HorizontalPodAutoscaler", "arcan"),
            "replace",
            ("/spec/minReplicas", settings.replicas.least),
            ("/spec/maxReplicas", settings.replicas.most),
        )
    parts = urlsplit(settings.overlay.settings.server_url)
    host = parts.hostname or ""
    if "cert-manager" in settings.components and host not in SERVICE_HOSTS:
        target = target_of("cert-manager.io", "v1", "Certificate", "arcan")
        if _is_address(host):
            yield json_patch(target, "add", ("/spec/ipAddresses", [host]))
        else:
            yield json_patch(target, "add", ("/spec/dnsNames/-", host))
    yield from policy_patches(settings.components, parts.netloc, settings.policies)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _needs(settings: ServerSettings) -> str:
    """What the server reads and nobody generates, as comments."""
    lines = [f"Secret {IDENTITY_SECRET}, key {IDENTITY_KEY}: the age identity that opens the realms"]
    if "cert-manager" not in settings.components:
        keys = f"keys {TLS_CERT}, {TLS_KEY} and {CA_KEY}"
        hosts = ", ".join(server_hosts(settings.overlay.settings.server_url))
        lines.append(f"Secret {TLS_SECRET}, {keys}: its certificate, for {hosts}")
    if "own-ca" in settings.components:
        lines.append(f"ConfigMap {CA_MAP}, key {CA_KEY}: the CA of its certificate")
    return "".join(f"# Needs in namespace {SERVER_NAMESPACE}: {line}.\n" for line in lines)
