"""One server from start to end: load, verify, bind, fork, watch, drain."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.demo import DEMO_RECIPIENT
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.realms import RealmTree, Repository, Snapshot
from arcan_gitops.server import logs, tls
from arcan_gitops.server.app import create_app
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.board import Board
from arcan_gitops.server.config import ServerConfig
from arcan_gitops.server.gauges import Gauges, Row
from arcan_gitops.server.listeners import CannotServe, address, listen
from arcan_gitops.server.metrics import MetricsServer
from arcan_gitops.server.process import allow_open_files, forbid_core_dumps
from arcan_gitops.server.signals import STOPS, Signals
from arcan_gitops.server.watch import Watcher
from arcan_gitops.server.worker import Worker
from arcan_gitops.server.workers import Workers
from arcan_gitops.sops import Identities

log = logging.getLogger("arcan.server")

_TICK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a start needs, loaded, verified and open."""

    repository: Repository
    snapshot: Snapshot
    certificate: tls.Certificate
    audit: AuditLog
    listener: socket.socket
    metrics_listener: socket.socket | None


def serve(config: ServerConfig) -> None:
    """Run until SIGTERM or SIGINT, then return. Raises `ArcanError` where it cannot start.

    Everything is loaded and verified before the port is bound; all that is wrong is reported at once.
    """
    signals = Signals()
    signals.while_loading()
    logs.configure()
    forbid_core_dumps()
    prepared = _prepare(config)
    allow_open_files(config.max_connections)
    board = Board(prepared.snapshot)
    watcher = Watcher(config.realms, prepared.repository, board)
    gauges = Gauges(2 * config.workers)
    metrics = None
    if prepared.metrics_listener is not None:
        metrics = MetricsServer(prepared.metrics_listener, prepared.certificate, board, gauges)
    audit = prepared.audit

    def application(row: Row) -> Any:
        board.enter_worker()
        audit.enter_worker(row, gauges)
        return create_app(board, audit)

    connections = max(1, config.max_connections // config.workers)
    worker = Worker(prepared.listener, connections, application, audit.tick)
    workers = Workers(config.workers, worker, prepared.certificate, gauges)
    signals.hold()
    gc.freeze()  # what is loaded stays shared with the workers
    workers.look()
    watcher.start()  # threads only after the first fork
    _announce(prepared)
    if metrics is not None:
        metrics.start()
        log.info("metrics on %s/metrics", address(metrics.socket))
    _run(signals, workers, watcher, board, config.drain_delay)
    prepared.listener.close()
    workers.stop()
    log.info("stopped")


def _prepare(config: ServerConfig) -> _Prepared:
    """All that can fail, before anything is served. Raises `SeveralErrors` with all that is wrong."""
    problems: list[ArcanError] = []

    def attempt(step: Callable[[], Any]) -> Any:
        try:
            return step()
        except SeveralErrors as error:
            problems.extend(error.problems)
        except ArcanError as error:
            problems.append(error)
        return None

    identities = attempt(lambda: _identities(config))
    attempt(lambda: _probe(config))
    repository = snapshot = None
    if identities is not None:
        forbidden = frozenset() if config.allow_demo_identity else frozenset({DEMO_RECIPIENT})
        repository = Repository(
            RealmTree(config.realms),
            identities,
            config.selection,
            forbidden_recipients=forbidden,
            open_document=config.fallback.load,
        )
        snapshot = attempt(repository.load)
    certificate = attempt(lambda: _certificate(config))
    audit = attempt(lambda: AuditLog(config.audit_log))
    listener = attempt(lambda: listen(config.host, config.port))
    metrics_listener = None
    if (metrics_port := config.metrics_port) is not None:
        metrics_listener = attempt(lambda: listen(config.host, metrics_port))
    if problems or repository is None or snapshot is None:
        raise SeveralErrors(f"the server does not start: {len(problems)} problem(s)", problems)
    return _Prepared(repository, snapshot, certificate, audit, listener, metrics_listener)


def _run(signals: Signals, workers: Workers, watcher: Watcher, board: Board, drain_delay: float) -> None:
    """Until SIGINT, a second signal, or the end of the drain that SIGTERM began."""
    end: float | None = None
    while end is None or time.monotonic() < end:
        number = signals.take(_TICK_SECONDS if end is None else min(_TICK_SECONDS, drain_delay))
        if number is signal.SIGHUP:
            watcher.ask()
        elif number in STOPS:
            watcher.stop()
            if number is signal.SIGINT or end is not None:
                break
            log.info("draining for %g s", drain_delay)
            board.drain()
            end = time.monotonic() + drain_delay
        workers.look()
    board.drain()


def _identities(config: ServerConfig) -> Identities:
    identities = config.identities()
    if DEMO_RECIPIENT in identities.recipients and not config.allow_demo_identity:
        raise CannotServe(
            "the identity is the demo identity, which is public and protects nothing",
            hint="make your own with arcan keygen and encrypt the realms to it; "
            "--allow-demo-identity serves the samples all the same",
        )
    return identities


def _probe(config: ServerConfig) -> None:
    """Say which getsops binary is used for what; raises `BinaryFailed` where it does not run."""
    binary, allowed = config.fallback.binary, config.fallback.allowed
    if binary is not None:
        kinds = ", ".join(sorted(allowed.types)) or "selection by comments alone"
        log.info("%s is sops %s, and may be used for %s", binary.path, binary.version(), kinds)


def _certificate(config: ServerConfig) -> tls.Certificate:
    if config.tls_files is not None:
        return tls.given(*config.tls_files)
    return tls.own(config.data_dir / "tls", config.tls_hosts)


def _announce(prepared: _Prepared) -> None:
    snapshot, certificate = prepared.snapshot, prepared.certificate
    for realm, environment in snapshot.names():
        loaded = snapshot.environments[realm][environment]
        log.info("loaded %s/%s: %d keys, verified", realm, environment, len(loaded.values))
    if certificate.ca is not None:
        log.info("clients trust this server by %s", certificate.ca)
    log.info("the certificate expires on %s", certificate.expires.date().isoformat())
    log.info("serving revision %s on %s", snapshot.revision[:12], address(prepared.listener))
