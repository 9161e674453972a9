"""`arcan generate codeowners`: who is asked when the file of an app changes."""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import click

from arcan_gitops.atomic import replace_file
from arcan_gitops.cli.generated import check_option
from arcan_gitops.cli.options import kustomize_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.root import at_root
from arcan_gitops.errors import ArcanError, printable_lines
from arcan_gitops.overlay import read_apps
from arcan_gitops.overlay.app import Realm
from arcan_gitops.realms.files import read_file
from arcan_gitops.review.app_owners import with_app_lines
from arcan_gitops.review.owners import PLACES


@click.command()
@check_option
@kustomize_option
@click.pass_context
def codeowners(ctx: click.Context, check: bool, kustomize_dir: Path) -> None:
    """Write into CODEOWNERS who is asked when the file of an app changes.

    Whoever owns a realm decides what apps take of it: where another line would let somebody else agree alone,
    a line names the realm's owners for the file of the app. The lines stand between two comments, and nothing
    else of the file is touched. Run it after an app or an owner of a realm has changed.
    """
    path = _file()
    before = read_file(path)
    apps = {
        Path(os.path.relpath(app.source, at_root("."))).as_posix(): app.reads.name
        for app in read_apps(kustomize_dir)
        if isinstance(app.reads, Realm)
    }
    after = with_app_lines(before.decode("utf-8", "surrogateescape"), apps, str(path))
    data = after.encode("utf-8", "surrogateescape")
    if data == before:
        say(f"{path} is up to date")
    elif check:
        click.echo(printable_lines(_difference(before.decode("utf-8", "replace"), after)), nl=False)
        say(f"{path} is not up to date")
        say("hint: run `arcan generate codeowners` and commit the result")
        ctx.exit(1)
    else:
        replace_file(path, data)
        say(f"wrote {path}")


def _file() -> Path:
    """CODEOWNERS, where GitHub looks for it. Raises `ArcanError` where there is none."""
    for place in PLACES:
        if (path := at_root(place)).is_file():
            return path
    raise ArcanError(
        f"there is no {PLACES[0]}: nobody is asked when anything changes",
        hint="write one, for all of the repository, whose first line is: * @ORG/TEAM",
    )


def _difference(before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), "there", "wanted")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
