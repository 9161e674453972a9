"""Wraps the editor: one file is opened in it, and it keeps no copy elsewhere as far as it can be told to.

Source: getsops/sops cmd/sops/edit.go (which editor), vim's starting.txt and options.txt, nano(1).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from arcan_gitops.errors import ArcanError

_DEFAULTS: Final = ("vim", "nano", "vi")
_SECONDS_TO_END: Final = 2
_SECONDS_BETWEEN_LOOKS: Final = 1
_VIM: Final = re.compile(r"(?:neo|[gmnr])?vim(?:[.x-].*)?")
_VIM_SETTINGS: Final = "set noswapfile nobackup nowritebackup noundofile nomodeline viminfo="
# before the user's own settings, and once more after them
_VIM_OPTIONS: Final = ("-n", "-i", "NONE", "--cmd", _VIM_SETTINGS, "-c", _VIM_SETTINGS)
_NANO_OPTIONS: Final = ("--restricted",)  # neither backups nor histories
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_FOR_THE_EDITOR: Final = (signal.SIGINT, signal.SIGQUIT)


class NoEditor(ArcanError):
    """There is no such editor, or none at all."""


class EditorFailed(ArcanError):
    """The editor said that it failed, or was ended by a signal: what it left does not count."""


@dataclass(frozen=True, slots=True)
class Editor:
    """The command of an editor; the path of the file comes after it."""

    command: tuple[str, ...]

    @classmethod
    def choose(cls, wanted: Sequence[str | None]) -> Editor:
        """The first of the wanted commands that is given (`vim -f`, quoted as in a shell), else a common one.

        vim and nano get options that turn off their swap files, backups and histories. Raises `NoEditor`.
        """
        given = next((text for text in wanted if text and text.strip()), None)
        if given is None:
            found = next((name for name in _DEFAULTS if shutil.which(name)), None)
            if found is None:
                raise NoEditor(
                    f"no editor: none of {', '.join(_DEFAULTS)} is on PATH", hint="name one in EDITOR"
                )
            return cls(_private((found,)))
        try:
            command = tuple(shlex.split(given))
        except ValueError:
            raise NoEditor("the editor's command has a quote without its end", hint="see EDITOR") from None
        if shutil.which(command[0]) is None:
            raise NoEditor(f"there is no editor '{command[0]}'", hint="see SOPS_EDITOR and EDITOR")
        return cls(_private(command))

    def open(self, path: Path, environment: Mapping[str, str]) -> None:
        """Open a file, and wait until the editor ends; its temporary files go to the folder of the file.

        `environment` holds its environment variables. Ctrl-C is the editor's. Where this process is asked to
        end (SIGTERM, SIGHUP), the editor is ended, and `SystemExit` raised. Raises `EditorFailed`.
        """
        variables = {**environment, "TMPDIR": str(path.parent)}
        with _terminal_restored(), _signals_while_editing() as ending:
            try:
                process = subprocess.Popen([*self.command, str(path)], env=variables)
            except OSError as error:
                raise EditorFailed(
                    f"the editor '{self.command[0]}' cannot be started: {error.strerror}"
                ) from None
            try:
                ending.wait_begins()
                status = _waited(process)
            except BaseException:
                _end(process)
                raise
        if status:
            how = f"exited with status {status}" if status > 0 else f"was ended by signal {-status}"
            raise EditorFailed(f"the editor '{self.command[0]}' {how}; nothing was changed")


def _private(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with options for the editor in it, which may stand behind `env` or the like."""
    for at, word in enumerate(command):
        names = {os.path.basename(word)}
        if at == 0:
            names.add(os.path.basename(os.path.realpath(shutil.which(word) or word)))
        options: tuple[str, ...] = ()
        if any(_VIM.fullmatch(name) for name in names):
            options = _VIM_OPTIONS
        elif "nano" in names:
            options = _NANO_OPTIONS
        if options:
            return (*command[: at + 1], *options, *command[at + 1 :])
    return command


def _waited(process: subprocess.Popen[bytes]) -> int:
    """Its status. Python looks for signals in between: one that comes just before a wait without a bound
    would be handled only when the editor ends.
    """
    while True:
        try:
            return process.wait(_SECONDS_BETWEEN_LOOKS)
        except subprocess.TimeoutExpired:
            continue


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Ending:
    """SIGTERM and SIGHUP end this process while it waits for the editor, and not while it starts it."""

    def __init__(self) -> None:
        self._waiting = False
        self._number: int | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        self._end_if_asked()

    def wait_begins(self) -> None:
        self._waiting = True
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self._waiting and self._number is not None:
            self._waiting = False
            raise SystemExit(128 + self._number)


def _leave_it(number: int, frame: FrameType | None) -> None:
    """It was meant for the editor, which got it too."""


@contextmanager
def _signals_while_editing() -> Iterator[_Ending]:
    """A handler, unlike SIG_IGN, is not inherited by the editor."""
    ending = _Ending()
    before = {}
    try:
        for number in (*_ENDING, *_FOR_THE_EDITOR):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                before[number] = signal.signal(number, ending.handle if number in _ENDING else _leave_it)
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _terminal_restored() -> Iterator[None]:
    """An editor that was killed leaves the terminal as it had set it."""
    settings = None
    with suppress(termios.error, OSError, ValueError, AttributeError):
        settings = termios.tcgetattr(sys.stdin.fileno())
    try:
        yield
    finally:
        if settings is not None:
            with suppress(termios.error, OSError, ValueError):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, settings)
