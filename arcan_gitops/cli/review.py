"""`arcan review`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.review_checks import checks
from arcan_gitops.cli.root import at_root
from arcan_gitops.git import Git
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.reports import FORMATS
from arcan_gitops.review.review import Review
from arcan_gitops.review.review import review as compare


@click.command()
@click.argument("base", required=False)
@click.argument("head", required=False)
@format_option(
    FORMATS, old=None, help="Lines for people, a comment for a pull request, or what programs read."
)
@click.option(
    "--fail-on",
    type=click.Choice(("broken", "gain", "none")),
    default="broken",
    show_default=True,
    help="Exit 1 where something would break; or also where somebody gains something; or never.",
)
@click.option(
    "--facts-only", is_flag=True, help="Leave out the checks that read files: realm check, generate, lint."
)
def review(base: str | None, head: str | None, style: str, fail_on: str, facts_only: bool) -> None:
    """Say what a branch changes: what breaks, who gets more, which Secrets follow.

    BASE is a commit (default: the default branch), and what is compared is where HEAD left it; HEAD is a
    commit (default: the working tree). Takes no identity, asks no network, shows no value, and runs
    nothing of the branch. 'arcan explain ARR103' says what a finding means.
    """
    found = reviewed(base, head)
    if not facts_only:
        found = found.with_findings(checks(found))
    click.echo(FORMATS[style](found), nl=False)
    if found.fails(fail_on):
        raise click.exceptions.Exit(1)


def reviewed(base: str | None, head: str | None) -> Review:
    """The facts of HEAD, or of the working tree, against where it left BASE. Raises `GitFailed`,
    `GitMissing`.
    """
    git = Git.of(at_root("."), for_other_programs())
    objects = Objects(git)
    start, tip, new = objects.ends(base, head)
    commits = tuple(git.log([tip, f"^{start}"]))
    now = datetime.now(UTC)
    return compare(objects.tree(start), new, objects, commits, [start, tip], head or git.branch(), now)
