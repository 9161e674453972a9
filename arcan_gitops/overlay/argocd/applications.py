"""What makes the Applications of one cluster: ESO's Helm chart first, then each overlay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.overlay.argocd.settings import IN_CLUSTER, PLATFORM_FOLDER, ArgoCd, ClusterName, EsoChart
from arcan_gitops.overlay.argocd.targets import Target
from arcan_gitops.overlay.manifest import Manifest, metadata

# Only removed by hand: Applications would stay behind without their project.
KEEP: Final = {"argocd.argoproj.io/sync-options": "Prune=false"}
API_VERSION: Final = "argoproj.io/v1alpha1"
ESO_CHART: Final = "external-secrets"
ESO_CHART_REPOSITORY: Final = "https://charts.external-secrets.io"
# It never gives up, and after a failed sync the next try takes the newest commit: a fix waits 30 s at most.
RETRY: Final = {
    "limit": -1,
    "refresh": True,
    "backoff": {"duration": "5s", "factor": 2, "maxDuration": "30s"},
}
# What the controller would write there itself: without it, applying the ApplicationSet again is a conflict.
_EMPTY_TEMPLATE: Final[Mapping[str, Any]] = {"metadata": {}, "spec": {"destination": {}, "project": ""}}


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
        "retry": RETRY,
        "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
    }
    name = eso_project_name(target.cluster)
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": metadata(name, argocd.namespace, "0"),
        "spec": {
            "project": name,
            "source": source,
            "destination": {"name": str(target.cluster), "namespace": str(target.eso_namespace)},
            "syncPolicy": policy,
        },
    }


def _values(eso: EsoChart) -> dict[str, Any]:
    """Several replicas elect the one that works. Source: ESO deploy/charts/external-secrets/values.yaml."""
    replicas = {} if eso.replicas == 1 else {"replicaCount": eso.replicas, "leaderElect": True}
    monitor = {"serviceMonitor": {"enabled": True}} if eso.service_monitor else {}
    return {"installCRDs": True, **replicas, **monitor}


def overlay_applications(argocd: ArgoCd, target: Target) -> Manifest:
    """Wave 1: an ApplicationSet, of which each folder of the overlay makes an Application.

    One for each namespace: what is wrong with one holds up no other, and a commit refreshes only those that
    it touches. All of an Application is one wave, so that Argo CD waits for nothing's health: what is not
    healthy yet is ESO's to heal. A folder that is lost takes no Application along, nor does an Application
    that goes take Secrets along; what goes is said by a folder that is empty (`allowEmpty`).
    ServerSideApply: client-side apply stops at 256 KiB. The platform takes in files from elsewhere in the
    repository, so any commit may change it.
    """
    folder = ".path.basename"
    is_platform = f'eq {folder} "{PLATFORM_FOLDER}"'
    name = f"{argocd.project}.{target.overlay}"
    template = {
        "metadata": {
            "name": f"{name}{{{{ if not ({is_platform}) }}}}.{{{{ {folder} }}}}{{{{ end }}}}",
            "annotations": {"argocd.argoproj.io/manifest-generate-paths": _either(is_platform, "/", ".")},
        },
        "spec": {
            "project": _either(
                is_platform,
                platform_project_name(argocd, target.cluster),
                overlays_project_name(argocd, target.cluster),
            ),
            "source": source_of_folder(argocd),
            "destination": {
                "name": str(target.cluster),
                "namespace": _either(is_platform, str(target.platform_namespace), f"{{{{ {folder} }}}}"),
            },
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True, "allowEmpty": True},
                "retry": RETRY,
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        },
    }
    return application_set(
        argocd, name, f"{argocd.path}/overlays/{target.overlay}/*", template, "1", own_options=KEEP
    )


def application_set(
    argocd: ArgoCd,
    name: str,
    folders: str,
    template: Manifest,
    wave: str | None = None,
    *,
    own_options: Mapping[str, str] = {},
) -> Manifest:
    """An ApplicationSet over folders of the repository, which removes no Application and no resource."""
    git = {
        "repoURL": str(argocd.repository),
        "revision": str(argocd.revision),
        "directories": [{"path": folders}],
        "template": dict(_EMPTY_TEMPLATE),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "ApplicationSet",
        "metadata": metadata(name, argocd.namespace, wave, annotations=own_options),
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"git": git}],
            "syncPolicy": {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True},
            "template": template,
        },
    }


def source_of_folder(argocd: ArgoCd) -> dict[str, str]:
    """The `source` of an Application that an ApplicationSet makes of a folder."""
    return {
        "repoURL": str(argocd.repository),
        "targetRevision": str(argocd.revision),
        "path": "{{ .path.path }}",
    }


def _either(condition: str, then: str, otherwise: str) -> str:
    """A Go template."""
    return f"{{{{ if {condition} }}}}{then}{{{{ else }}}}{otherwise}{{{{ end }}}}"


def eso_project_name(cluster: ClusterName) -> str:
    """The AppProject of a cluster's ESO, and its Application."""
    return _on_cluster(ESO_CHART, cluster)


def overlays_project_name(argocd: ArgoCd, cluster: ClusterName) -> str:
    """The AppProject of a cluster's overlays."""
    return _on_cluster(argocd.project, cluster)


def platform_project_name(argocd: ArgoCd, cluster: ClusterName) -> str:
    """The AppProject of what a cluster's overlays have outside the namespaces of apps."""
    return _on_cluster(f"{argocd.project}-platform", cluster)


def _on_cluster(name: str, cluster: ClusterName) -> str:
    return str(name) if cluster == IN_CLUSTER else f"{name}-{cluster}"
