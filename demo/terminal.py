"""How the demo speaks: chapters, commands, and what they printed."""

from __future__ import annotations

import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from typing import Final

_COLOURS: Final = sys.stdout.isatty() and "NO_COLOR" not in os.environ
_WIDTH: Final = 100


def styled(code: str, text: str) -> str:
    """The text in a terminal's style, or plain where there is no terminal."""
    return f"\033[{code}m{text}\033[0m" if _COLOURS else text


def chapter(title: str, explanation: str) -> None:
    """Begin a chapter of the story."""
    print(f"\n{styled('1;36', '== ' + title)}")
    print(textwrap.fill(explanation, _WIDTH), flush=True)


def command_line(command: Sequence[str], ending: str = "") -> None:
    """Show a command as a user would type it."""
    print(styled("1", f"  $ {shlex.join(command)}{ending}"), flush=True)


def show(output: str, *, first: int | None = None, width: int | None = None) -> None:
    """What a command printed, indented; at most its first lines, each at most `width` wide."""
    lines = output.rstrip().splitlines()
    for line in lines[:first]:
        print(f"    {line[:width]}")
    if first is not None and len(lines) > first:
        print(f"    ... ({len(lines) - first} more lines)")
    sys.stdout.flush()
