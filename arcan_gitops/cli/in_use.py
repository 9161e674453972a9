"""Before something is removed that declared apps use: name the apps, and ask the user to confirm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.options import kustomize_option
from arcan_gitops.cli.output import say
from arcan_gitops.errors import ArcanError, printable
from arcan_gitops.overlay import App, Settings, read_apps, read_settings
from arcan_gitops.overlay.project import NoApps
from arcan_gitops.overlay.uses import Use

_F = TypeVar("_F", bound=Callable[..., Any])
_MOST: Final = 20
HINT: Final = "see that nothing mounts them any more; --yes skips this check"


class InUse(ArcanError):
    """Declared apps use what would go, and nobody said yes."""


def in_use_options(command: _F) -> _F:
    """`--kustomize-dir` and `--yes`, the arguments of `confirm_unused`."""
    asking = click.option("--yes", is_flag=True, help="Do not ask when declared apps use it.")
    return kustomize_option(asking(command))


def confirm_unused(
    what: str,
    kustomize_dir: Path,
    uses: Callable[[Sequence[App], Settings], Sequence[Use]],
    *,
    yes: bool,
) -> None:
    """Name the declared apps that use `what`, and go on only with `--yes` or an answer at the terminal.

    Says nothing where no app uses it. Where the apps cannot be read, nobody knows: that is a use too. Raises
    `InUse` where there is no terminal, or the answer is no.
    """
    try:
        found = list(map(str, uses(read_apps(kustomize_dir), read_settings(kustomize_dir))))
    except NoApps:
        return
    except ArcanError as error:
        found = [f"which apps use it is not known: {error.message}"]
    hint = "remove it from the files of these apps first; --yes skips this check"
    confirm(what, found, yes=yes, why="declared apps use it", hint=hint)


def confirm(
    what: str,
    lines: Sequence[str],
    *,
    yes: bool,
    why: str,
    hint: str = "--yes skips this check",
) -> None:
    """Say the lines, and go on only with `yes` or an answer at the terminal; without lines, at once.

    Raises `InUse` where there is no terminal, or the answer is no.
    """
    if not lines:
        return
    for line in lines[:_MOST]:
        say(line)
    if len(lines) > _MOST:
        say(f"... and {len(lines) - _MOST} more")
    if yes:
        return
    if not at_a_terminal():
        raise InUse(f"{what}: {why}; nothing was changed", hint=hint)
    if not click.confirm(printable(f"arcan: {what}: continue anyway?"), default=False, err=True):
        raise InUse(f"{what}: nothing was changed")


def at_a_terminal() -> bool:
    """Whether somebody can be asked, and can answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
