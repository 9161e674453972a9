"""What was generated before: as it is committed, or as it lies there where nothing is committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.errors import ArcanError
from arcan_gitops.git import Git
from arcan_gitops.names import InvalidName, OverlayName
from arcan_gitops.overlay.argocd.settings import Repository
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.overlay.settings import SETTINGS_FILE, Settings
from arcan_gitops.overlay.tree import COMMAND, compare, is_generated_text
from arcan_gitops.overlay.unsaid import Before

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command generates: overlays in the folder `overlays` (`overlays/`, or "") of `folder`."""

    folder: Path
    overlays: str = "overlays/"
    command: str = COMMAND


def generated_at(place: Place, base: str) -> Before:
    """What was generated where the branch of now left the one of `base`. Raises as `Git` does."""
    git = Git.of(place.folder, for_other_programs())
    return _at(git, git.merge_base(git.commit(base), git.commit("HEAD")), place)


def generated_before(place: Place) -> Before:
    """What is committed; the files that are there where nothing is, or where there is no Git."""
    try:
        git = Git.of(place.folder, for_other_programs())
        before = _at(git, git.commit("HEAD"), place)
    except ArcanError:
        before = Before({})
    if before.files:
        return before
    present = compare(place.folder / place.overlays, {}, command=place.command).present
    return Before(present, _clusters(_listed(place.folder)))


def _at(git: Git, commit: str, place: Place) -> Before:
    files = git.read(commit, [place.overlays, _CLUSTERS, SETTINGS_FILE])
    overlays = {
        path.removeprefix(place.overlays): data.decode("utf-8", "replace")
        for path, data in files.items()
        if path.startswith(place.overlays)
    }
    generated = {path: text for path, text in overlays.items() if is_generated_text(text, place.command)}
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
