"""(Argo CD's settings, targets) -> the files below `argocd/`. Pure: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.overlay.argocd.applications import eso_application, overlay_applications
from arcan_gitops.overlay.argocd.projects import eso_project, overlays_project, platform_project
from arcan_gitops.overlay.argocd.root import application_health, cluster_applications, clusters_project
from arcan_gitops.overlay.argocd.settings import ArgoCd, ClusterName
from arcan_gitops.overlay.argocd.targets import Target
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE, kustomization
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.overlay.tree import Tree, header
from arcan_gitops.yamlio import emit

ROOT_FILE: Final = "root.yaml"
HEALTH_FILE: Final = "health.yaml"
_PROJECTS_FILE: Final = "appprojects.yaml"
_ESO_FILE: Final = "external-secrets.yaml"


def build_argocd(argocd: ArgoCd, targets: Sequence[Target]) -> Tree:
    """The tree below `argocd/`.

    Raises `SeveralErrors` where the overlays of one cluster want different versions or namespaces of ESO, or
    have objects in common.
    """
    clusters = _by_cluster(targets)
    problems = [problem for group in clusters.values() for problem in _disagreements(group)]
    if problems:
        raise SeveralErrors("the Applications cannot be generated:", problems)
    tree = {
        ROOT_FILE: _file([clusters_project(argocd), cluster_applications(argocd)]),
        HEALTH_FILE: _file([application_health(argocd)]),
        KUSTOMIZATION_FILE: _file([kustomization([ROOT_FILE])]),
    }
    for cluster, group in clusters.items():
        files = {
            _PROJECTS_FILE: _file(
                [
                    eso_project(argocd, group[0]),
                    overlays_project(argocd, group),
                    platform_project(argocd, group),
                ]
            ),
            _ESO_FILE: _file([eso_application(argocd, group[0])]),
        }
        for target in group:
            files[f"{target.overlay}.yaml"] = _file([overlay_applications(argocd, target)])
        folder = f"clusters/{cluster}"
        tree[f"{folder}/{KUSTOMIZATION_FILE}"] = _file([kustomization(list(files))])
        tree.update({f"{folder}/{name}": text for name, text in files.items()})
    return tree


def _by_cluster(targets: Sequence[Target]) -> Mapping[ClusterName, tuple[Target, ...]]:
    # what is of the whole cluster is as the first says: one that is not removed, if there is one
    ordered = sorted(targets, key=lambda target: (target.cluster, target.removed, target.overlay))
    return {
        cluster: tuple(target for target in ordered if target.cluster == cluster)
        for cluster in dict.fromkeys(target.cluster for target in ordered)
    }


def _disagreements(group: Sequence[Target]) -> list[ArcanError]:
    """A cluster has one ESO, and nothing of it is in two overlays."""
    first = group[0]
    problems: list[ArcanError] = []
    for number, target in enumerate(group):
        for other in group[:number]:
            problems += [
                ArcanError(
                    f"{target.where}: overlays '{other.overlay}' and '{target.overlay}' both have {what} "
                    f"on cluster '{target.cluster}': their Applications would take it from each other",
                    hint=f"name the cluster of one with 'cluster', or {instead}",
                )
                for what, instead in _shared(other, target)
            ]
    for target in group[1:]:
        if target.removed:
            continue
        pairs = (
            ("ESO", first.eso_version, target.eso_version),
            ("ESO's namespace", first.eso_namespace, target.eso_namespace),
        )
        problems += [
            ArcanError(
                f"{target.where}: overlay '{target.overlay}' has {what} {theirs}, overlay '{first.overlay}' "
                f"on the same cluster '{target.cluster}' has {ours}",
                hint="a cluster has one ESO: give both the same, or name the other cluster with 'cluster'",
            )
            for what, ours, theirs in pairs
            if ours != theirs
        ]
    return problems


def _shared(one: Target, two: Target) -> Iterator[tuple[str, str]]:
    """What two overlays of a cluster would both deploy, and how one of them could go without."""
    if names := sorted({*one.namespaces} & {*two.namespaces}):
        apart = f"namespace: {{{one.overlay}: {names[0]}, {two.overlay}: {names[0]}-{two.overlay}}}"
        yield f"namespace '{names[0]}'", f"give the apps a namespace by overlay, {apart}"
    if stores := sorted({*one.cluster_stores} & {*two.cluster_stores}):
        yield f"ClusterSecretStore '{stores[0]}'", "give the stores of one another name with 'stores.name'"


def _file(manifests: Sequence[Manifest]) -> str:
    return header([SETTINGS_FILE]) + emit(manifests)
