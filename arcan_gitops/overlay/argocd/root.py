"""What is applied once, by hand: the ApplicationSet over the clusters, its project, Applications' health."""

from __future__ import annotations

from typing import Final

from arcan_gitops.overlay.argocd.applications import API_VERSION
from arcan_gitops.overlay.argocd.projects import project
from arcan_gitops.overlay.argocd.settings import IN_CLUSTER, ArgoCd
from arcan_gitops.overlay.manifest import Manifest, metadata

# Argo CD took the health of an Application out in 1.8: without it no wave of an app of apps waits.
# Source: Argo CD docs, operator-manual/health, "Argocd App".
_HEALTH: Final = """\
hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil then
  if obj.status.health ~= nil then
    hs.status = obj.status.health.status
    if obj.status.health.message ~= nil then
      hs.message = obj.status.health.message
    end
  end
end
return hs
"""


def clusters_project(argocd: ArgoCd) -> Manifest:
    """For the apps of apps: Applications and their projects in Argo CD's namespace, and nothing else there.

    Who could make a Secret there, with the credentials of a cluster say, could do everything.
    """
    return project(
        argocd,
        _name(argocd),
        "The Applications of each cluster.",
        [str(argocd.repository)],
        [(str(IN_CLUSTER), str(argocd.namespace))],
        namespaceResourceWhitelist=[
            {"group": "argoproj.io", "kind": "AppProject"},
            {"group": "argoproj.io", "kind": "Application"},
        ],
    )


def application_set(argocd: ArgoCd) -> Manifest:
    """One app of apps for each folder below `argocd/clusters`: adding a cluster changes nothing here.

    An Application that goes leaves what it deployed: a folder that is lost must not empty a cluster.
    """
    folder = f"{argocd.path}/argocd/clusters"
    return {
        "apiVersion": API_VERSION,
        "kind": "ApplicationSet",
        "metadata": metadata(_name(argocd), argocd.namespace, None),
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [
                {
                    "git": {
                        "repoURL": str(argocd.repository),
                        "revision": str(argocd.revision),
                        "directories": [{"path": f"{folder}/*"}],
                    }
                }
            ],
            "syncPolicy": {"preserveResourcesOnDeletion": True},
            "template": {
                "metadata": {"name": "arcan-{{ .path.basename }}"},
                "spec": {
                    "project": _name(argocd),
                    "source": {
                        "repoURL": str(argocd.repository),
                        "targetRevision": str(argocd.revision),
                        "path": "{{ .path.path }}",
                    },
                    "destination": {"name": str(IN_CLUSTER), "namespace": str(argocd.namespace)},
                    "syncPolicy": {
                        "automated": {"prune": True, "selfHeal": True},
                        "syncOptions": ["ServerSideApply=true"],
                    },
                },
            },
        },
    }


def application_health(argocd: ArgoCd) -> Manifest:
    """The part of Argo CD's own ConfigMap that makes a wave of Applications wait until they are healthy.

    To be applied server-side: it sets its one key, and leaves the others to whom they belong.
    """
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "argocd-cm",
            "namespace": str(argocd.namespace),
            "labels": {
                "app.kubernetes.io/name": "argocd-cm",
                "app.kubernetes.io/part-of": "argocd",
            },
        },
        "data": {"resource.customizations.health.argoproj.io_Application": _HEALTH},
    }


def _name(argocd: ArgoCd) -> str:
    return f"{argocd.project}-clusters"
