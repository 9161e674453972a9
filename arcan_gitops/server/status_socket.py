"""The private sockets on which the main process says how its server is: who connects is told, and asks for
nothing.

One is in the data directory, for `arcan status`; one without a name in any file system is for the workers,
which answer over HTTPS. Both answer this user's processes and root's alone.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import select
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from arcan_gitops.errors import place_of
from arcan_gitops.status.asking import SOCKET, receive

log = logging.getLogger("arcan.server")

_SECONDS: Final = 2.0
_CREDENTIALS: Final = struct.Struct("3i")  # ucred of unix(7): pid, uid, gid


class StatusSockets:
    """Made before the workers are forked; answers once it is started, in a thread of the main process."""

    def __init__(self, data_dir: Path) -> None:
        self._own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.address = f"\0arcan-{secrets.token_hex(16)}"
        self._own.bind(self.address)
        self._own.listen(16)
        self._path = data_dir / SOCKET
        self._named: socket.socket | None = None

    def start(self, status: Callable[[], dict[str, Any]]) -> None:
        """Answer from now on; the thread ends with the process."""
        self._named = self._listen()
        listeners = [each for each in (self._own, self._named) if each is not None]
        for each in listeners:
            each.setblocking(False)
        threading.Thread(target=self._run, args=(listeners, status), name="arcan-status", daemon=True).start()

    def close(self) -> None:
        """Take the socket out of the data directory."""
        if self._named is not None:
            with suppress(OSError):
                self._path.unlink()

    def _listen(self) -> socket.socket | None:
        """In a folder of mode 0700, at a path of any length; None where the data directory takes none."""
        named = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = None
        try:
            if not self._path.parents[1].is_dir():
                raise FileNotFoundError
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            at = f"/proc/self/fd/{folder}"
            os.chmod(at, 0o700)
            with suppress(FileNotFoundError):
                os.unlink(f"{at}/{self._path.name}")
            named.bind(f"{at}/{self._path.name}")
            os.chmod(f"{at}/{self._path.name}", 0o600)
            named.listen(16)
        except OSError as error:
            named.close()
            log.info(
                "no %s, by which 'arcan status' asks: %s", self._path, error.strerror or "no such folder"
            )
            return None
        finally:
            if folder is not None:
                os.close(folder)
        return named

    def _run(self, listeners: list[socket.socket], status: Callable[[], dict[str, Any]]) -> None:
        by_descriptor = {each.fileno(): each for each in listeners}
        asked = select.poll()
        for descriptor in by_descriptor:
            asked.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in asked.poll():
                try:
                    connection, _ = by_descriptor[descriptor].accept()
                except OSError:
                    continue
                with connection, suppress(OSError):
                    connection.settimeout(_SECONDS)
                    if _uid(connection) in (0, os.getuid()):
                        connection.sendall(_told(status))


def ask(address: str) -> dict[str, Any] | None:
    """What the main process says at the address; None where it does not."""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
        own.settimeout(_SECONDS)
        own.connect(address)
        if _uid(own) == os.getuid():
            told: dict[str, Any] = json.loads(receive(own))
            return told
    return None


def _told(status: Callable[[], dict[str, Any]]) -> bytes:
    try:
        return json.dumps(status()).encode()
    except Exception as error:  # a bug here must not end the thread
        log.error("unexpected %s at %s", type(error).__name__, place_of(error))
        return b""


def _uid(connection: socket.socket) -> int:
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(found)[1]
    return uid
