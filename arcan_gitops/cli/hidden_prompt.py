"""Asks for a value at the terminal without showing it.

`getpass` is not enough: of a pasted value of several lines it takes the first, and the kernel cuts a line at
4,096 bytes; either would be stored as if it were the value.
"""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from arcan_gitops.errors import ArcanError

_MAX_LINE: Final = 4095  # Linux n_tty(4): N_TTY_BUF_SIZE, without the line's end
_SECONDS_FOR_MORE: Final = 0.1
_ELSE: Final = "give it by --stdin or --from-file"


def ask_hidden(prompt: str) -> str:
    """One line that is typed or pasted, asked for twice. Raises `ArcanError` where it cannot be the value."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        raise ArcanError("there is no terminal to ask for the value", hint=_ELSE) from None
    try:
        with _without_echo(terminal):
            first = _ask(terminal, f"{prompt}, one line, not shown: ")
            if first != _ask(terminal, "the same again: "):
                raise ArcanError("the two values differ; nothing was changed", hint="try again")
    finally:
        os.close(terminal)
    return first


def _ask(terminal: int, prompt: str) -> str:
    os.write(terminal, prompt.encode())
    line = os.read(terminal, _MAX_LINE + 1)
    more, _, _ = select.select([terminal], [], [], _SECONDS_FOR_MORE)
    os.write(terminal, b"\n")
    if not line:
        raise click.Abort
    if more:
        raise ArcanError("a value of several lines cannot be typed here; nothing was changed", hint=_ELSE)
    line = line.removesuffix(b"\n")
    if len(line) >= _MAX_LINE:
        raise ArcanError("the terminal takes no value of that length; nothing was changed", hint=_ELSE)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise ArcanError("what was typed is not UTF-8 text; nothing was changed", hint=_ELSE) from None


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """What is left of a paste is thrown away at the end: the shell must not get it."""
    before = termios.tcgetattr(terminal)
    silent = before.copy()
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
