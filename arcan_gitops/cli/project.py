"""What commands about overlays read first: the settings, and which overlays they are about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.cli.output import warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.deploy import ServerSettings, read_servers
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName, OverlayName, did_you_mean
from arcan_gitops.overlay import App, Catalogue, Settings
from arcan_gitops.overlay.app import Realm
from arcan_gitops.overlay.settings import SETTINGS_FILE, Overlay
from arcan_gitops.realms.tree import read_file


def _context(text: str) -> str:
    """One line, though kubectl takes any text: a line break would break out of what is printed."""
    if not text.isprintable() or not text:
        raise InvalidName(
            f"{text[:80]!r} is not the name of a context", hint="they are in: kubectl config get-contexts"
        )
    return text


OVERLAY = Parsed("overlay", OverlayName.parse)
context_option = click.option(
    "--context",
    metavar="NAME",
    type=Parsed("context", _context),
    help="The context of kubectl's configuration.  [default: the current one]",
)


def catalogue_for(realms: Path, kustomize_dir: Path, apps: Sequence[App], settings: Settings) -> Catalogue:
    """What the declared apps and servers need of the realms: nothing where all apps read other stores.

    Then a folder that is not there, or a realm that cannot be read, is no error, unless the overlays are the
    environments of the realms. Raises as `load_catalogue` does, and `ArcanError` where there is no overlay.
    """
    needed = any(isinstance(app.reads, Realm) for app in apps) or servers_of(kustomize_dir, settings.declared)
    try:
        return load_catalogue(realms)
    except ArcanError as error:
        if needed or (realms.exists() and not settings.lists_overlays):
            raise
        if not settings.lists_overlays:
            raise _no_overlay(settings) from None
        if realms.exists():
            warn(f"no declared app reads a realm, and what is wrong here changes nothing: {error.message}")
        return Catalogue({})


def overlays_of(settings: Settings, realms: Path) -> tuple[Overlay, ...]:
    """The declared overlays; only where none is declared, the realms are read for their environments.

    Raises as `load_catalogue` does, and `ArcanError` where there is no overlay.
    """
    if not settings.lists_overlays and not realms.exists():
        raise _no_overlay(settings)
    return settings.overlays(() if settings.lists_overlays else load_catalogue(realms).environments())


def _no_overlay(settings: Settings) -> ArcanError:
    return ArcanError(
        f"there is no overlay: {settings.source} declares none, and there is no realm whose environments "
        "would be overlays",
        hint="arcan overlay add prod --env prod",
    )


def servers_of(kustomize_dir: Path, overlays: Sequence[Overlay]) -> tuple[ServerSettings, ...]:
    """The servers that arcan.yaml declares for those overlays; none where there is no such file."""
    path = kustomize_dir / SETTINGS_FILE
    return read_servers(read_file(path), str(path), overlays) if path.exists() else ()


def servers_that_go(kustomize_dir: Path, settings: Settings) -> frozenset[OverlayName]:
    """The removed overlays that had a server: their platform has to be pruned."""
    return frozenset(server.overlay.name for server in servers_of(kustomize_dir, settings.removed))


def find_overlay(overlays: Sequence[Overlay], name: OverlayName | None) -> Overlay:
    """The overlay of that name, or the only one. Raises `ArcanError`."""
    known = [overlay.name for overlay in overlays]
    if name is None and len(overlays) == 1:
        return overlays[0]
    if name is None:
        raise ArcanError("which overlay? there are several", hint=f"name one of them: {', '.join(known)}")
    if name not in known:
        raise ArcanError(f"there is no overlay '{name}'", hint=did_you_mean(name, known))
    return overlays[known.index(name)]
