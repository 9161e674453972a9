"""Programs that run beside the tests: each in a process group of its own, its output in a log file."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 15


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(
    what: str, condition: Callable[[], object], seconds: float = 30, *, every: float = 0.05
) -> None:
    """Wait until the condition is true; one that raises `OSError` is not true yet. It is looked at `every` so
    many seconds: seldom where the look itself is work for the programs that are waited for.
    """
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if condition():
                return
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(every)


class Process:
    """One program. Nothing of this process's environment reaches it but what is given."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self.log_path = log
        self.name = Path(command[0]).name
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, what: str, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait for the program; one that has ended will never get there."""

        def checked() -> object:
            assert self._child is not None
            assert self._child.poll() is None, (
                f"{self.name} ended before {what}; its log:\n{self.log[-3000:]}"
            )
            return condition()

        wait_until(f"{what}; the log is {self.log_path}", checked, seconds)

    def stop(self) -> None:
        """SIGTERM to the whole group, SIGKILL to what is left of it."""
        if self._child is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(STOP_SECONDS)
                break
        self._child = None

    def kill(self) -> None:
        """End it as a machine that fails does, without a word."""
        assert self._child is not None
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(STOP_SECONDS)

    def megabytes(self) -> float:
        """Its memory, resident, in MiB."""
        assert self._child is not None
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        (kilobytes,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        return int(kilobytes) / 1024

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")
