"""`arcan sync`: ExternalSecrets at once, and not at ESO's next turn."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Final

import click

from arcan_gitops.bootstrap import Kubectl, Refresh, refreshes
from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.cli.options import kustomize_option, realms_option
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.project import OVERLAY, context_option, find_overlay, overlays_of
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso_version import MANY_AT_ONCE
from arcan_gitops.names import AppName, OverlayName, did_you_mean
from arcan_gitops.overlay import App, read_apps, read_settings
from arcan_gitops.overlay.settings import Overlay

_NOW_IN_SHELL: Final = "$(date +%s)"


@click.command()
@click.argument("names", metavar="[APP]...", nargs=-1, type=Parsed("app", AppName.parse))
@click.option("--all", "everything", is_flag=True, help="Every declared app.")
@click.option("--overlay", type=OVERLAY, help="The overlay of the cluster.  [default: all, without --run]")
@click.option("--run", is_flag=True, help="Run the commands instead of printing them.")
@context_option
@realms_option
@kustomize_option
def sync(
    names: tuple[AppName, ...],
    everything: bool,
    overlay: OverlayName | None,
    run: bool,
    context: str | None,
    realms: Path,
    kustomize_dir: Path,
) -> None:
    """Print what makes ESO refresh apps at once, or --run it.

    The kubectl commands that set an annotation on the ExternalSecrets. After an outage ESO comes back by
    itself, within seven minutes. With --overlay alone, all apps of that overlay.
    """
    if names and everything:
        raise click.UsageError("which apps? name them, or say --all")
    if not names and not everything and overlay is None:
        raise click.UsageError("which apps? name them, or say --all or --overlay NAME")
    apps = _chosen(read_apps(kustomize_dir), names)
    overlays = overlays_of(read_settings(kustomize_dir), realms)
    if overlay is not None or run:
        overlays = (find_overlay(overlays, overlay),)
    cluster = () if context is None else (f"--context={context}",)
    by_overlay = [(each, refreshes(apps, each)) for each in overlays]
    if not any(found for _, found in by_overlay):
        where = f"overlay '{overlays[0].name}'" if len(overlays) == 1 else "any overlay"
        hint = "an app goes where its 'overlays' say, or else everywhere"
        raise ArcanError(f"no ExternalSecret of these apps is in {where}", hint=hint)
    for each, found in by_overlay:
        possible = found
        if MANY_AT_ONCE.missing_in(each.settings.eso_version):
            possible = _without_clusters(found, each)
        if run:
            _run(possible, cluster)
            continue
        if possible and len(overlays) > 1:
            click.echo(f"# overlay {each.name}")
        for refresh in possible:
            arguments = shlex.join((*cluster, *refresh.arguments("NOW")))
            click.echo(f"kubectl {arguments}".replace("=NOW ", f"={_NOW_IN_SHELL} "))


def _without_clusters(found: tuple[Refresh, ...], overlay: Overlay) -> tuple[Refresh, ...]:
    for refresh in found:
        if refresh.namespace is None:
            old, new = overlay.settings.eso_version, MANY_AT_ONCE.since
            reason = f"cannot be done at once with ESO {old} of overlay '{overlay.name}', but with {new}"
            warn(f"{refresh}: {reason}")
    return tuple(refresh for refresh in found if refresh.namespace is not None)


def _chosen(apps: tuple[App, ...], names: tuple[AppName, ...]) -> list[App]:
    known = {app.name: app for app in apps}
    for name in names:
        if name not in known:
            raise ArcanError(f"there is no app '{name}'", hint=did_you_mean(name, known))
    return [known[name] for name in dict.fromkeys(names)] if names else list(apps)


def _run(found: tuple[Refresh, ...], cluster: tuple[str, ...]) -> None:
    """Every one is tried; those that fail are named at the end."""
    # finer than a second: ESO takes no notice of a stamp that it has seen, and two changes may be that close
    kubectl, stamp = Kubectl.find(), str(time.time_ns())
    environment = for_other_programs()
    problems: list[ArcanError] = []
    for refresh in found:
        try:
            kubectl.run((*cluster, *refresh.arguments(stamp)), environment)
            say(f"annotated {refresh}")
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise SeveralErrors(f"{len(problems)} of {len(found)} were not annotated:", problems)
