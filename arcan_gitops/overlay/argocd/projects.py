"""AppProjects: what the Applications of one cluster may deploy, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from arcan_gitops.overlay.argocd.applications import (
    API_VERSION,
    ESO_CHART_REPOSITORY,
    eso_project_name,
    overlays_project_name,
)
from arcan_gitops.overlay.argocd.settings import ArgoCd
from arcan_gitops.overlay.argocd.targets import Target
from arcan_gitops.overlay.manifest import Manifest, metadata

# The cluster-wide kinds that an overlay may hold, with every component of a server.
CLUSTER_KINDS: Final = (
    ("", "Namespace"),
    ("external-secrets.io", "ClusterExternalSecret"),
    ("external-secrets.io", "ClusterSecretStore"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("constraints.gatekeeper.sh", "ArcanStores"),
    ("policies.kyverno.io", "ValidatingPolicy"),
    ("templates.gatekeeper.sh", "ConstraintTemplate"),
)


def eso_project(argocd: ArgoCd, target: Target) -> Manifest:
    """For ESO's chart and nothing else: it brings CRDs, cluster roles and webhooks."""
    return project(
        argocd,
        eso_project_name(target),
        "The External Secrets Operator.",
        [ESO_CHART_REPOSITORY],
        [(str(target.cluster), str(target.eso_namespace))],
        clusterResourceWhitelist=[{"group": "*", "kind": "*"}],
    )


def overlays_project(argocd: ArgoCd, targets: Sequence[Target]) -> Manifest:
    """For the overlays of one cluster: this repository; ESO's namespace, and those of the apps."""
    places = {
        (str(target.cluster), str(name))
        for target in targets
        for name in (target.eso_namespace, *target.namespaces)
    }
    return project(
        argocd,
        overlays_project_name(argocd, targets[0]),
        "Secrets from Git: the overlays of arcan.",
        [str(argocd.repository)],
        places,
        clusterResourceWhitelist=[{"group": group, "kind": kind} for group, kind in CLUSTER_KINDS],
    )


def project(
    argocd: ArgoCd,
    name: str,
    description: str,
    repositories: list[str],
    places: Iterable[tuple[str, str]],
    **kinds: list[dict[str, str]],
) -> Manifest:
    """An AppProject; `places` are clusters by name, and namespaces. It is there before its Applications."""
    spec: dict[str, Any] = {
        "description": description,
        "sourceRepos": repositories,
        "destinations": [{"name": cluster, "namespace": namespace} for cluster, namespace in sorted(places)],
        **kinds,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": metadata(name, argocd.namespace, "-1"),
        "spec": spec,
    }
