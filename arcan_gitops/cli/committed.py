"""What was generated before: as it is committed, or as it lies there where nothing is committed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.errors import ArcanError
from arcan_gitops.git import Git
from arcan_gitops.names import InvalidName, OverlayName
from arcan_gitops.overlay.argocd.settings import Repository
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.overlay.settings import SETTINGS_FILE, Settings
from arcan_gitops.overlay.tree import Tree, is_generated_text
from arcan_gitops.overlay.unsaid import Before

_OVERLAYS: Final = "overlays/"
_CLUSTERS: Final = "argocd/clusters/"


def repository_of(folder: Path) -> Repository | None:
    """Where the folder's repository is, as Git knows it; None where it does not, or where the URL is one that
    Argo CD may not have, such as one with a password in it.
    """
    try:
        url = Git.of(folder, for_other_programs()).origin()
        return None if url is None else Repository.parse(url)
    except ArcanError:
        return None


def generated_at(kustomize_dir: Path, base: str) -> Before:
    """What was generated where the branch of now left the one of `base`. Raises as `Git` does."""
    git = Git.of(kustomize_dir, for_other_programs())
    return _at(git, git.merge_base(git.commit(base), git.commit("HEAD")))


def generated_before(kustomize_dir: Path, present: Tree) -> Before:
    """What is committed; the files that are there, `present`, where nothing is, or where there is no Git."""
    try:
        git = Git.of(kustomize_dir, for_other_programs())
        before = _at(git, git.commit("HEAD"))
    except ArcanError:
        return Before(present, _clusters(_listed(kustomize_dir)))
    return before if before.files else Before(present, _clusters(_listed(kustomize_dir)))


def _at(git: Git, commit: str) -> Before:
    files = git.read(commit, [_OVERLAYS, _CLUSTERS, SETTINGS_FILE])
    overlays = {
        path.removeprefix(_OVERLAYS): data.decode("utf-8", "replace")
        for path, data in files.items()
        if path.startswith(_OVERLAYS)
    }
    generated = {path: text for path, text in overlays.items() if is_generated_text(text)}
    return Before(generated, _clusters(files), _environments(files.get(SETTINGS_FILE, b"")))


def _listed(kustomize_dir: Path) -> dict[str, bytes]:
    return {path.relative_to(kustomize_dir).as_posix(): b"" for path in kustomize_dir.glob(f"{_CLUSTERS}*/*")}


def _clusters(files: Mapping[str, bytes]) -> dict[OverlayName, str]:
    """`argocd/clusters/<cluster>/<overlay>.yaml`; other files there have names that no overlay has."""
    found: dict[OverlayName, str] = {}
    for path in map(PurePosixPath, files):
        if path.as_posix().startswith(_CLUSTERS) and len(path.parts) == 4 and path.suffix == ".yaml":
            try:
                found[OverlayName.parse(path.stem)] = path.parts[2]
            except InvalidName:
                continue
    return found


def _environments(data: bytes) -> dict[OverlayName, str]:
    """Those of the overlays in an arcan.yaml of then; none where it cannot be read today."""
    try:
        settings = Settings.parse(data, SETTINGS_FILE, lambda _: EmbeddedCa(b""))
    except ArcanError:
        return {}
    return {overlay.name: str(overlay.environment) for overlay in (*settings.declared, *settings.removed)}
