"""Which folders of this repository the Applications of Argo CD in it deploy.

Source: Argo CD, Application and ApplicationSet (argoproj.io/v1alpha1): `spec.source`, `spec.sources`,
`directory.recurse`, and the directories of a Git generator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, TypeGuard

from arcan_gitops.kustomize_files import KUSTOMIZATIONS
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.state import State
from arcan_gitops.review.written import Written, mapping

ARGOCD: Final = "argoproj.io"
_LONGEST: Final = 4096  # characters of a path
_EXPRESSION: Final = re.compile(r"\{\{.*?\}\}")
_FOLDERS: Final = re.compile(r"\{\{-?\s*\.?path(?:\.path)?\s*-?\}\}")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that an Application deploys: `pattern` matches its path, none of `without` does, and `by` is
    what deploys it.
    """

    pattern: str
    deep: bool
    by: str
    without: tuple[str, ...] = ()

    def holds(self, path: str, state: State) -> str | None:
        """The folder of it that a file is deployed with, or None. Without a kustomization, and where it is
        not said to be deep, only the files right in it are.
        """
        parts, wanted = path.split("/"), _parts(self.pattern)
        above = parts[: len(wanted)]
        if len(parts) <= len(wanted) or not _matches(above, wanted):
            return None
        if any(_matches(above, _parts(pattern)) for pattern in self.without):
            return None
        folder = "/".join(above)
        top = f"{folder}/" if folder else ""
        is_built = any(f"{top}{name}" in state.tree.files for name in KUSTOMIZATIONS)
        if "/" in path.removeprefix(top) and not self.deep and not is_built:
            return None
        return folder or "."


def _parts(pattern: str) -> list[str]:
    return [part for part in pattern.split("/") if part not in ("", ".")]


def _matches(parts: list[str], wanted: list[str]) -> bool:
    return len(parts) == len(wanted) and all(map(_fits, parts, wanted))


def _fits(name: str, pattern: str) -> bool:
    """`*` stands for any part of a name, and nothing else for anything but itself."""
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))


def folders(state: State, objects: Objects, found: tuple[Written, ...]) -> tuple[Folder, ...]:
    """Of all Applications that people wrote, and whose source is this repository."""
    ours = _repositories(state, objects)
    return tuple(
        folder
        for one in found
        if one.group == ARGOCD and one.kind in ("Application", "ApplicationSet")
        for folder in _of(one, ours)
    )


def _of(one: Written, ours: frozenset[str]) -> Iterator[Folder]:
    spec = mapping(one.body.get("spec"))
    generated: list[tuple[str, tuple[str, ...]]] = []
    if one.kind == "ApplicationSet":
        generated = list(_directories(spec.get("generators"), ours))
        spec = mapping(mapping(spec.get("template")).get("spec"))
    many = spec.get("sources")
    for source in [spec.get("source"), *(many if isinstance(many, list) else ())]:
        fields = mapping(source)
        path, url = fields.get("path"), str(fields.get("repoURL", ""))
        if not _is_path(path) or not ("{{" in url or _is_ours(url, ours)):
            continue
        deep = mapping(fields.get("directory")).get("recurse") is True
        if _FOLDERS.fullmatch(path.strip()):
            yield from (Folder(pattern, deep, str(one), without) for pattern, without in generated)
        else:
            yield Folder(_EXPRESSION.sub("*", path).strip("/"), deep, str(one))


def _directories(generators: Any, ours: frozenset[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The folders of Git generators, however deep in matrices and merges; with each, which are excluded."""
    for generator in generators if isinstance(generators, list) else ():
        for name, fields in mapping(generator).items():
            yield from _directories(mapping(fields).get("generators"), ours)
            if name != "git" or not _is_ours(str(mapping(fields).get("repoURL", "")), ours):
                continue
            entries = mapping(fields).get("directories")
            listed = [
                (path.replace("**", "*"), entry.get("exclude") is True)
                for entry in map(mapping, entries if isinstance(entries, list) else ())
                if _is_path(path := entry.get("path"))
            ]
            without = tuple(path for path, is_excluded in listed if is_excluded)
            yield from ((path, without) for path, is_excluded in listed if not is_excluded)


def _is_path(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= _LONGEST


def _repositories(state: State, objects: Objects) -> frozenset[str]:
    argocd = state.settings.argocd
    named = [str(argocd.repository)] if argocd is not None else []
    origin = objects.git.origin()
    return frozenset(map(_plain, [*named, *([origin] if origin is not None else [])]))


def _is_ours(url: str, ours: frozenset[str]) -> bool:
    """Where nothing says what this repository is called, any URL may be its."""
    return not ours or _plain(url) in ours


def _plain(url: str) -> str:
    """`host/path` of `https://host/path.git`, `ssh://git@host/path` and `git@host:path`."""
    text = re.sub(r"^[a-z+]+://", "", url.strip().lower())
    text = text.partition("@")[2] or text
    return text.replace(":", "/", 1).removesuffix("/").removesuffix(".git")
