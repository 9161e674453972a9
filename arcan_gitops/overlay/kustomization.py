"""The `kustomization.yaml` of an overlay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from arcan_gitops.kustomize_files import KUSTOMIZATIONS
from arcan_gitops.names import Namespace
from arcan_gitops.overlay.manifest import Manifest

KUSTOMIZATION_FILE: Final = KUSTOMIZATIONS[0]


def kustomization(resources: Sequence[str], namespace: Namespace | None = None) -> Manifest:
    """Lists the files and changes nothing in them.

    No `namespace:` where there are any: that transformer moves the manifests of other namespaces, and gives a
    ClusterSecretStore a namespace. Every manifest carries its own.
    """
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        **({} if namespace is None else {"namespace": str(namespace)}),
        "resources": list(resources),
    }
