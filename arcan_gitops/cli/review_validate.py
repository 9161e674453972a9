"""What `arcan validate` says of single manifests, where no overlay is built: a review runs no program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final

from arcan_gitops.cli.root import KUSTOMIZE
from arcan_gitops.errors import ArcanError
from arcan_gitops.kustomize_files import KUSTOMIZATIONS
from arcan_gitops.overlay import Settings, read_settings
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.results import Result, Status
from arcan_gitops.validate.schemaset import NoSchemasOfVersion, SchemaSet, eso_version_for, eso_versions
from arcan_gitops.yamlio import InvalidFile, read_objects

_MANIFESTS: Final = (".yaml", ".yml", ".json")


def resources_of(root: Path, differing: Iterable[str]) -> dict[str, bytes]:
    """Those of the files below `kustomize/` that a kustomization lists as resources, with their content.

    Others are patches, values, or nothing that is deployed.
    """
    wanted = {
        path
        for path in differing
        if path.startswith(f"{KUSTOMIZE}/")
        and path.endswith(_MANIFESTS)
        and PurePosixPath(path).name not in KUSTOMIZATIONS
        and (root / path).is_file()
    }
    names = {PurePosixPath(path).name.encode() for path in wanted}
    found: dict[str, bytes] = {}
    for kustomization in _kustomizations(root / KUSTOMIZE) if wanted else ():
        data = kustomization.read_bytes()
        if not any(name in data for name in names):
            continue
        folder = kustomization.parent.relative_to(root)
        for entry in _resources(data, str(kustomization)):
            path = _normal(PurePosixPath(folder.as_posix(), entry))
            if path in wanted:
                found[path] = (root / path).read_bytes()
    return found


def _kustomizations(folder: Path) -> Iterator[Path]:
    for name in KUSTOMIZATIONS:
        yield from sorted(path for path in folder.rglob(name) if path.is_file())


def _resources(data: bytes, source: str) -> Iterator[str]:
    try:
        documents = read_objects(data, source)
    except InvalidFile:
        return
    for document in documents:
        entries: Any = document.get("resources") if isinstance(document, dict) else None
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, str))


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def judged(root: Path, texts: Mapping[str, bytes]) -> list[Result]:
    """What is wrong with manifests, by the schemas of their overlay's ESO: nothing valid is in it."""
    if not texts:
        return []
    further = root / KUSTOMIZE / "schemas"
    sets = _Sets(_settings(root), further if further.is_dir() else None)
    engine = Embedded()
    return [
        result
        for path, data in sorted(texts.items())
        for result in judge(read_manifests(data, path), engine, sets.of(path))
        if result.status is not Status.VALID
    ]


def _settings(root: Path) -> Settings | None:
    try:
        return read_settings(root / KUSTOMIZE)
    except ArcanError:
        return None


class _Sets:
    """The schemas for each file; each set is read once."""

    def __init__(self, settings: Settings | None, further: Path | None) -> None:
        self._further = further
        self._sets: dict[str, SchemaSet] = {}
        self._defaults = None if settings is None else settings.defaults.eso_version
        declared = () if settings is None else settings.declared
        self._own = {str(overlay.name): overlay.settings.eso_version for overlay in declared}

    def of(self, path: str) -> SchemaSet:
        parts = path.split("/")
        overlay = parts[2] if len(parts) > 3 and parts[1] == "overlays" else ""
        wanted = self._own.get(overlay, self._defaults)
        name = eso_versions(self._further)[-1]
        if wanted is not None:
            with suppress(NoSchemasOfVersion):
                name = eso_version_for(wanted, self._further)
        if name not in self._sets:
            self._sets[name] = SchemaSet(name, self._further)
        return self._sets[name]
