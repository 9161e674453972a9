"""What systemd is told of a service: ready, stopping, alive (sd_notify(3))."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Where to tell it; both are given by systemd in the environment, and none where there is no systemd."""

    socket: str | None = None  # a path, or an abstract name that begins with '@'
    watchdog_seconds: float | None = None  # how often it must hear from us


class Notifier:
    """Used by the main thread: that it lives is what the watchdog is for."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._told = 0.0

    def ready(self) -> None:
        """Everything is loaded, and connections are taken."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Called often; tells it three times in the time that the watchdog allows."""
        seconds = self._supervisor.watchdog_seconds
        if seconds is not None and time.monotonic() - self._told >= seconds / 3:
            self._told = time.monotonic()
            self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        name = self._supervisor.socket
        if name is None:
            return
        address = "\0" + name[1:] if name.startswith("@") else name
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.setblocking(False)
            own.sendto(state.encode(), address)


NOBODY: Final = Supervisor()
