"""Trees of generated files: compared with what is on disk, or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from arcan_gitops.cli.output import say
from arcan_gitops.errors import printable_lines
from arcan_gitops.overlay import Comparison, Tree, compare
from arcan_gitops.overlay.tree import COMMAND

check_option = click.option(
    "--check", is_flag=True, help="Write nothing; print the difference, and exit 1 if there is one."
)


@dataclass(frozen=True, slots=True)
class Generated:
    """What a command generates below one folder; a shared one holds files of others too."""

    root: Path
    tree: Tree
    shared: bool = False
    command: str = COMMAND  # as the headers of the files name it


def check_or_write(
    ctx: click.Context, generated: Sequence[Generated], *, check: bool, command: str
) -> tuple[Comparison, ...]:
    """Print the difference, and exit 1 if there is one; or write, and say what was written.

    Gives what was there before, beside what is there now.
    """
    compared = tuple(  # all of them, before any is written
        compare(part.root, part.tree, command=part.command, shared=part.shared) for part in generated
    )
    if check:
        _check(ctx, compared, command)
        return compared
    for part in compared:
        _write(part)
    return compared


def _check(ctx: click.Context, compared: Sequence[Comparison], command: str) -> None:
    stale = []
    for part in compared:
        difference = part.diff()
        click.echo(printable_lines(difference), nl=False)
        if difference:
            stale.append(part.root)
        elif part.tree:
            say(f"{part.root}: {len(part.tree)} files are up to date")
    for root in stale:
        say(f"{root} is not up to date")
    if stale:
        say(f"hint: run `{command}` and commit the result")
        ctx.exit(1)


def _write(part: Comparison) -> None:
    changes = part.write()
    for path in changes.written:
        say(f"wrote {part.root / path}")
    for path in changes.removed:
        say(f"removed {part.root / path}")
    if part.tree:
        say(f"{part.root}: {len(changes.unchanged)} of {len(part.tree)} files were up to date")
