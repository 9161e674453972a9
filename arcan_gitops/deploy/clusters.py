"""`clusters/kustomization.yaml`, and how a server gets the clusters' keys: a ConfigMap by its content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from arcan_gitops.deploy.names import SERVER_NAMESPACE
from arcan_gitops.deploy.patches import json_patch, target_of
from arcan_gitops.deploy.realms import generator_options
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE
from arcan_gitops.overlay.tree import Tree, header
from arcan_gitops.yamlio import emit

CLUSTERS_MAP: Final = "arcan-clusters"
_PATH: Final = "/etc/arcan/clusters"
_VOLUME: Final = "clusters"


def cluster_tree(files: Sequence[str]) -> Tree:
    """The kustomization beside the files of the clusters; nothing where there is none."""
    if not files:
        return {}
    body: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "generatorOptions": generator_options(),
        "configMapGenerator": [
            {"name": CLUSTERS_MAP, "namespace": str(SERVER_NAMESPACE), "files": sorted(files)}
        ],
    }
    return {KUSTOMIZATION_FILE: header(["the files of the clusters"]) + emit([body])}


def cluster_patches() -> Iterator[dict[str, Any]]:
    """The Deployment reads the folder. Kustomize puts the ConfigMap's whole name in."""
    container = "/spec/template/spec/containers/0"
    volume = {"name": _VOLUME, "configMap": {"name": CLUSTERS_MAP, "defaultMode": 0o444}}
    yield json_patch(
        target_of("apps", "v1", "Deployment", "arcan"),
        "add",
        (f"{container}/args/-", f"--clusters={_PATH}"),
        (f"{container}/volumeMounts/-", {"name": _VOLUME, "mountPath": _PATH, "readOnly": True}),
        ("/spec/template/spec/volumes/-", volume),
    )
