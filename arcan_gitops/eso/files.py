"""Manifests on disk: files, folders of them, and streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.kustomize_files import KUSTOMIZATIONS
from arcan_gitops.yamlio import read_objects

# Kustomize's own files; they are not objects of a cluster.
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


def manifest_files(path: Path) -> tuple[Path, ...]:
    """The file itself, or every manifest file below a folder, sorted; dot files and Kustomize's left out.

    Raises `ArcanError` for a path that is not there and for a folder without any.
    """
    if not path.exists():
        raise ArcanError(f"{path}: no such file or folder")
    if not path.is_dir():
        return (path,)
    found = tuple(
        file
        for file in sorted(path.rglob("*"))
        if file.suffix in _SUFFIXES
        and file.name not in KUSTOMIZATIONS
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.is_file()
    )
    if not found:
        raise ArcanError(f"{path}: no manifests here", hint="a manifest ends in .yaml, .yml or .json")
    return found


def read_manifests(sources: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Any]]:
    """The documents of each (name, bytes), each with its name. Raises `ArcanError`."""
    for name, data in sources:
        for document in read_objects(data, name):
            if not isinstance(document, dict):
                raise ArcanError(f"{name}: not a Kubernetes manifest: must be a mapping")
            yield name, document


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises `ArcanError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArcanError(f"{path}: cannot be read: {error.strerror}") from None
