"""AppProjects: what the Applications of one cluster may deploy, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from arcan_gitops.overlay.argocd.applications import (
    API_VERSION,
    ESO_CHART_REPOSITORY,
    KEEP,
    eso_project_name,
    overlays_project_name,
    platform_project_name,
)
from arcan_gitops.overlay.argocd.settings import ArgoCd, Reach
from arcan_gitops.overlay.argocd.targets import Target
from arcan_gitops.overlay.manifest import Manifest, metadata

# What an Application of a namespace may hold: nothing that runs, and no Secret but that of an account.
NAMESPACE_KINDS: Final = (
    ("external-secrets.io", "ExternalSecret"),
    ("external-secrets.io", "SecretStore"),
)
_SYSTEM: Final = ("kube-*",)
# The cluster-wide kinds that an overlay may hold, with every component of a server.
CLUSTER_KINDS: Final = (
    ("", "Namespace"),
    ("external-secrets.io", "ClusterExternalSecret"),
    ("external-secrets.io", "ClusterSecretStore"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("constraints.gatekeeper.sh", "ArcanAccounts"),
    ("constraints.gatekeeper.sh", "ArcanStores"),
    ("policies.kyverno.io", "ValidatingPolicy"),
    ("templates.gatekeeper.sh", "ConstraintTemplate"),
)


def eso_project(argocd: ArgoCd, target: Target) -> Manifest:
    """For ESO's chart and nothing else: it brings CRDs, cluster roles and webhooks."""
    return project(
        argocd,
        eso_project_name(target.cluster),
        "The External Secrets Operator.",
        [ESO_CHART_REPOSITORY],
        [(str(target.cluster), str(target.eso_namespace))],
        clusterResourceWhitelist=[{"group": "*", "kind": "*"}],
    )


def overlays_project(argocd: ArgoCd, targets: Sequence[Target]) -> Manifest:
    """For the namespaces of the apps of one cluster, from this repository.

    The fence is the kinds. The namespaces are all but those of the cluster, of Argo CD and of ESO: a list of
    them would shrink together with the last app of one, and Argo CD leaves alone what it may not reach, for
    good. Who wants the list (`argocd.namespaces: listed`) keeps a namespace on it by its removed app.
    """
    cluster = str(targets[0].cluster)
    roles = [("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding")]
    accounts = [("", "ServiceAccount"), ("", "Secret")]
    kinds = [
        *NAMESPACE_KINDS,
        *(accounts if any(target.accounts for target in targets) else ()),
        *(roles if any(target.teams for target in targets) else ()),
    ]
    if argocd.reach is Reach.LISTED:
        places = sorted({str(name) for target in targets for name in (*target.namespaces, *target.emptied)})
    else:
        closed = sorted({*_SYSTEM, str(argocd.namespace), str(targets[0].eso_namespace)})
        places = ["*", *(f"!{name}" for name in closed)]
    return project(
        argocd,
        overlays_project_name(argocd, targets[0].cluster),
        "Secrets from Git: stores and ExternalSecrets of apps.",
        [str(argocd.repository)],
        [(cluster, place) for place in places],
        clusterResourceWhitelist=_kinds([("", "Namespace")]),  # for CreateNamespace
        namespaceResourceWhitelist=_kinds(kinds),
    )


def platform_project(argocd: ArgoCd, targets: Sequence[Target]) -> Manifest:
    """For what the overlays of one cluster have elsewhere: the server, policies, cluster-wide stores."""
    places = {
        (str(target.cluster), str(name))
        for target in targets
        for name in (target.eso_namespace, target.platform_namespace)
    }
    return project(
        argocd,
        platform_project_name(argocd, targets[0].cluster),
        "Secrets from Git: the server, policies and cluster-wide stores.",
        [str(argocd.repository)],
        sorted(places),
        clusterResourceWhitelist=_kinds(CLUSTER_KINDS),
    )


def _kinds(kinds: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"group": group, "kind": kind} for group, kind in kinds]


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
        "destinations": [{"name": cluster, "namespace": namespace} for cluster, namespace in places],
        **kinds,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": metadata(name, argocd.namespace, "-1", annotations=KEEP),
        "spec": spec,
    }
