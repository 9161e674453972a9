"""Generating commands say which Kubernetes Secrets will go, and refuse what would go without a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.committed import Place, generated_at, generated_before
from arcan_gitops.cli.output import say, warn
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.overlay import Declared, Settings, Tree, read_declared
from arcan_gitops.overlay.project import NoApps
from arcan_gitops.overlay.removal import Day
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.overlay.unsaid import Before
from arcan_gitops.overlay.vanishing import find_future, find_vanishing

_MOST: Final = 50

base_option = click.option(
    "--base",
    metavar="REF",
    help="A commit of Git: what it has, and this would take away, must be said to go.  [default: HEAD]",
)


def declared_apps(kustomize_dir: Path, base: str | None) -> Declared:
    """As `read_declared`; where no app is declared any more, that is for `refuse_vanishing` to say."""
    try:
        return read_declared(kustomize_dir)
    except NoApps:
        if not _before(Place(kustomize_dir), base).files:
            raise
        return Declared(())


def _before(place: Place, base: str | None) -> Before:
    return generated_before(place) if base is None else generated_at(place, base)


def refuse_vanishing(
    place: Place,
    base: str | None,
    tree: Tree,
    declared: Declared,
    settings: Settings,
    overlays: Sequence[Overlay],
    apps: Path,
) -> None:
    """Say what goes as it was said. Raises `SeveralErrors` with everything that goes otherwise.

    `apps` is the folder of the apps' files, for hints.
    """
    before, today = _before(place, base), Day.today()
    for warning in find_future(declared, settings, today):
        warn(warning)
    found = find_vanishing(before, tree, declared, settings, overlays, apps, today)
    if found.problems:
        raise SeveralErrors("these would go, and nothing says so:", found.problems)
    for going in found.going[:_MOST]:
        say(str(going))
    if len(found.going) > _MOST:
        say(f"... and {len(found.going) - _MOST} more")
