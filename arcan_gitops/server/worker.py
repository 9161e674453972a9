"""What one worker does, from its fork to its end: Granian over the listener of the main process.

What Granian does by itself, and why it is set as it is here: docs/decisions/0002-server.md.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from granian._futures import _new_cbscheduler
from granian._granian import SocketHolder, WorkerSignal, WSGIWorker
from granian.constants import SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels, configure_logging

from arcan_gitops.server import logs
from arcan_gitops.server.edge import Edge
from arcan_gitops.server.gauges import Field, Row
from arcan_gitops.server.guard import Guard
from arcan_gitops.server.listeners import BACKLOG
from arcan_gitops.server.process import die_with_parent
from arcan_gitops.server.signals import RETIRE
from arcan_gitops.server.tls import Certificate

# More than one only queue for the GIL and for the lock of the audit log: 8.4k reads/s with 1, 5.2k with 4.
_THREADS: Final = 1
_FILE_THREADS: Final = 512  # Granian's default; nothing here uses them
_TICK_SECONDS: Final = 0.25
_IDLE_SECONDS: Final = 30  # of threads beyond the first, of which there are none
# It is the idle timeout of kept-alive connections too: ESO never closes its own.
_HEADER_READ_MILLISECONDS: Final = 10_000
_MAX_HEADER_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Worker:
    """What every worker of one server has in common."""

    listener: socket.socket
    connections: int  # open ones, at most, in each worker
    application: Callable[[Row, Guard], Edge]  # builds it, after the fork
    tick: Callable[[], None]  # called every quarter of a second, by a thread of its own
    close: Callable[[], None]  # called at the end

    def run(self, certificate: Certificate, row: Row, parent: int) -> None:
        """Serve until SIGTERM, then let the requests in flight finish. Every signal is blocked here."""
        die_with_parent(parent)
        os.setpgrp()  # Ctrl-C goes to the main process alone, which stops its workers in order
        row[Field.PID] = os.getpid()
        configure_logging(LogLevels.warning, logs.GRANIAN_LOGGING, True)
        stop, stopped = WorkerSignal(), threading.Event()
        stop.add_cb(stopped.set)
        loop = asyncio.new_event_loop()
        guard = Guard(self.listener, self.connections, row)
        scheduler = _new_cbscheduler(loop, _callback(self.application(row, guard)), impl_asyncio=True)
        with certificate.as_files() as (chain, key):
            self._granian(chain, key).serve_mtr(scheduler, loop, stop)
        row[Field.ACCEPTING] = row[Field.SERVING] = 1
        guard.start()
        threading.Thread(target=self._tick, name="arcan-tick", daemon=True).start()
        while (
            number := signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, RETIRE})
        ) != signal.SIGTERM:
            if number == RETIRE:
                guard.retire()
        stop.set()
        stopped.wait()
        self.close()

    def _tick(self) -> None:
        while True:
            time.sleep(_TICK_SECONDS)
            self.tick()

    def _granian(self, chain: str, key: str) -> Any:
        holder: Any = SocketHolder
        worker: Any = WSGIWorker
        return worker(
            worker_id=1,
            sock=(None, holder(self.listener.fileno(), False, BACKLOG)),
            ipc=None,
            threads=1,
            blocking_threads=_FILE_THREADS,
            py_threads=_THREADS,
            py_threads_idle_timeout=_IDLE_SECONDS,
            backpressure=self.connections,
            http_mode="1",
            http1_opts=HTTP1Settings(
                header_read_timeout=_HEADER_READ_MILLISECONDS, max_buffer_size=_MAX_HEADER_BYTES
            ),
            ssl_enabled=True,
            ssl_cert=chain,
            ssl_key=key,
            ssl_protocol_min=str(SSLProtocols.tls12),
        )


def _callback(application: Edge) -> Callable[[Any, dict[str, Any]], int]:
    """What Granian calls for each request.

    Its own wrapper of a WSGI callable copies the environment of this process into that of each request.
    """

    def answer(protocol: Any, scope: dict[str, Any]) -> int:
        status, headers, body = application.respond(scope)
        protocol.response_bytes(status, headers, body)
        return status

    return answer
