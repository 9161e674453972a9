"""All that a start needs: loaded, verified and open, or every problem at once."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from arcan_gitops.demo import DEMO_RECIPIENT
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.realms import Demands, Keeping, KeptDocuments, RealmTree, Reload, Repository
from arcan_gitops.server import tls
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.audit_folder import AuditFolder
from arcan_gitops.server.cluster_list import ClusterList
from arcan_gitops.server.config import ServerConfig
from arcan_gitops.server.listeners import CannotServe, listen
from arcan_gitops.server.process import forbid_core_dumps
from arcan_gitops.sops import Identities

log = logging.getLogger("arcan.server")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is ready to be served."""

    repository: Repository
    started: Reload
    clusters: ClusterList
    certificate: tls.Certificate
    audit: AuditLog
    audit_folder: AuditFolder
    listener: socket.socket
    metrics_listener: socket.socket | None


class _Attempts:
    """Tries one step after the other, and keeps what is wrong with each."""

    def __init__(self) -> None:
        self.problems: list[ArcanError] = []

    def __call__(self, step: Callable[[], Any]) -> Any:
        """What the step returns, or None where it fails."""
        try:
            return step()
        except SeveralErrors as error:
            self.problems.extend(error.problems)
        except ArcanError as error:
            self.problems.append(error)
        return None


def prepare(config: ServerConfig) -> Prepared:
    """All that can fail, before anything is served. Raises `SeveralErrors` with all that is wrong."""
    attempt = _Attempts()
    repository, started, clusters = _load(config, attempt)
    certificate = attempt(lambda: load_certificate(config))
    audit_folder = AuditFolder(config.data_dir)
    audit = attempt(
        lambda: AuditLog(
            config.audit_log, key=audit_folder.key(config.audit_key), before=audit_folder.heads()
        )
    )
    listener = attempt(lambda: listen(config.host, config.port))
    metrics_listener = None
    if (metrics_port := config.metrics_port) is not None:
        metrics_listener = attempt(lambda: listen(config.host, metrics_port))
    if attempt.problems or repository is None or started is None:
        count = len(attempt.problems)
        raise SeveralErrors(f"the server does not start: {count} problem(s)", attempt.problems)
    return Prepared(
        repository, started, clusters, certificate, audit, audit_folder, listener, metrics_listener
    )


def check(config: ServerConfig) -> Reload:
    """All that a whole start loads and verifies, and nothing that it makes: no port, no file, no audit line.

    Raises `SeveralErrors` with all that is wrong.
    """
    forbid_core_dumps()
    attempt = _Attempts()
    _, started, _ = _load(replace(config, start_whole=True), attempt)
    if config.tls_files is not None:
        attempt(lambda: load_certificate(config))
    if attempt.problems or started is None:
        raise SeveralErrors(f"a server would not start: {len(attempt.problems)} problem(s)", attempt.problems)
    return started


def _load(config: ServerConfig, attempt: _Attempts) -> tuple[Repository | None, Reload | None, ClusterList]:
    """The realms and clusters; None where an attempt has failed."""
    identities = attempt(lambda: _identities(config))
    attempt(lambda: _probe(config))
    clusters = ClusterList(config.clusters)
    attempt(lambda: clusters.load(whole=config.start_whole))
    if identities is None:
        return None, None, clusters
    forbidden = frozenset() if config.allow_demo_identity else frozenset({DEMO_RECIPIENT})
    repository = Repository(
        RealmTree(config.realms),
        identities,
        config.selection,
        Demands(config.binding_required, config.deletions_recorded, forbidden),
        config.fallback.load,
        Keeping(_kept(config), config.last_good_for),
    )
    start = repository.start if config.start_whole else repository.start_sound
    return repository, attempt(lambda: start(clusters.current)), clusters


def _kept(config: ServerConfig) -> KeptDocuments | None:
    """The last good documents in the data directory. A pod has none, and needs none: it never starts beside a
    bad document, and the pods before it go on serving.
    """
    return None if config.start_whole else KeptDocuments(config.data_dir / "last-good")


def _identities(config: ServerConfig) -> Identities:
    identities = config.identities()
    if DEMO_RECIPIENT in identities.recipients and not config.allow_demo_identity:
        raise CannotServe(
            "the identity is the demo identity, which is public and protects nothing",
            hint="make your own with arcan keygen and encrypt the realms to it; "
            "--allow-demo-identity serves the samples anyway",
        )
    return identities


def _probe(config: ServerConfig) -> None:
    """Say which getsops binary is used for what; raises `BinaryFailed` where it does not run."""
    binary, allowed = config.fallback.binary, config.fallback.allowed
    if binary is not None:
        kinds = ", ".join(sorted(allowed.types)) or "selection by comments alone"
        log.info("%s is sops %s, and may be used for %s", binary.path, binary.version(), kinds)


def load_certificate(config: ServerConfig) -> tls.Certificate:
    """The certificate as its files are now; our own is made or renewed. Raises `ArcanError`."""
    if config.tls_files is not None:
        return tls.given(*config.tls_files)
    return tls.own(config.data_dir / "tls", config.tls_hosts)
