"""What lies where the document of a realm is wanted and is none: told as what it is, with the way that works.

Flux and the sops-secrets-operator keep Secrets as manifests that sops has encrypted in part.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.conflicts import unfinished_merge
from arcan_gitops.realms.place import Place
from arcan_gitops.realms.tree import DOCUMENT_SUFFIX
from arcan_gitops.sops import NotEncrypted, SopsError
from arcan_gitops.sops.errors import NEEDS_BINARY
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS

KINDS: Final = ("Secret", "SopsSecret")


def explained(error: ArcanError, data: bytes, path: Path) -> ArcanError:
    """What is wrong with the document at `path`: `error`, which then names the path; or that the file is an
    encrypted Kubernetes Secret, or in clear, and the command that makes a document of it; or that a merge is
    not finished in it.
    """
    if (unfinished := unfinished_merge(data, path)) is not None:
        return unfinished
    kind = _kind(data)
    if kind is None and isinstance(error, NotEncrypted):
        error.hint = _how_to_encrypt(path)
    if error.hint == NEEDS_BINARY:
        error.hint = NEEDS_BINARY.replace("FILE", shlex.quote(str(path)))
    return error.located(path) if kind is None else _is_manifest(kind, path)


def manifest_problem(keys: Collection[str], data: bytes, path: Path) -> ArcanError | None:
    """That a document is an encrypted manifest, by the names of its keys: `kind` may be encrypted too."""
    if {"apiVersion", "kind"} <= set(keys) and not {"data", "stringData", "spec"}.isdisjoint(keys):
        return _is_manifest(_kind(data) or "manifest", path)
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
    place = _place(path)
    moved = f"{place.realm}-{place.environment}.secret{DOCUMENT_SUFFIX}"
    return ArcanError(
        f"{path}: is an encrypted Kubernetes {kind}, and no document of a realm, whose keys are the secrets "
        "themselves",
        hint=f"{shlex.join(['mv', '-n', str(path), moved])} && {place.command('import sops', moved)}",
    )


def _how_to_encrypt(path: Path) -> str:
    place = _place(path)
    moved = f"{place.realm}-{place.environment}.clear.yaml"
    return (
        f"encrypt it: {shlex.join(['mv', '-n', str(path), moved])} && "
        f"{place.command('realm create', '--import', moved)} && {shlex.join(['rm', moved])}; "
        "if it was ever pushed, change its secrets"
    )


def _place(path: Path) -> Place:
    realm, environment = path.parent.name, path.name.removesuffix(DOCUMENT_SUFFIX)
    return Place(path.parent.parent, RealmName(realm), EnvironmentName(environment))
