"""`arcan overlay add --like`: the apps that name the other overlay, and all that is missing, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from arcan_gitops.atomic import replace_file
from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.cli.output import say
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.overlay import App, Catalogue, Settings, read_apps
from arcan_gitops.overlay.app import Realm
from arcan_gitops.overlay.check import find_problems
from arcan_gitops.overlay.joining import app_like
from arcan_gitops.overlay.project import NoApps
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.realms.tree import read_file


def declared_or_none(kustomize_dir: Path) -> tuple[App, ...]:
    """The apps; none where none is declared. Raises as `read_apps`."""
    try:
        return read_apps(kustomize_dir)
    except NoApps:
        return ()


def plan_apps(apps: Sequence[App], other: Overlay, added: Overlay) -> dict[Path, bytes]:
    """The files of apps that have to change. Raises `ArcanError`; nothing is written."""
    planned = {Path(app.source): app_like(read_file(Path(app.source)), app, other, added) for app in apps}
    return {path: data for path, data in planned.items() if data is not None}


def write_apps(planned: dict[Path, bytes], other: Overlay) -> None:
    """Write them, and say so."""
    for path, data in planned.items():
        replace_file(path, data)
        say(f"wrote {path}: goes where it goes in '{other.name}'")


def say_missing(
    before: Sequence[App],
    apps: Sequence[App],
    settings: Settings,
    other: Overlay,
    added: Overlay,
    realms: Path,
) -> None:
    """All that the overlay needs and is not there: environments of realms, tokens and accounts and what they
    may read. What was wrong before is not this overlay's.
    """
    try:
        catalogue = load_catalogue(realms)
    except ArcanError as error:
        say(f"what is missing in the realms is not known: {error.message}")
        return
    lacking = sorted(
        {
            app.reads.name
            for app in apps
            if isinstance(app.reads, Realm) and app.goes_to(added.name)
            if (app.reads.name, added.environment) not in catalogue.contents
        }
    )
    for realm in lacking:
        like = (
            f"--like {other.environment} --ask '*'"
            if (realm, other.environment) in catalogue.contents
            else "--key NAME"
        )
        say(f"missing: environment '{added.environment}' of realm '{realm}':")
        say(f"  arcan realm create {realm} --env {added.environment} {like}")
    as_if = _with_environments(catalogue, lacking, other, added)
    removed = [each.name for each in settings.removed]
    here = [each for each in settings.declared if each.name != added.name]
    known = {problem.message for problem in find_problems(before, here, as_if, (), removed)}
    for problem in find_problems(apps, settings.declared, as_if, (), removed):
        if problem.message not in known:
            say(f"missing: {problem.message}")
            if problem.hint:
                say(f"  {problem.hint}")


def _with_environments(
    catalogue: Catalogue, realms: Sequence[RealmName], other: Overlay, added: Overlay
) -> Catalogue:
    """As if the realms had the environment already, with the keys of the other: so the rest is told too."""
    contents = dict(catalogue.contents)
    for realm in realms:
        if (realm, other.environment) in contents:
            contents[realm, added.environment] = contents[realm, other.environment]
    return replace(catalogue, contents=contents)
