"""A small HTTPS server for a few plain answers, in threads of the main process.

Each connection has one request, and a few seconds for all of it. Where all threads are taken, the oldest
connection is closed for the new one: a client that says nothing, or a byte now and then, keeps nobody out.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from arcan_gitops.errors import place_of

log = logging.getLogger("arcan.server")

_SECONDS: Final = 5.0  # for a connection, from the accept to the last byte
_MOST: Final = 16  # connections at once
_MAX_HEAD_BYTES: Final = 16 * 1024
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Never 404, which ESO takes for "deleted" where a store names the port."""

    status: int
    body: bytes
    content_type: str = "application/json"


class SmallServer:
    """Answers on a listener while `active` says so."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        answer: Callable[[str, str], Reply],
        active: Callable[[], bool] = lambda: True,
    ) -> None:
        """`answer` is given the method and the path without a query."""
        self._listener = listener
        self._context = context
        self._answer = answer
        self._active = active
        self._open: list[ssl.SSLSocket] = []  # the oldest one first
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start answering; the threads end with the process."""
        threading.Thread(target=self._accept, name="arcan-small-server", daemon=True).start()

    def _accept(self) -> None:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while True:
            if not self._active():
                time.sleep(_LOOK_SECONDS)
                continue
            try:
                if not poll.poll(_LOOK_SECONDS * 1000) or not self._active():
                    continue  # asked again: it may have ended while nobody came
                raw, _ = self._listener.accept()
            except BlockingIOError:  # somebody else was faster
                continue
            except OSError as error:
                if self._listener.fileno() < 0:  # closed: the server ends
                    return
                log.error("cannot accept connections: %s", error.strerror)
                time.sleep(1)
                continue
            with contextlib.suppress(OSError):  # the client is gone already
                connection = self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
                self._admit(connection)

    def _admit(self, connection: ssl.SSLSocket) -> None:
        with self._lock:
            self._open.append(connection)
            if len(self._open) > _MOST:
                _hang_up(self._open.pop(0))  # its thread ends, and closes it
        threading.Thread(
            target=self._serve, args=(connection,), name="arcan-small-answer", daemon=True
        ).start()

    def _serve(self, connection: ssl.SSLSocket) -> None:
        try:
            self._exchange(connection)
        except (OSError, ValueError):  # a client that gives up, is too slow, or does not trust us
            pass
        except Exception as error:
            log.error("unexpected %s at %s", type(error).__name__, place_of(error))
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._open.remove(connection)
            with contextlib.suppress(OSError):
                connection.close()

    def _exchange(self, connection: ssl.SSLSocket) -> None:
        connection.settimeout(_SECONDS)
        timer = threading.Timer(_SECONDS, _hang_up, (connection,))  # all steps together, not each
        timer.daemon = True
        timer.start()
        try:
            connection.do_handshake()
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(4096)
                head += part
                if not part or len(head) > _MAX_HEAD_BYTES:
                    return
            method, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            connection.sendall(_message(self._answer(method, target.partition("?")[0])))
            connection.unwrap()
        finally:
            timer.cancel()


def _message(reply: Reply) -> bytes:
    lines = (
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + reply.body


def _hang_up(connection: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # below TLS, which another thread is using
