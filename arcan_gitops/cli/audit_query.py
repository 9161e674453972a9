"""`arcan audit query` and `arcan audit unread`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

import click

from arcan_gitops.access import parse_duration
from arcan_gitops.access.times import TIME_RULE, InvalidTime, parse_time
from arcan_gitops.audit.query import Asked, Network, Question, Unresolved, parse_network, parse_status, unread
from arcan_gitops.audit.query_report import FORMATS
from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.realm_revision import checkout_options
from arcan_gitops.cli.revisions import Checkout, History
from arcan_gitops.durations import RULE, is_duration
from arcan_gitops.errors import ArcanError


def _moment(text: str) -> str:
    """A duration before now, or a point in time, as audit lines write it."""
    if is_duration(text):
        try:
            moment = datetime.now(UTC) - parse_duration(text)
        except OverflowError:
            raise InvalidTime(f"'{text}' ago is before the year 1", hint="a shorter duration") from None
    else:
        try:
            moment = parse_time(text)
        except InvalidTime as error:
            raise InvalidTime(error.message, hint=f"write {RULE}, or {TIME_RULE}") from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


TIME: Final = Parsed("time", _moment)
FILES: Final = click.argument("files", nargs=-1, required=True, metavar="FILES...")
SINCE: Final = click.option(
    "--since", type=TIME, help="From then on: a duration such as 7d, or a date or time (UTC)."
)
UNTIL: Final = click.option("--until", type=TIME, help="Before then, written the same way.")
COMMITS: Final = click.option(
    "--commits",
    type=click.IntRange(0, 100_000),
    default=1000,
    show_default=True,
    help="How many commits of this branch to look at for the revision of a read of all keys; 0: none.",
)


@click.command()
@FILES
@click.option("--token", metavar="ID|NAME", default="", help="The id or name of a token; a glob.")
@click.option("--account", metavar="CLUSTER/NAMESPACE/ACCOUNT", default="", help="A service account; a glob.")
@click.option("--realm", "realm", default="", help="A glob.")
@click.option("--env", "environment", default="", help="A glob.")
@click.option("--key", default="", help="A glob; reads of all keys that had it are found too.")
@click.option("--client", metavar="ADDRESS|NETWORK", type=Parsed("network", parse_network))
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=Parsed("status", parse_status),
    help="As 200 or 4xx; repeatable.",
)
@SINCE
@UNTIL
@format_option(FORMATS, old=None)
@COMMITS
@checkout_options
def query(
    files: tuple[str, ...],
    token: str,
    account: str,
    realm: str,
    environment: str,
    key: str,
    client: Network | None,
    statuses: tuple[str, ...],
    since: str | None,
    until: str | None,
    style: str,
    commits: int,
    checkout: Checkout,
) -> None:
    """Print who asked for what, when, and what they got.

    FILES as for 'arcan audit verify', which see: a query does not verify. Decisions come in the order of the
    files, each as soon as it is read. A read of all keys names none of them: they are looked up in the commit
    that has the line's revision, in the checkout that the current folder is in, and it says so where there is
    no such commit. JSON is an object a line.
    """
    question = Question(
        token, account, realm, environment, key, client, since or "", until or "", frozenset(statuses)
    )
    asked = _asked(question, checkout, commits)
    for part in FORMATS[style](asked.decisions(files)):
        click.echo(part, nl=False)
    _tell(asked)


@click.command("unread")
@FILES
@click.option("--realm", "realm", default="", help="A glob.")
@click.option("--env", "environment", default="", help="A glob.")
@SINCE
@UNTIL
@format_option(("text", "json"), old=None)
@COMMITS
@checkout_options
def unread_keys(
    files: tuple[str, ...],
    realm: str,
    environment: str,
    since: str | None,
    until: str | None,
    style: str,
    commits: int,
    checkout: Checkout,
) -> None:
    """Print the keys that are in the realms and that nobody has read, and since when that was watched.

    Nothing but the audit log knows: FILES must be the logs of all servers that serve the realms. A key that
    is younger than the log was not there to be read before. Keys that a read of all keys may have given,
    whose commit is not found, are told apart.
    """
    question = Question(realm=realm, environment=environment, since=since or "", until=until or "")
    asked = _asked(question, checkout, commits)
    present = [
        (str(at), str(name), str(key)) for (at, name), loaded in checkout.now().all() for key in loaded.values
    ]
    watched = unread(asked, files, [one for one in present if question.matches_names(_place(one))])
    if style == "json":
        click.echo(json.dumps({
            "since": watched.since, "until": watched.until, "read": watched.read,
            "unread": ["/".join(one) for one in watched.unread],
            "possibly_read": ["/".join(one) for one in watched.possibly],
        }, indent=2))  # fmt: skip
    else:
        for one in watched.unread:
            click.echo(f"{'/'.join(one)}\tread by nobody since {watched.since}")
        for one in watched.possibly:
            click.echo(
                f"{'/'.join(one)}\tnot known: all keys were read since {watched.since}, of an unknown commit"
            )
    if not asked.first:
        raise ArcanError("there is no audit line in the files", hint="give the logs of the servers")
    say(
        f"{watched.read} keys were read, {len(watched.unread)} by nobody, watched from {watched.since} to "
        f"{watched.until}"
    )
    _tell(asked)


def _place(key: tuple[str, str, str]) -> dict[str, str]:
    """As a line names it."""
    return {"realm": key[0], "environment": key[1], "key": key[2]}


def _asked(question: Question, checkout: Checkout, commits: int) -> Asked:
    return Asked(question, History(checkout, commits) if commits else Unresolved())


def _tell(asked: Asked) -> None:
    if asked.damaged:
        warn(f"{asked.damaged} audit lines cannot be read: run 'arcan audit verify'")
    if asked.unresolved:
        history = asked.resolver
        why = history.why() if isinstance(history, History) else "no commit was looked at"
        warn(
            f"the keys of {asked.unresolved} reads of all keys are not known: {why}; a server with other "
            "files, a document at its last good state, or other options has another revision: see 'arcan "
            "realm revision --help'"
        )
