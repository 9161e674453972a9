"""The manifests that come with the package: written by hand, copied into a repository, patched there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from arcan_gitops.overlay.tree import Tree, header

_FOLDER: Final = Path(__file__).resolve().parent / "kustomize"
_SOURCE: Final = "the manifests that come with arcan"
_KUSTOMIZATION: Final = "kustomization.yaml"


def base_tree() -> Tree:
    """What lies below kustomize/base/: the server without realms."""
    return _tree(_FOLDER / "base")


def component_tree() -> Tree:
    """What lies below kustomize/components/."""
    return _tree(_FOLDER / "components")


def component_names() -> tuple[str, ...]:
    """Every component by its folder: `own-ca`, `policies/kyverno`.

    In the order in which they have to be applied: `openshift` changes what the others add.
    """
    root = _FOLDER / "components"
    names = [path.parent.relative_to(root).as_posix() for path in root.rglob(_KUSTOMIZATION)]
    return tuple(sorted(names, key=lambda name: (name == "openshift", name)))


def _tree(folder: Path) -> Tree:
    return {
        path.relative_to(folder).as_posix(): header([_SOURCE]) + path.read_text("utf-8")
        for path in sorted(folder.rglob("*.yaml"))
    }
