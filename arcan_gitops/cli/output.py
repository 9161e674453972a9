"""What commands print, and what they do with an output that cannot be written to.

Names of files and keys that are printed here cannot begin a line or drive a terminal; see `printable`.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from arcan_gitops.errors import ArcanError, printable, printable_lines


def say(line: str) -> None:
    """Print one line for people, on standard error."""
    click.echo(f"arcan: {printable(line)}", err=True)


def warn(line: str) -> None:
    """Print a warning, on standard error: the command did its work, and the user should know this."""
    say(f"warning: {line}")


def warn_lines(lines: str) -> None:
    """Print a warning of several lines, the further ones indented, on standard error."""
    click.echo(printable_lines(f"arcan: warning: {lines}"), err=True)


def say_error(error: ArcanError, label: str = "error: ") -> None:
    """Print an error and its hint, on standard error."""
    click.echo(printable_lines(f"arcan: {label}{error.message}"), err=True)
    say_hint(error)


def say_hint(error: ArcanError) -> None:
    """Print what to do about an error, on standard error."""
    if error.hint:
        click.echo(printable_lines(f"arcan: hint: {error.hint}"), err=True)


def show(line: str) -> None:
    """Print one line of a result, on standard output, where it holds a name that is not checked."""
    click.echo(printable(line))


def show_finding(error: ArcanError, indent: str = "") -> None:
    """Print an error that is the result of a check, and its hint, on standard output."""
    click.echo(printable_lines(f"{indent}{error.message}"))
    if error.hint:
        click.echo(printable_lines(f"  hint: {error.hint}"))


def discard_output() -> None:
    """What could not be written must not be tried again when the interpreter ends."""
    with suppress(OSError, ValueError):  # no file at all: nothing is flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
