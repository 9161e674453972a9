"""`arcan audit`: whether the audit log is whole, and what it says."""

from __future__ import annotations

import time
from pathlib import Path

import click

from arcan_gitops.audit.key import AuditKey, BadAuditKey
from arcan_gitops.audit.verdict_report import FORMATS, status
from arcan_gitops.audit.verify import Asked, Verifier
from arcan_gitops.cli.audit_query import query, unread_keys
from arcan_gitops.cli.options import format_option


@click.group()
def audit() -> None:
    """Ask the audit log: whether it is whole, who read what, which keys nobody reads."""


@audit.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A key that seals the chains, as the server has it in audit/key of its data directory; repeatable. "
    "Without one, seals are not looked at.",
)
@click.option(
    "--partial", is_flag=True, help="The oldest files are gone: chains may begin in the middle of theirs."
)
@click.option(
    "--running",
    is_flag=True,
    help="Servers are running: a chain needs no end if it has a line of the last three minutes.",
)
@format_option(FORMATS, old=None, help="Lines for people, or JSON.")
def verify(
    files: tuple[str, ...], key_files: tuple[Path, ...], partial: bool, running: bool, style: str
) -> None:
    """Find lines that were changed, removed, added or reordered, and name file and line.

    FILES are in any order, rotated, compressed (gzip, xz, bzip2) or not, - for standard input; lines of
    several servers and of other programs may be mixed in them, as they are in what a container runtime,
    journald or a collector writes. Give all files: a chain that begins or ends in none of them counts as cut,
    but for --partial and --running.

    Exits 0 if every line is there as it was written, 1 if not, and 3 if nothing is wrong but a chain has no
    end: its process was killed, or runs, or the last lines were cut. What this cannot see: docs/audit-log.md.
    """
    keys = [_key(path) for path in key_files]
    verdict = Verifier(Asked(keys, partial, time.time() if running else None)).verify(files)
    click.echo(FORMATS[style](verdict), nl=False)
    if not keys:
        click.echo("arcan: no --key was given: who can write the files could have made them anew", err=True)
    if found := status(verdict):
        raise click.exceptions.Exit(found)


def _key(path: Path) -> AuditKey:
    try:
        return AuditKey.read(path)
    except FileNotFoundError:
        raise BadAuditKey(f"{path}: is not there", hint="copy it from the server's data directory") from None


for command in (query, unread_keys):
    audit.add_command(command)
