"""`arcan generate argocd`: the Applications that deploy the overlays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.eso_known import warn_of_unknown
from arcan_gitops.cli.generate_server import plan_servers
from arcan_gitops.cli.generated import Generated, check_option, check_or_write
from arcan_gitops.cli.options import kustomize_option, realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.project import catalogue_for, servers_that_go
from arcan_gitops.cli.root import CLUSTERS, at_root
from arcan_gitops.deploy.names import SERVER_NAMESPACE
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay import Comparison, Declared, Settings, read_declared, read_settings
from arcan_gitops.overlay.argocd.build import build_argocd
from arcan_gitops.overlay.argocd.leftovers import file_commands, folder_commands
from arcan_gitops.overlay.argocd.targets import targets
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.overlay.tombstones import leavings, tombstones

_ARGOCD: Final = "argocd"


def plan_argocd(
    kustomize_dir: Path,
    settings: Settings,
    declared: Declared,
    overlays: Sequence[Overlay],
    servers: Collection[OverlayName],
) -> Generated:
    """The tree of argocd/; empty without a section `argocd`, for what was generated there has to go then.

    `overlays` are those that are not removed; `servers` are of all of them.
    """
    argocd = settings.argocd
    empty = tombstones(declared.apps, declared.departures, settings, overlays, servers)
    places = (*overlays, *settings.removed)
    gone = leavings(declared.apps, declared.departures, settings, overlays)
    left = {leaving.overlay.name for leaving in gone}
    found = tuple(targets(declared.apps, places, servers, SERVER_NAMESPACE, empty, left))
    tree = {} if argocd is None else build_argocd(argocd, found)
    return Generated(kustomize_dir / _ARGOCD, tree)


def print_leftovers(settings: Settings, compared: Sequence[Comparison]) -> None:
    """What stays in Argo CD when generated files are gone, as the commands that remove it."""
    if settings.argocd is None:
        return
    commands: list[str] = []
    for part in compared:
        if part.root.name == _ARGOCD:
            commands += file_commands(settings.argocd, part.present, part.tree)
        elif part.root.name == "overlays":
            commands += folder_commands(settings.argocd, part.present, part.tree)
    if commands:
        say("these stay in Argo CD until somebody removes them, and take no Secret along:")
        for command in commands:
            click.echo(command)


@click.command()
@check_option
@realms_option
@kustomize_option
@click.pass_context
def argocd(ctx: click.Context, check: bool, realms: Path, kustomize_dir: Path) -> None:
    """Write the Argo CD Applications that deploy the overlays.

    Part of `arcan generate overlays`, where arcan.yaml has a section `argocd`. Writes argocd/ in the folder
    of arcan.yaml: clusters/<cluster>/ is an app of apps (its projects, ESO's Helm chart, then an
    ApplicationSet for each overlay that goes there, which makes an Application for each namespace), root.yaml
    the ApplicationSet over the clusters, health.yaml a health check by which an app of apps shows which
    Application fails. Apply the last two once, by hand; no new app, namespace or cluster changes them:

    \b
        kubectl apply --server-side -k kustomize/argocd
        kubectl apply --server-side -f kustomize/argocd/health.yaml
    """
    settings, declared = read_settings(kustomize_dir), read_declared(kustomize_dir)
    if settings.argocd is None:
        raise ArcanError(
            f"{settings.source}: has no section 'argocd'",
            hint="say where this repository is: argocd: {repository: https://git.example.com/team/secrets.git}",
        )
    overlays = settings.overlays(catalogue_for(realms, kustomize_dir, declared.apps, settings).environments())
    warn_of_unknown(overlays)
    servers = plan_servers(realms, kustomize_dir, overlays, at_root(CLUSTERS)).overlays
    servers |= servers_that_go(kustomize_dir, settings)
    planned = plan_argocd(kustomize_dir, settings, declared, overlays, servers)
    print_leftovers(settings, check_or_write(ctx, [planned], check=check, command="arcan generate argocd"))
