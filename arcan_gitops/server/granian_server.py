"""Granian over our own listener, with our reload and a drain before the end.

What Granian does by itself, and why it is set or overridden here: docs/decisions/0002-server.md.
"""

from __future__ import annotations

import _thread
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, Final

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from arcan_gitops.server import logs
from arcan_gitops.server.app import create_app
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.board import Board
from arcan_gitops.server.config import ServerConfig
from arcan_gitops.server.process import die_with_parent
from arcan_gitops.server.tls import Certificate
from arcan_gitops.server.watch import Watcher

log = logging.getLogger("arcan.server")

BACKLOG: Final = 2048  # connections that the kernel holds until a worker takes them
_THREADS: Final = 4
_KILL_SECONDS: Final = 8
# It is the idle timeout of kept-alive connections too: ESO never closes its own.
_HEADER_READ_MILLISECONDS: Final = 10_000
_MAX_HEADER_BYTES: Final = 16 * 1024


class WorkerApp:
    """Builds the application in each worker, right after the fork."""

    def __init__(self, board: Board, audit: AuditLog, parent: int) -> None:
        self._board = board
        self._audit = audit
        self._parent = parent

    def __call__(self) -> Callable[..., Any]:
        die_with_parent(self._parent)
        os.setpgrp()  # Ctrl-C goes to the main process alone, which stops its workers in order
        self._board.enter_worker()
        self._audit.enter_worker()
        return create_app(self._board, self._audit)


class EdgeServer(MPServer):
    """One server: the main process here, the workers forked from it."""

    def __init__(
        self,
        config: ServerConfig,
        certificate: Certificate,
        listener: socket.socket,
        board: Board,
        watcher: Watcher,
        announce: Callable[[], None],
    ) -> None:
        super().__init__(
            "arcan_gitops.server.app",
            address=config.host,
            port=config.port,
            interface=Interfaces.WSGI,
            workers=config.workers,
            blocking_threads=_THREADS,
            backlog=BACKLOG,
            backpressure=max(1, config.max_connections // config.workers),
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=_HEADER_READ_MILLISECONDS, max_buffer_size=_MAX_HEADER_BYTES
            ),
            websockets=False,
            log_level=LogLevels.warning,
            log_dictconfig=logs.GRANIAN_LOGGING,
            ssl_cert=certificate.cert,
            ssl_key=certificate.key,
            ssl_protocol_min=SSLProtocols.tls12,
            respawn_failed_workers=True,
            workers_kill_timeout=_KILL_SECONDS,
        )
        self._main = os.getpid()
        self._listener = listener
        self._board = board
        self._watcher = watcher
        self._announce = announce
        self._drain_delay = config.drain_delay

    def _init_shared_socket(self) -> None:
        self._sso = self._listener
        self._sso.set_inheritable(True)
        holder: Any = SocketHolder
        self._shd = holder(self._listener.fileno(), False, BACKLOG)

    def _spawn_workers(self, *args: Any, **kwargs: Any) -> None:
        super()._spawn_workers(*args, **kwargs)
        self._watcher.start()  # a thread, so only after the first fork
        self._announce()

    # A handler runs between two steps of the main thread, which may be about to wait, and hold the lock of
    # the very event that the handler would set: for ever. A thread of its own can wait for that lock.

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """SIGTERM drains first; SIGINT, and a second signal, end at once."""
        if os.getpid() != self._main:  # a worker, which has no handler of its own yet
            os._exit(0)
        _thread.start_new_thread(self._interrupt, args)

    def _interrupt(self, *args: Any) -> None:
        self._watcher.stop()
        if args and args[0] == signal.SIGTERM and not self._board.draining():
            log.info("draining for %g s", self._drain_delay)
            self._board.drain()
            time.sleep(self._drain_delay)
        self._board.drain()
        super().signal_handler_interrupt(*args)

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """SIGHUP reloads in place; Granian's own way respawns workers, which drops connections."""
        _thread.start_new_thread(self._watcher.ask, ())

    def shutdown(self, exit_code: int = 0) -> None:
        if self.interrupt_signal:
            self.interrupt_children.clear()  # systemd signals the workers too: that they ended is no failure
        super().shutdown(exit_code)
        log.info("stopped")
