"""The Applications of one cluster: ESO's Helm chart first, then each overlay."""

from __future__ import annotations

from typing import Any, Final

from arcan_gitops.overlay.argocd.settings import IN_CLUSTER, ArgoCd, EsoChart
from arcan_gitops.overlay.argocd.targets import Target
from arcan_gitops.overlay.manifest import Manifest, metadata

API_VERSION: Final = "argoproj.io/v1alpha1"
ESO_CHART: Final = "external-secrets"
ESO_CHART_REPOSITORY: Final = "https://charts.external-secrets.io"
# After a failed sync the next try takes the newest commit, so that a fix does not wait behind what it fixes.
_RETRY: Final = {
    "limit": 10,
    "refresh": True,
    "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
}


def eso_application(argocd: ArgoCd, target: Target) -> Manifest:
    """Wave 0: ESO's chart with its CRDs, at the version that the overlays are made for.

    Nothing is pruned: a CRD that goes takes every ExternalSecret with it, and those their Secrets.
    """
    source = {
        "repoURL": ESO_CHART_REPOSITORY,
        "chart": ESO_CHART,
        "targetRevision": target.eso_version,
        "helm": {"releaseName": ESO_CHART, "valuesObject": _values(argocd.eso)},
    }
    policy = {
        "automated": {"prune": False, "selfHeal": True},
        "retry": _RETRY,
        "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
    }
    name = eso_project_name(target)
    return _application(argocd, name, "0", name, source, policy, _destination(target, eso=True))


def _values(eso: EsoChart) -> dict[str, Any]:
    """Several replicas elect the one that works. Source: ESO deploy/charts/external-secrets/values.yaml."""
    replicas = {} if eso.replicas == 1 else {"replicaCount": eso.replicas, "leaderElect": True}
    monitor = {"serviceMonitor": {"enabled": True}} if eso.service_monitor else {}
    return {"installCRDs": True, **replicas, **monitor}


def overlay_application(argocd: ArgoCd, target: Target) -> Manifest:
    """Wave 1: an overlay, inside which the server, the stores and the ExternalSecrets have their own waves.

    PruneLast: what a new revision lacks goes last, so that pods of the old one can still mount it.
    ServerSideApply: client-side apply stops at 256 KiB.
    """
    source = {
        "repoURL": str(argocd.repository),
        "targetRevision": str(argocd.revision),
        "path": f"{argocd.path}/overlays/{target.overlay}",
    }
    policy = {
        "automated": {"prune": True, "selfHeal": True},
        "retry": _RETRY,
        "syncOptions": ["PruneLast=true", "ServerSideApply=true"],
    }
    name = f"{ESO_CHART}-config-{target.overlay}"
    project = overlays_project_name(argocd, target)
    return _application(argocd, name, "1", project, source, policy, _destination(target))


def eso_project_name(target: Target) -> str:
    """The AppProject of a cluster's ESO, and its Application."""
    return _on_cluster(ESO_CHART, target)


def overlays_project_name(argocd: ArgoCd, target: Target) -> str:
    """The AppProject of a cluster's overlays."""
    return _on_cluster(argocd.project, target)


def _on_cluster(name: str, target: Target) -> str:
    return str(name) if target.cluster == IN_CLUSTER else f"{name}-{target.cluster}"


def _destination(target: Target, *, eso: bool = False) -> dict[str, str]:
    namespace = {"namespace": str(target.eso_namespace)} if eso else {}
    return {"name": str(target.cluster), **namespace}


def _application(
    argocd: ArgoCd,
    name: str,
    wave: str,
    project: str,
    source: dict[str, Any],
    policy: dict[str, Any],
    destination: dict[str, str],
) -> Manifest:
    """An Application, without the finalizer by which deleting it would delete all that it deployed."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": metadata(name, argocd.namespace, wave),
        "spec": {
            "project": str(project),
            "source": source,
            "destination": destination,
            "syncPolicy": policy,
        },
    }
