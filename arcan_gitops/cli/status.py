"""`arcan status`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from arcan_gitops.cli.environment import take
from arcan_gitops.cli.options import format_option, kustomize_option
from arcan_gitops.cli.project import overlays_of, servers_of
from arcan_gitops.cli.realm_revision import checkout_options
from arcan_gitops.cli.revisions import Checkout, History
from arcan_gitops.errors import ArcanError
from arcan_gitops.overlay import read_settings
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.realms import Selection
from arcan_gitops.realms.binding import Demands
from arcan_gitops.realms.tree import read_file
from arcan_gitops.status.asking import ask_socket, ask_url
from arcan_gitops.status.report import FORMATS, Asked
from arcan_gitops.status.severity import EXITS, Status, worst

_COMMITS = 300  # how far back a server may be for its commit to be known
_MAIN = ("origin/main", "origin/master", "main", "master", "HEAD")


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="ARCAN_DATA_DIR",
    default=Path("/var/lib/arcan"),
    show_default=True,
    help="That of the server on this machine, which is asked on its private socket.",
)
@click.option("--url", metavar="URL", help="Ask this server: https://HOST:PORT; needs a token.")
@click.option("--fleet", is_flag=True, help="Ask the server of every overlay; needs a token.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The token to ask with, whose policy is status.  [default: the variable ARCAN_TOKEN]",
)
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(path_type=Path),
    envvar="ARCAN_CA_FILE",
    show_envvar=True,
    metavar="FILE",
    help="The CA of the servers, in PEM.  [default: kustomize/ca.crt, else the system's CAs]",
)
@click.option(
    "--main",
    metavar="BRANCH",
    help="What a server is compared with.  [default: the first there is of " + ", ".join(_MAIN) + "]",
)
@format_option(FORMATS, old=None)
@kustomize_option
@checkout_options
def status(
    data_dir: Path,
    url: str | None,
    fleet: bool,
    token_file: Path | None,
    ca_file: Path | None,
    main: str | None,
    style: str,
    kustomize_dir: Path,
    checkout: Checkout,
) -> None:
    """Ask servers how they are.

    The server of this machine by its data directory, one with --url, or all with --fleet. It tells what it
    serves and since when, each environment that is not loaded or stands at its last good state, what ends
    within 30 days, its workers and its audit log; numbers of keys, and neither values nor the names of keys.
    In a checkout it also says which commit that is, and whether it is behind. A token sees the realm that it
    is of; the private socket tells of all.

    Exits 0 if all is well, 3 if somebody should look (a last good state, something that ends soon, a server
    behind), 4 if reads fail or soon will (not loaded, no worker, no audit log, no answer), 1 on errors.
    """
    if fleet and url:
        raise click.UsageError("--fleet asks the servers of kustomize/arcan.yaml: leave --url out")
    if fleet or url:
        token, ca = _token(token_file), _ca(ca_file, kustomize_dir)
        if fleet:
            servers = list(_fleet(kustomize_dir, checkout, main, lambda at: ask_url(at, token, ca)))
        else:
            servers = [_placed(Asked(str(url), ask_url(str(url), token, ca)), checkout, main)]
    else:
        servers = [_placed(Asked(str(data_dir), ask_socket(data_dir)), checkout, main)]
    click.echo(FORMATS[style](servers), nl=False)
    if found := EXITS[worst(each.severity for each in servers)]:
        raise click.exceptions.Exit(found)


def _fleet(
    kustomize_dir: Path, checkout: Checkout, main: str | None, ask: Callable[[str], Status]
) -> Iterator[Asked]:
    overlays = overlays_of(read_settings(kustomize_dir), checkout.realms)
    deployed = {server.overlay.name: server for server in servers_of(kustomize_dir, overlays)}
    if not overlays:
        raise ArcanError(f"{kustomize_dir / SETTINGS_FILE}: there is no overlay")
    for overlay in overlays:
        server = deployed.get(overlay.name)
        loads = checkout
        if server is not None:
            demands = Demands(recorded=server.deletions == "recorded")
            loads = replace(checkout, selection=Selection.parse(server.select), demands=demands)
        try:
            yield _placed(Asked(str(overlay.name), ask(overlay.settings.server_url)), loads, main)
        except ArcanError as error:
            hint = f"; {error.hint}" if error.hint else ""
            yield Asked(str(overlay.name), None, f"{error.message}{hint}")


def _placed(asked: Asked, checkout: Checkout, main: str | None) -> Asked:
    """With its commit, where a checkout is at hand."""
    assert asked.status is not None
    revision = str(asked.status.get("revision"))
    try:
        branch, newest = _main_of(checkout, main)
        history = History(checkout, _COMMITS, newest)
        commit = history.commit(revision)
    except ArcanError as error:
        return asked if main is None else replace(asked, place=error.message)
    if commit is None:
        looked = f"none of the {history.looked_at} newest commits of {branch} that change it"
        place = f"serves what {looked} has, by the --select, --deletions and clusters given here"
        return replace(asked, place=place)
    behind = history.newer(revision)
    if behind == 0:
        return replace(
            asked, commit=commit, behind=0, place=f"serves commit {commit[:12]}, as {branch} has it"
        )
    place = f"serves commit {commit[:12]}: {branch} has {behind} newer states of what is served"
    return replace(asked, commit=commit, behind=behind, place=place)


def _main_of(checkout: Checkout, main: str | None) -> tuple[str, str]:
    """The branch that servers are compared with, and its newest commit. Raises as `Git`."""
    for name in (main,) if main is not None else _MAIN[:-1]:
        try:
            return name, checkout.commit(name)
        except ArcanError:
            if main is not None:
                raise
    return _MAIN[-1], checkout.commit(_MAIN[-1])


def _token(file: Path | None) -> str:
    text = read_file(file).decode("ascii", "replace") if file is not None else take("ARCAN_TOKEN")
    token = (text or "").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise ArcanError(
            "there is no token to ask with",
            hint="arcan token create --realm=REALM --name=status --policy=status --output-file FILE, commit "
            "tokens.yaml, and name that file with --token-file",
        )
    return token


def _ca(file: Path | None, kustomize_dir: Path) -> bytes | None:
    committed = kustomize_dir / "ca.crt"
    if file is None and committed.is_file():
        file = committed
    return None if file is None else read_file(file)
