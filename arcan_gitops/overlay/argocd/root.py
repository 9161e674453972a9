"""What is applied once, by hand: the ApplicationSet over the clusters, its project, Applications' health."""

from __future__ import annotations

from typing import Final

from arcan_gitops.overlay.argocd.applications import RETRY, application_set, source_of_folder
from arcan_gitops.overlay.argocd.projects import project
from arcan_gitops.overlay.argocd.settings import IN_CLUSTER, ArgoCd
from arcan_gitops.overlay.manifest import Manifest

# Argo CD took the health of an Application out in 1.8, so that an app of apps looks healthy whatever its
# Applications say. This says what is wrong with one, and never "Progressing": a wave that waits for health
# takes no new commit, and the wait for what will not become healthy has no end.
# Argo CD gives a script the functions of Lua's base, package and table alone: a script that asks for `string`
# fails, and the Application counts as healthy.
# Source: Argo CD docs, operator-manual/health; its types.go (conditions), util/lua/lua.go.
_HEALTH: Final = """\
hs = { status = "Healthy", message = "" }
if obj.status == nil then
  return hs
end
if obj.status.health ~= nil and obj.status.health.status ~= nil then
  hs.message = obj.status.health.status
  if obj.status.health.status == "Degraded" then
    hs.status = "Degraded"
  end
end
if obj.status.sync ~= nil and obj.status.sync.status == "Unknown" then
  hs.status = "Degraded"
  hs.message = "its state is unknown"
end
local operation = obj.status.operationState
if operation ~= nil and (operation.phase == "Failed" or operation.phase == "Error") then
  hs.status = "Degraded"
  hs.message = operation.message or operation.phase
end
local errors = {
  ComparisonError = true, DeletionError = true, InvalidSpecError = true, SyncError = true, UnknownError = true
}
for _, condition in ipairs(obj.status.conditions or {}) do
  if errors[condition.type] then
    hs.status = "Degraded"
    hs.message = condition.message
  end
end
return hs
"""


def clusters_project(argocd: ArgoCd) -> Manifest:
    """For the apps of apps: what makes Applications, in Argo CD's namespace, and nothing else there.

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
            {"group": "argoproj.io", "kind": "ApplicationSet"},
        ],
    )


def cluster_applications(argocd: ArgoCd) -> Manifest:
    """One app of apps for each folder below `argocd/clusters`: adding a cluster changes nothing here.

    An Application that goes leaves what it deployed: a folder that is lost must not empty a cluster.
    """
    template = {
        "metadata": {
            "name": "arcan-{{ .path.basename }}",
            "annotations": {"argocd.argoproj.io/manifest-generate-paths": "."},
        },
        "spec": {
            "project": _name(argocd),
            "source": source_of_folder(argocd),
            "destination": {"name": str(IN_CLUSTER), "namespace": str(argocd.namespace)},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "retry": RETRY,
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
    return application_set(argocd, _name(argocd), f"{argocd.path}/argocd/clusters/*", template)


def application_health(argocd: ArgoCd) -> Manifest:
    """The part of Argo CD's own ConfigMap by which an app of apps shows what is wrong with its Applications.

    To be applied server-side: it sets its one key, and leaves the others to whom they belong. It stands
    apart: where Argo CD has such a check already, that one may stay.
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
