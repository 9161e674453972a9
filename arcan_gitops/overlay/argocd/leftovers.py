"""What stays in Argo CD when a folder or a file is gone, and the commands that remove it.

An ApplicationSet removes no Application (`create-update`), and an Application that is deleted takes nothing
along: it has no finalizer (`preserveResourcesOnDeletion`). With its ApplicationSet, Kubernetes deletes the
Applications that it made. `argocd app delete` adds a finalizer of its own, and so deletes the Secrets too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.argocd.applications import (
    eso_project_name,
    overlays_project_name,
    platform_project_name,
)
from arcan_gitops.overlay.argocd.settings import PLATFORM_FOLDER, ArgoCd, ClusterName
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE
from arcan_gitops.overlay.tree import Tree
from arcan_gitops.yamlio import InvalidFile, read_objects

_ORDER: Final = ("ApplicationSet", "Application", "AppProject")
_CLUSTERS: Final = "clusters"


def overlay_commands(argocd: ArgoCd, overlay: OverlayName, last_of: ClusterName | None) -> tuple[str, ...]:
    """For all of an overlay; and for the cluster `last_of` which it is the last."""
    own = ("ApplicationSet", f"{argocd.project}.{overlay}")
    if last_of is None:
        return (_delete(argocd, *own),)
    names = (
        ("Application", f"arcan-{last_of}"),
        own,
        ("Application", eso_project_name(last_of)),
        ("AppProject", eso_project_name(last_of)),
        ("AppProject", overlays_project_name(argocd, last_of)),
        ("AppProject", platform_project_name(argocd, last_of)),
    )
    return tuple(_delete(argocd, kind, name) for kind, name in names)


def folder_commands(argocd: ArgoCd, before: Tree, after: Tree) -> Iterator[str]:
    """For each folder of an overlay that is gone while the overlay stays: the Application of the folder."""
    overlays = {path.partition("/")[0] for path in after}
    for path in map(PurePosixPath, sorted(before)):
        if len(path.parts) != 3 or path.name != KUSTOMIZATION_FILE or str(path) in after:
            continue
        overlay, folder, _ = path.parts
        if overlay in overlays:
            name = f"{argocd.project}.{overlay}"
            yield _delete(argocd, "Application", name if folder == PLATFORM_FOLDER else f"{name}.{folder}")


def file_commands(argocd: ArgoCd, before: Tree, after: Tree) -> Iterator[str]:
    """For what the files below `argocd/` had, and have no more; a cluster's own Application goes first."""
    for path in sorted(before):
        parts = PurePosixPath(path).parts
        if parts[0] == _CLUSTERS and parts[-1] == KUSTOMIZATION_FILE and path not in after:
            yield _delete(argocd, "Application", f"arcan-{parts[1]}")
    now = {_identity(obj) for obj in _objects(after)}
    gone = {_identity(obj) for obj in _objects(before)} - now
    for kind, name in sorted(gone, key=lambda one: (_ORDER.index(one[0]), one[1])):
        yield _delete(argocd, kind, name)


def _objects(tree: Tree) -> Iterator[Mapping[str, Any]]:
    for path, text in tree.items():
        if path.startswith(f"{_CLUSTERS}/"):
            try:
                objects = read_objects(text.encode(), path)
            except InvalidFile:
                continue
            yield from (obj for obj in objects if isinstance(obj, Mapping) and obj.get("kind") in _ORDER)


def _identity(obj: Mapping[str, Any]) -> tuple[str, str]:
    metadata = obj.get("metadata")
    return str(obj["kind"]), str(metadata.get("name")) if isinstance(metadata, Mapping) else ""


def _delete(argocd: ArgoCd, kind: str, name: str) -> str:
    return f"kubectl --namespace {argocd.namespace} delete {kind.lower()}.argoproj.io {name}"
