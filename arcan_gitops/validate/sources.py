"""What lies under a path: overlays for Kustomize to build, or plain manifests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.kustomize import BuildFailed, Kustomize
from arcan_gitops.validate.manifests import Manifest, read_manifests
from arcan_gitops.validate.results import Result, Status
from arcan_gitops.yamlio import InvalidFile, read_objects

_KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SETTINGS: Final = "arcan.yaml"  # what overlays are generated from
_MANIFESTS: Final = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Overlay:
    """A directory that Kustomize builds."""

    directory: Path


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A file of manifests."""

    path: Path


@dataclass(frozen=True, slots=True)
class StandardInput:
    """Manifests piped in."""

    stream: BinaryIO


Source = Overlay | PlainFile | StandardInput


def discover(path: Path) -> tuple[Source, ...]:
    """What there is to validate under a path, sorted.

    A file is itself (a kustomization file is its directory). A directory stands for every kustomization in
    it that no other one in it uses, except components; without any kustomization, for its YAML and JSON
    files. Hidden directories are left out. Raises `ArcanError` for a path that does not exist.
    """
    if path.is_file():
        return (Overlay(path.parent) if path.name in _KUSTOMIZATIONS else PlainFile(path),)
    if not path.is_dir():
        raise ArcanError(
            f"{path}: no such file or directory",
            hint="give a directory with overlays or manifests, a file, or - for standard input",
        )
    files = sorted(_files(path))
    kustomizations = {file.parent: file for file in files if file.name in _KUSTOMIZATIONS}
    if not kustomizations and (path / _SETTINGS).is_file():
        return ()  # overlays that nobody has generated yet; what lies here are no manifests
    if not kustomizations:
        return tuple(PlainFile(file) for file in files if file.suffix in _MANIFESTS)
    used = {base for file in kustomizations.values() for base in _used(file)}
    whole = [directory for directory, file in kustomizations.items() if not _is_component(file)]
    roots = [directory for directory in whole if directory.resolve() not in used]
    return tuple(Overlay(directory) for directory in sorted(roots or whole))  # all: a cycle


def _files(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _is_component(kustomization: Path) -> bool:
    try:
        documents = read_objects(kustomization.read_bytes(), str(kustomization))
    except (OSError, InvalidFile):
        return False
    return any(isinstance(document, dict) and document.get("kind") == "Component" for document in documents)


def _used(kustomization: Path) -> Iterator[Path]:
    """The directories that a kustomization builds upon; none where it is unreadable (Kustomize will say)."""
    try:
        documents = read_objects(kustomization.read_bytes(), str(kustomization))
    except (OSError, InvalidFile):
        return
    for document in documents:
        for field in ("resources", "bases", "components"):
            entries = document.get(field) if isinstance(document, dict) else None
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, str) and (directory := kustomization.parent / entry).is_dir():
                    yield directory.resolve()


def builder_of(sources: tuple[Source, ...]) -> Kustomize | None:
    """What builds the overlays among them; None where there is none.

    Raises `KustomizeMissing` where there is an overlay and nothing to build it with.
    """
    return Kustomize.find() if any(isinstance(source, Overlay) for source in sources) else None


def read(sources: tuple[Source, ...], kustomize: Kustomize | None) -> list[Manifest | Result]:
    """The manifests of all sources in order, and a result for each source that cannot be read."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [
            item for items in pool.map(lambda source: _read(source, kustomize), sources) for item in items
        ]


def _read(source: Source, kustomize: Kustomize | None) -> list[Manifest | Result]:
    match source:
        case StandardInput(stream):
            return read_manifests(stream.read(), "-")
        case PlainFile(path):
            try:
                return read_manifests(path.read_bytes(), str(path))
            except OSError as error:
                return [Result(str(path), "", "", "", Status.ERROR, f"cannot be read: {error.strerror}")]
        case Overlay(directory):
            name = str(directory)
            if kustomize is None:
                raise AssertionError("an overlay is only read with kustomize at hand")
            try:
                items = read_manifests(kustomize.build(directory), name)
            except BuildFailed as error:
                return [Result(name, "", "", "", Status.ERROR, error.message)]
            return items or [Result(name, "", "", "", Status.ERROR, "builds to nothing")]
