"""A person's own CRDs -> schemas in their own folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.validate.constraints import KIND, constraint_crd
from arcan_gitops.validate.derive import CannotDerive, Derived, derive_crd, derive_openapi
from arcan_gitops.validate.schemaset import ADD_ESO, ESO, KEPT, eso_versions, is_esos, object_meta
from arcan_gitops.yamlio import read_objects

# What a version of ESO has at least; with some of its kinds only, the others would be refused.
_WHOLE: Final = ("ClusterExternalSecret", "ClusterSecretStore", "ExternalSecret", "SecretStore")


@dataclass(frozen=True, slots=True)
class Added:
    """The files written, and the kinds left out, since schemas of them are kept by version already."""

    written: tuple[Path, ...]
    left_out: tuple[str, ...]


def add_schemas(
    files: Iterable[tuple[str, bytes]], folder: Path, eso_version: EsoVersion | None = None
) -> Added:
    """Write a schema for every served version of every CustomResourceDefinition in (name, bytes) files.

    A file may hold many, as documents, as a List, or as the OpenAPI definitions of a cluster. A Gatekeeper
    ConstraintTemplate stands for the definition of its constraints. The kinds of ESO belong to a version of
    ESO and need `eso_version`; all others that come with the package are left out. Nothing is written unless
    every file gives at least one schema.

    Raises `InvalidFile`, `CannotDerive`, `CannotWrite`, and `ArcanError` where nothing is left to add or a
    version of ESO is not whole.
    """
    derived = [schema for name, data in files for schema in _derive(name, data)]
    if eso_version is not None:
        _check_whole(derived, eso_version)
    target = folder / ESO / f"v{eso_version}" if eso_version is not None else None
    chosen: dict[Path, Derived] = {}
    left_out: set[str] = set()
    for schema in derived:
        if is_esos(schema.group) and target is not None:
            chosen[target / schema.path] = schema
        elif is_esos(schema.group) or any(KEPT.glob(f"*/*/{schema.path}")):
            left_out.add(f"{schema.group}/{schema.version} {schema.kind}".lstrip("/"))
        else:
            chosen[folder / schema.path] = schema
    if not chosen:
        raise ArcanError(
            f"the package has these schemas already, by version: {', '.join(sorted(left_out)[:3])}",
            hint=f"for a newer ESO: {ADD_ESO.format(version='VERSION')}",
        )
    for path, schema in chosen.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{path.parent}: cannot be made: {error.strerror}") from None
        replace_file(path, schema.text())
    return Added(tuple(chosen), tuple(sorted(left_out)))


def _check_whole(derived: Iterable[Derived], version: EsoVersion) -> None:
    if f"v{version}" in eso_versions():
        raise ArcanError(
            f"the schemas of ESO {version} come with the package",
            hint=f"use them: arcan validate --eso-version {version}",
        )
    kinds = {schema.kind for schema in derived if is_esos(schema.group)}
    if missing := sorted(set(_WHOLE) - kinds):
        raise ArcanError(
            f"these are not all kinds of ESO {version}: {', '.join(missing)} is missing",
            hint="give all of its CRDs at once: deploy/crds/bundle.yaml of its repository, or "
            + ADD_ESO.format(version=version),
        )


def _derive(name: str, data: bytes) -> list[Derived]:
    found: list[Derived] = []
    for document in _objects(read_objects(data, name)):
        try:
            if document.get("swagger") and isinstance(document.get("definitions"), dict):
                found += derive_openapi(document)
            elif document.get("kind") in ("CustomResourceDefinition", KIND):
                crd = constraint_crd(document) if document["kind"] == KIND else document
                found += derive_crd(crd, object_meta())
        except CannotDerive as error:
            raise CannotDerive(f"{name}: {error.message}", hint=error.hint) from None
    if not found:
        raise ArcanError(
            f"{name}: has no CustomResourceDefinition with a served version",
            hint="kubectl get crds -o yaml prints those of a cluster",
        )
    return found


def _objects(documents: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    """The mappings among them, and those in the items of a List."""
    for document in documents:
        if isinstance(document, dict):
            items = document.get("items")
            yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
            yield document
