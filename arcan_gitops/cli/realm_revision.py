"""`arcan realm revision`, and the options that say what a server loads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from arcan_gitops.cli.options import clusters_option, realms_option
from arcan_gitops.cli.revisions import Checkout
from arcan_gitops.realms import Selection
from arcan_gitops.realms.binding import Demands

_F = TypeVar("_F", bound=Callable[..., Any])


def checkout_options(command: _F) -> _F:
    """What the server of a repository loads, as `checkout`."""

    @wraps(command)
    def run(
        *arguments: Any,
        realms: Path,
        clusters: Path,
        select: tuple[str, ...],
        no_clusters: bool,
        deletions: str,
        **others: Any,
    ) -> Any:
        demands = Demands(recorded=deletions == "recorded")
        checkout = Checkout(realms, None if no_clusters else clusters, Selection.parse(select), demands)
        return command(*arguments, checkout=checkout, **others)

    for option in (
        click.option(
            "--deletions",
            type=click.Choice(("optional", "recorded")),
            default="optional",
            show_default=True,
            help="As that server has it.",
        ),
        click.option("--no-clusters", is_flag=True, help="The server has no --clusters."),
        clusters_option,
        click.option(
            "--select",
            multiple=True,
            metavar="REALM[/ENVIRONMENT]",
            help="What the server loads; globs; repeatable. Default: all.",
        ),
        realms_option,
    ):
        run = option(run)
    return run  # type: ignore[return-value]


@click.command()
@click.argument("commit", required=False)
@checkout_options
def revision(commit: str | None, checkout: Checkout) -> None:
    """Print the revision that a server has of the realms.

    As the files are now, or as they are in COMMIT: a branch, a tag, an id. It is what audit lines, /readyz
    and the metric arcan_info name; no key is needed. The options must say what the server loads: its
    --select, its --deletions, and whether it has --clusters.
    """
    snapshot = checkout.now() if commit is None else checkout.at(checkout.commit(commit))
    click.echo(snapshot.revision)
