"""What lies where the document of a realm is wanted and is none: told as what it is, with the way that works.

Flux and the sops-secrets-operator keep Secrets as manifests that sops has encrypted in part.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.conflicts import unfinished_merge
from arcan_gitops.realms.layout import DOCUMENT_SUFFIX, DocumentFile
from arcan_gitops.realms.place import Place
from arcan_gitops.sops import NotEncrypted, SopsError
from arcan_gitops.sops.errors import NEEDS_BINARY
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS

KINDS: Final = ("Secret", "SopsSecret")


def explained(error: ArcanError, data: bytes, file: DocumentFile) -> ArcanError:
    """What is wrong with a document: `error`, which then names its path; or that the file is an encrypted
    Kubernetes Secret, or in clear, and the command that makes a document of it; or that a merge is not
    finished in it.
    """
    if (unfinished := unfinished_merge(data, file)) is not None:
        return unfinished
    kind = _kind(data)
    if kind is None and isinstance(error, NotEncrypted):
        error.hint = _how_to_encrypt(file)
    if error.hint == NEEDS_BINARY:
        error.hint = NEEDS_BINARY.replace("FILE", shlex.quote(str(file.path)))
    return error.located(file.path) if kind is None else _is_manifest(kind, file)


def manifest_problem(keys: Collection[str], data: bytes, file: DocumentFile) -> ArcanError | None:
    """That a document is an encrypted manifest, by the names of its keys: `kind` may be encrypted too."""
    if {"apiVersion", "kind"} <= set(keys) and not {"data", "stringData", "spec"}.isdisjoint(keys):
        return _is_manifest(_kind(data) or "manifest", file)
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


def _is_manifest(kind: str, file: DocumentFile) -> ArcanError:
    place = _place(file)
    moved = f"{place.realm}-{place.environment}.secret{DOCUMENT_SUFFIX}"
    return ArcanError(
        f"{file.path}: is an encrypted Kubernetes {kind}, and no document of a realm, whose keys are the "
        "secrets themselves",
        hint=f"{shlex.join(['mv', '-n', str(file.path), moved])} && {place.command('import sops', moved)}",
    )


def _how_to_encrypt(file: DocumentFile) -> str:
    place = _place(file)
    if file.key is not None:
        return (
            f"encrypt the value anew: {shlex.join(['rm', str(file.path)])} && "
            f"{place.command('secret set', file.key)}; if it was ever pushed, change it"
        )
    moved = f"{place.realm}-{place.environment}.clear.yaml"
    create = place.command("realm create", "--layout", "document", "--import", moved)
    return (
        f"encrypt it: {shlex.join(['mv', '-n', str(file.path), moved])} && "
        f"{create} && {shlex.join(['rm', moved])}; "
        "if it was ever pushed, change its secrets"
    )


def _place(file: DocumentFile) -> Place:
    realm = file.path.parent if file.key is None else file.path.parent.parent
    return Place(realm.parent, file.realm, file.environment)
