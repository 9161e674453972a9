"""A command at a real terminal: what a person would see, and type."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Terminal:
    """Runs a command in a session of its own, whose controlling terminal is a pty that the test holds."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self.pid, self._pty = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
            os.chdir(cwd)
            os.execvpe(command[0], list(command), dict(environment))
        self._to_read = select.poll()  # select() takes no descriptor above 1023
        self._to_read.register(self._pty, select.POLLIN)
        self.shown = ""
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._pty)

    def read_until(self, text: str, *, seconds: float = 20) -> None:
        """Read what is shown until it has the text once more."""
        end = time.monotonic() + seconds
        start = len(self.shown)
        while text not in self.shown[start:]:
            ready = self._to_read.poll(max(0.0, end - time.monotonic()) * 1000)
            assert ready, f"no {text!r} in {self.shown[start:]!r}"
            self.shown += self._read()

    def type(self, text: str) -> None:
        """Type at the terminal; `\\r` is the return key, `\\x04` the end of the input."""
        os.write(self._pty, text.encode())

    def wait(self, *, interrupting: bool = False, seconds: float = 20) -> int:
        """The exit status; all that is still shown is read.

        `interrupting` types Ctrl-C, and again where Python lost it: just before it began to wait for input.
        """
        end = time.monotonic() + seconds
        type_at = time.monotonic() if interrupting else end
        data = "start"
        while data:
            assert time.monotonic() < end, f"it goes on: {self.shown!r}"
            if time.monotonic() >= type_at:
                self.type("\x03")
                type_at += 5
            if self._to_read.poll(300):
                data = self._read()
                self.shown += data
        _, status = os.waitpid(self.pid, 0)
        self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def _read(self) -> str:
        try:
            return os.read(self._pty, 65536).decode()
        except OSError:  # the other side is closed
            return ""
