"""A person's own CRDs -> schemas in their own folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.constraints import KIND, constraint_crd
from arcan_gitops.validate.derive import CannotDerive, Derived, derive_crd
from arcan_gitops.validate.schemaset import KEPT, object_meta
from arcan_gitops.yamlio import read_documents


def add_schemas(files: Iterable[tuple[str, bytes]], folder: Path) -> tuple[Path, ...]:
    """Write a schema for every served version of every CustomResourceDefinition in (name, bytes) files.

    A Gatekeeper ConstraintTemplate stands for the definition of its constraints. Nothing is written unless
    every file gives at least one. Returns the files written.
    Raises `InvalidFile`, `CannotDerive`, `CannotWrite`, and `ArcanError` for a kind that comes with the
    package: a second schema of it would make the versions mean nothing.
    """
    derived = [schema for name, data in files for schema in _derive(name, data)]
    for schema in derived:
        if any(KEPT.glob(f"*/*/{schema.path}")):
            raise ArcanError(
                f"{schema.path}: the package has this schema already, by version",
                hint="choose the version with 'arcan validate --eso-version'; add kinds that it lacks",
            )
    paths = []
    for schema in derived:
        path = folder / schema.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{path.parent}: cannot be made: {error.strerror}") from None
        replace_file(path, schema.text())
        paths.append(path)
    return tuple(paths)


def _derive(name: str, data: bytes) -> list[Derived]:
    found = []
    for document in read_documents(data, name):
        if isinstance(document, dict) and document.get("kind") in ("CustomResourceDefinition", KIND):
            try:
                crd = constraint_crd(document) if document["kind"] == KIND else document
                found += list(derive_crd(crd, object_meta()))
            except CannotDerive as error:
                raise CannotDerive(f"{name}: {error.message}", hint=error.hint) from None
    if not found:
        raise ArcanError(
            f"{name}: has no CustomResourceDefinition with a served version",
            hint="kubectl get crd NAME -o yaml prints one",
        )
    return found
