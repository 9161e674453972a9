"""What commands say to people, and what they do with an output that cannot be written to."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from arcan_gitops.errors import printable


def say(line: str) -> None:
    """A line for people, on standard error."""
    click.echo(f"arcan: {printable(line)}", err=True)


def warn(line: str) -> None:
    """What went well, and should be known all the same."""
    say(f"warning: {line}")


def discard_output() -> None:
    """What could not be written must not be tried again when the interpreter ends."""
    with suppress(OSError, ValueError):  # no file at all: nothing is flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
