"""One server from start to end: load, verify, bind, fork, watch, drain."""

from __future__ import annotations

import gc
import json
import logging
import signal
import socket
import ssl
import time
from typing import Any, Final

from arcan_gitops.server import logs, metrics, tls
from arcan_gitops.server.board import Board
from arcan_gitops.server.config import ServerConfig
from arcan_gitops.server.edge import Edge
from arcan_gitops.server.gauges import Field, Gauges, Row
from arcan_gitops.server.guard import Guard
from arcan_gitops.server.listeners import address
from arcan_gitops.server.notify import Notifier
from arcan_gitops.server.preparing import Prepared, load_certificate, prepare
from arcan_gitops.server.process import allow_open_files, forbid_core_dumps
from arcan_gitops.server.renewal import Renewal
from arcan_gitops.server.revoked_list import RevokedList
from arcan_gitops.server.routes import LIVE, READY
from arcan_gitops.server.signals import STOPS, Signals
from arcan_gitops.server.small_server import Reply, SmallServer
from arcan_gitops.server.status import State as StatusState
from arcan_gitops.server.status import status_of
from arcan_gitops.server.status_socket import StatusSockets
from arcan_gitops.server.traffic import Shared, Traffic
from arcan_gitops.server.watch import Watcher
from arcan_gitops.server.worker import Worker
from arcan_gitops.server.workers import Workers
from arcan_gitops.webhook import error_body

log = logging.getLogger("arcan.server")

_TICK_SECONDS: Final = 0.5
_ROWS_A_WORKER: Final = 3  # one that serves, one that comes, one that leaves
_ALONE_SECONDS: Final = 1.0  # without a worker, until the main process answers in its place


def serve(config: ServerConfig) -> None:
    """Run until SIGTERM or SIGINT, then return. Raises `ArcanError` where it cannot start.

    Everything is loaded and verified before the port is bound; all that is wrong is reported at once.
    """
    signals = Signals()
    signals.while_loading()
    logs.configure()
    forbid_core_dumps()
    prepared = prepare(config)
    allow_open_files(config.max_connections)
    signals.hold()
    _Server(config, prepared, signals).run()
    log.info("stopped")


class _Server:
    """The main process. Its threads are started after the first fork."""

    def __init__(self, config: ServerConfig, prepared: Prepared, signals: Signals) -> None:
        self._config = config
        self._prepared = prepared
        self._signals = signals
        self._started = time.time()
        self._status_sockets = StatusSockets(config.data_dir)
        self._board = Board(prepared.started.snapshot, self._status_sockets.address)
        revoked = RevokedList(config.revoked)
        self._watcher = Watcher(
            config.realms, prepared.repository, self._board, revoked=revoked, clusters=prepared.clusters
        )
        self._gauges = Gauges(_ROWS_A_WORKER * config.workers)
        self._traffic = Shared(_ROWS_A_WORKER * config.workers)
        self._own_traffic = Traffic()  # of a worker, in its process
        connections = max(1, config.max_connections // config.workers)
        audit = prepared.audit
        worker = Worker(prepared.listener, connections, self._application, self._tick, audit.close)
        self._workers = Workers(config.workers, worker, prepared.certificate, self._gauges)
        self._context = tls.server_context(prepared.certificate)  # of what the main process answers itself
        own = config.data_dir / "tls"
        names = ("ca.crt", "ca.key", "server.crt", "server.key")
        files = config.tls_files or tuple(own / name for name in names)
        self._renewal = Renewal(prepared.certificate, files, lambda: load_certificate(config))
        self._notifier = Notifier(config.supervisor)

    def _application(self, row: Row, guard: Guard) -> Edge:
        """What a worker serves."""
        self._board.enter_worker()
        self._prepared.audit.enter_worker(row, self._gauges)
        self._own_traffic = Traffic(self._traffic.region(row.number))
        return Edge(self._board, self._prepared.audit, guard, traffic=self._own_traffic)

    def _tick(self) -> None:
        """Of a worker."""
        self._prepared.audit.tick()
        self._own_traffic.tick()

    def run(self) -> None:
        """Until the end."""
        self._watcher.look_at_tokens()  # what is revoked is refused from the first request on
        gc.freeze()  # what is loaded stays shared with the workers
        self._watcher.report(self._prepared.started)
        self._workers.look()
        self._watcher.start()
        self._status_sockets.start(self._status)
        self._announce()
        self._start_answers()
        self._renewal.remind()
        self._notifier.ready()
        self._loop()
        self._notifier.stopping()
        self._board.drain()
        self._prepared.listener.close()
        self._workers.stop()
        self._status_sockets.close()
        self._prepared.audit_folder.save(self._gauges.chains())

    def _loop(self) -> None:
        """Until SIGINT, a second signal, or the end of the drain that SIGTERM began."""
        end: float | None = None
        while end is None or time.monotonic() < end:
            tick = _TICK_SECONDS if end is None else min(_TICK_SECONDS, self._config.drain_delay)
            number = self._signals.take(tick)
            if number is signal.SIGHUP:
                self._watcher.ask()
            elif number in STOPS:
                self._watcher.stop()
                if number is signal.SIGINT or end is not None:
                    break
                log.info("draining for %g s", self._config.drain_delay)
                self._notifier.stopping()
                self._board.drain()
                end = time.monotonic() + self._config.drain_delay
            self._workers.look()
            self._look_at_certificate()
            self._prepared.audit_folder.look(self._gauges.chains)
            self._notifier.alive()

    def _look_at_certificate(self) -> None:
        if not self._renewal.look():
            return
        self._workers.serve_with(self._renewal.current)
        try:
            tls.load_into(self._context, self._renewal.current)
        except (ssl.SSLError, OSError) as error:  # it was loaded once already, when it was checked
            log.error("the metrics go on with the old certificate: %s", type(error).__name__)

    def _start_answers(self) -> None:
        stand_in = SmallServer(
            self._prepared.listener,
            self._context,
            _without_workers,
            lambda: self._workers.none_for(_ALONE_SECONDS),
        )
        stand_in.start()
        listener = self._prepared.metrics_listener
        if listener is not None:
            listener.setblocking(False)
            SmallServer(listener, self._context, metrics.answer(self._state)).start()
            log.info("metrics on %s/metrics", address(listener))

    def _state(self) -> metrics.State:
        rows = list(self._gauges.taken())
        return metrics.State(
            self._board.held,
            self._renewal.current,
            workers=self._workers.serving,
            connections=sum(row[Field.CONNECTIONS] for row in rows),
            gone=self._watcher.gone.counts(),
            reload_failed=self._board.reload_failed(),
            audit_failing=any(row[Field.AUDIT_FAILING] for row in rows),
            certificate_failed=self._renewal.failed,
            traffic=self._traffic.total(),
        )

    def _status(self) -> dict[str, Any]:
        rows, audit = list(self._gauges.taken()), self._prepared.audit
        state = StatusState(
            instance=socket.gethostname(),
            started=self._started,
            snapshot=self._board.held,
            served_since=self._board.served_since,
            certificate=self._renewal.current,
            problems=self._watcher.problems,
            folder=str(self._config.realms),
            workers=self._workers.serving,
            workers_wanted=self._config.workers,
            connections=sum(row[Field.CONNECTIONS] for row in rows),
            audit_target=self._config.audit_log,
            audit_key=audit.key_id,
            gone=sum(self._watcher.gone.counts().values()),
            requests=round(sum(sum(counts[:-1]) for counts in self._traffic.total().values())),
            reload_failed=self._board.reload_failed(),
            audit_failing=any(row[Field.AUDIT_FAILING] for row in rows),
            certificate_failed=self._renewal.failed,
        )
        return status_of(state, time.time())

    def _announce(self) -> None:
        snapshot, certificate = self._prepared.started.snapshot, self._prepared.certificate
        for realm, environment in snapshot.names():
            loaded = snapshot.environments[realm][environment]
            log.info("loaded %s/%s: %d keys, verified", realm, environment, len(loaded.values))
        if certificate.ca is not None:
            log.info("clients trust this server by %s", certificate.ca)
        log.info("the certificate expires on %s", certificate.expires.date().isoformat())
        log.info("serving revision %s on %s", snapshot.revision[:12], address(self._prepared.listener))


def _without_workers(method: str, path: str) -> Reply:
    """What the main process answers while every worker is dead: 503, which changes nothing in a cluster."""
    if method == "GET" and path == LIVE.path:
        return Reply(200, b'{"status":"alive"}')
    if method == "GET" and path == READY.path:
        return Reply(503, json.dumps({"status": "no_worker"}).encode())
    return Reply(503, error_body("not_loaded", "no worker answers; try again"))
