"""Kustomizations among the manifests: which files they build upon, and what they change there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from arcan_gitops.kustomize_files import KUSTOMIZATIONS
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import Object

_GROUP: Final = "kustomize.config.k8s.io"
_USES: Final = ("resources", "bases", "components")
# What can give an object another namespace, or a store other conditions.
_COMPLETES: Final = (
    "namespace",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "vars",
    "transformers",
    "components",
)
# What can teach Kustomize to follow a name into a field of ESO's kinds.
_FOLLOWS_NAMES: Final = ("configurations", "crds", "transformers", "replacements", "components")


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization file, and the sources that it builds upon, directly or through others."""

    object: Object
    sources: frozenset[str]

    @property
    def renames(self) -> str:
        """`namePrefix` or `nameSuffix`, whichever it has; empty where it renames nothing."""
        given = (name for name in ("namePrefix", "nameSuffix") if self.object.root.text(name))
        return next(given, "")

    @property
    def follows_names(self) -> bool:
        """Whether it may make Kustomize change the names in references of ESO's kinds."""
        return any(name in self.object.root.fields() for name in _FOLLOWS_NAMES)

    def hashed_secrets(self) -> Iterator[str]:
        """The names of generated Secrets to which Kustomize appends a hash."""
        options = self.object.root.at("generatorOptions", "disableNameSuffixHash")
        for item in self.object.root.items("secretGenerator"):
            own = item.at("options", "disableNameSuffixHash") or options
            if own is None or own.scalar is not True:
                yield item.text("name") or ""


@dataclass(frozen=True, slots=True)
class Kustomizations:
    """All of a run, by folder."""

    all: tuple[Kustomization, ...]

    @classmethod
    def of(cls, objects: Iterable[Object]) -> Kustomizations:
        """Of all objects: what is no kustomization file is a source that one may use."""
        objects = tuple(objects)
        files = {_folder(obj.source): obj for obj in objects if _is_kustomization(obj)}
        known = {os.path.normpath(obj.source): obj.source for obj in objects}
        reached: dict[str, frozenset[str]] = {}
        return cls(
            tuple(
                Kustomization(obj, _sources(folder, files, known, reached, ()))
                for folder, obj in files.items()
            )
        )

    def using(self, *sources: str) -> Iterator[Kustomization]:
        """Those that build upon all of the sources."""
        return (one for one in self.all if one.sources.issuperset(sources))

    def complete(self, source: str) -> bool:
        """Whether a kustomization finishes what lies in a source, which is never applied as it is."""
        return any(any(name in one.object.root.fields() for name in _COMPLETES) for one in self.using(source))


def _is_kustomization(obj: Object) -> bool:
    named = PurePath(obj.source).name in KUSTOMIZATIONS
    return obj.group == _GROUP or (named and not obj.kind)


def _folder(source: str) -> str:
    return os.path.normpath(PurePath(source).parent)


def _sources(
    folder: str,
    files: Mapping[str, Object],
    known: Mapping[str, str],
    reached: dict[str, frozenset[str]],
    way: tuple[str, ...],
) -> frozenset[str]:
    if folder in reached or folder in way:
        return reached.get(folder, frozenset())
    found: set[str] = set()
    root: Node = files[folder].root
    for name in _USES:
        for entry in root.texts(name):
            path = os.path.normpath(PurePath(folder, entry))
            if path in files:
                found |= _sources(path, files, known, reached, (*way, folder))
            elif path in known:
                found.add(known[path])
    reached[folder] = frozenset(found)
    return reached[folder]
