"""A Kubernetes manifest that lies where the document of a realm is wanted: told as what it is.

Flux and the sops-secrets-operator keep Secrets as manifests that sops has encrypted in part.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import SopsError
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS

KINDS: Final = ("Secret", "SopsSecret")
_SUFFIX: Final = ".sops.yaml"
_REALMS: Final = Path("realms")  # where the commands look without being told


def explained(error: ArcanError, data: bytes, path: Path) -> ArcanError:
    """What is wrong with the document at `path`: `error`, which then names the path; or that the file is an
    encrypted Kubernetes Secret, and the command that makes a document of it.
    """
    kind = _kind(data)
    return error.located(path) if kind is None else _is_manifest(kind, path)


def manifest_problem(keys: Collection[str], path: Path) -> ArcanError | None:
    """The same of a document whose leaves are all encrypted, `kind` too: by the names of its keys."""
    if {"apiVersion", "kind"} <= set(keys) and not {"data", "stringData", "spec"}.isdisjoint(keys):
        return _is_manifest("manifest", path)
    return None


def _kind(data: bytes) -> str | None:
    try:
        trees = format_named("yaml").parse(data, DEFAULT_LIMITS)
    except SopsError:
        return None
    for tree in trees:
        if isinstance(tree.get("apiVersion"), str) and tree.get("kind") in KINDS:
            return str(tree["kind"])
    return None


def _is_manifest(kind: str, path: Path) -> ArcanError:
    realm, environment = path.parent.name, path.name.removesuffix(_SUFFIX)
    moved = f"{realm}-{environment}.secret{_SUFFIX}"
    root = path.parent.parent
    options = "" if root == _REALMS else f" --realms {shlex.quote(str(root))}"
    return ArcanError(
        f"{path}: is an encrypted Kubernetes {kind}, and no document of a realm, whose keys are the secrets "
        "themselves",
        hint=f"mv -n {shlex.quote(str(path))} {shlex.quote(moved)} && arcan import sops {shlex.quote(realm)} "
        f"{shlex.quote(moved)} --env {shlex.quote(environment)}{options}",
    )
