"""What the declared apps say of a token: the Secrets that hold it, and what they read with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arcan_gitops.cli.output import warn
from arcan_gitops.cli.project import find_overlay
from arcan_gitops.cli.token_files import environments_of
from arcan_gitops.cli.token_output import Asked
from arcan_gitops.overlay import App, Settings, read_apps, read_settings
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import TokenPlace, place_without_app, token_places
from arcan_gitops.overlay.project import NoApps
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.realms.tree import RealmTree


@dataclass(frozen=True, slots=True)
class Declared:
    """The settings, the apps and the overlays of a repository; no apps where none is declared."""

    settings: Settings
    apps: Sequence[App]
    overlays: Sequence[Overlay]

    @classmethod
    def read(cls, kustomize_dir: Path, tree: RealmTree) -> Declared:
        """Raises what reading arcan.yaml and the apps raises."""
        settings = read_settings(kustomize_dir)
        try:
            apps = read_apps(kustomize_dir)
        except NoApps:
            apps = ()
        environments = () if settings.lists_overlays else environments_of(tree)
        return cls(settings, apps, settings.overlays(environments))


def secret_places(asked: Asked, tree: RealmTree, credential: Credential) -> tuple[TokenPlace, ...]:
    """The Secrets that are asked for; empty for the token alone."""
    if not asked.as_secret:
        return ()
    declared = Declared.read(asked.kustomize_dir, tree)
    overlays, settings = declared.overlays, declared.settings.defaults
    if asked.overlay is not None:
        overlays = [find_overlay(overlays, asked.overlay)]
        settings = overlays[0].settings
    known = token_places(declared.apps, overlays, credential)
    chosen = [place for place in known if asked.namespace in (None, place.namespace)]
    if not chosen:
        if known:
            elsewhere = ", ".join(f"{place.namespace}/{place.secret}" for place in known)
            warn(
                f"no store reads token '{credential.token}' in namespace {asked.namespace}, but: {elsewhere}"
            )
        chosen = [place_without_app(settings, credential, asked.namespace, asked.secret_name)]
    if asked.secret_name is None:
        return tuple(chosen)
    renamed: dict[TokenPlace, TokenPlace] = {}
    for place in chosen:
        new = replace(place, secret=asked.secret_name, overlays=())
        renamed[new] = replace(new, overlays=(*renamed.get(new, new).overlays, *place.overlays))
    return tuple(renamed.values())
