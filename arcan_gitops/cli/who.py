"""`arcan who-can-read`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.root import at_root
from arcan_gitops.git import Git
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.review.history import History
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.state import state_of
from arcan_gitops.review.who import as_text
from arcan_gitops.review.who import who_can_read as find
from arcan_gitops.review.who_page import as_html


@click.command("who-can-read")
@click.argument("realm", type=Parsed("name", RealmName.parse))
@click.argument("key", type=Parsed("key", KeyName.parse), required=False)
@click.option("--env", "environment", type=Parsed("name", EnvironmentName.parse), help="This one only.")
@click.option("--at", "commit", metavar="COMMIT", help="As of a commit.  [default: the working tree]")
@format_option(
    ("text", "json", "html"), old=None, help="Lines for people, JSON, or one page with the picture."
)
def who_can_read(
    realm: RealmName, key: KeyName | None, environment: EnvironmentName | None, commit: str | None, style: str
) -> None:
    """Say who and what can read a realm, or one key of it.

    Recipients by the names that .sops.yaml gives them, tokens, accounts, Kubernetes Secrets by cluster, and
    who could once, while the value was what it is now. Takes no identity, and asks no network.
    """
    objects = Objects(Git.of(at_root("."), for_other_programs()))
    head = objects.git.commit(commit or "HEAD")
    tree = objects.work_tree() if commit is None else objects.tree(head)
    history = History.of(objects, [head])
    state = state_of(tree, objects)
    found = find(state, history, objects, realm, key, environment)
    now = datetime.now(UTC)
    if style == "json":
        click.echo(json.dumps([access.to_plain(now) for access in found], indent=2, ensure_ascii=False))
    elif style == "html":
        click.echo(as_html(found, now), nl=False)
    else:
        click.echo(as_text(found, now), nl=False)
    for path, problem in sorted(state.problems.items()):
        say(f"cannot be read, and is not counted: {path}: {problem.message}")
    if history.shallow:
        say("the clone is shallow: who could once is known as far back as it goes; git fetch --unshallow")
    if history.unseen:
        say(f"{history.unseen} older versions are not in this partial clone, and are not counted")
