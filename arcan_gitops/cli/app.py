"""`arcan app remove`: an app, a Secret of it, or its part of an overlay, said to be gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import click

from arcan_gitops.atomic import replace_file
from arcan_gitops.cli.in_use import HINT, confirm
from arcan_gitops.cli.options import kustomize_option, realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.project import OVERLAY, overlays_of
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AppName, ObjectName, OverlayName, did_you_mean
from arcan_gitops.overlay import App, read_declaration, read_settings
from arcan_gitops.overlay.build import APPS_FOLDER
from arcan_gitops.overlay.made import MadeSecret, made_by
from arcan_gitops.overlay.placement import placements
from arcan_gitops.overlay.removal import Day, RemovedApp
from arcan_gitops.overlay.removing import without_app, without_overlays, without_secrets
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.realms.tree import read_file


@click.group()
def app() -> None:
    """Take apps out, and the Kubernetes Secrets that they have."""


@app.command()
@click.argument("name", type=Parsed("app", AppName.parse))
@click.option(
    "--secret",
    "secrets",
    metavar="NAME",
    type=Parsed("name", ObjectName.parse),
    multiple=True,
    help="A Secret of the app that goes, while the app stays; repeatable.",
)
@click.option(
    "--overlay",
    "overlays",
    type=OVERLAY,
    multiple=True,
    help="An overlay that the app leaves, while it stays in others; repeatable.",
)
@click.option("--yes", is_flag=True, help="Do not ask before Kubernetes Secrets go.")
@realms_option
@kustomize_option
def remove(
    name: AppName,
    secrets: tuple[ObjectName, ...],
    overlays: tuple[OverlayName, ...],
    yes: bool,
    realms: Path,
    kustomize_dir: Path,
) -> None:
    """Say in an app's file that it goes, with the day.

    The file keeps its namespace and its overlays, by which `arcan generate overlays` leaves an empty folder
    where nothing else is: Argo CD prunes by it. Names the Kubernetes Secrets that will go, and asks. What the
    file says besides is in Git. With --secret one Secret goes, with --overlay the app leaves an overlay.
    """
    if secrets and overlays:
        raise click.UsageError("--secret and --overlay exclude each other")
    path = _path(kustomize_dir / APPS_FOLDER, name)
    declared = read_declaration(path)
    if isinstance(declared, RemovedApp):
        raise ArcanError(f"{declared.where}: app '{name}' is removed already", hint="arcan generate overlays")
    known = overlays_of(read_settings(kustomize_dir), realms)
    _refuse_unknown(declared, secrets, overlays, known)
    going = tuple(_going(declared, secrets, overlays, known))
    confirm(f"app '{name}'", list(map(str, going)), yes=yes, why="Kubernetes Secrets would go", hint=HINT)
    data, day = read_file(path), Day.today()
    if secrets:
        edited = without_secrets(data, declared, secrets, day)
    elif any(declared.goes_to(each.name) and each.name not in overlays for each in known) and overlays:
        edited = without_overlays(data, declared, overlays, [each.name for each in known], day)
    else:
        edited = without_app(data, declared, day)
    replace_file(path, edited)
    say(f"wrote {path}")
    say("next: arcan generate overlays, and commit both")


def _path(folder: Path, name: AppName) -> Path:
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = [each.stem for each in folder.glob("*.yaml")]
        raise ArcanError(f"{folder}: there is no app '{name}'", hint=did_you_mean(name, known))
    return path


def _refuse_unknown(
    declared: App,
    secrets: Sequence[ObjectName],
    overlays: Sequence[OverlayName],
    known: Sequence[Overlay],
) -> None:
    names = [*(each.name for each in declared.secrets), *(each.name for each in declared.raw)]
    for secret in secrets:
        if secret not in names:
            hint = did_you_mean(secret, names)
            raise ArcanError(f"{declared.source}: app '{declared.name}' has no Secret '{secret}'", hint=hint)
    if secrets and set(names) <= set(secrets):
        raise ArcanError(
            f"{declared.source}: app '{declared.name}' would have no Secret left",
            hint=f"remove the app: arcan app remove {declared.name}",
        )
    there = [each.name for each in known if declared.goes_to(each.name)]
    for overlay in overlays:
        if overlay not in there:
            hint = did_you_mean(overlay, there)
            problem = f"{declared.source}: app '{declared.name}' is not in overlay '{overlay}'"
            raise ArcanError(problem, hint=hint)


def _going(
    declared: App,
    secrets: Collection[ObjectName],
    overlays: Collection[OverlayName],
    known: Sequence[Overlay],
) -> Iterator[MadeSecret]:
    for overlay in known:
        if overlays and overlay.name not in overlays:
            continue
        for placement in placements([declared], overlay):
            for made in made_by(placement):
                if made.is_owned and (not secrets or made.entry in secrets):
                    yield made
