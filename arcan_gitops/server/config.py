"""What `arcan serve` runs with: built once at the edge, and passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from arcan_gitops.getsops import Fallback
from arcan_gitops.realms import Selection
from arcan_gitops.server.notify import NOBODY, Supervisor
from arcan_gitops.sops import Identities


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Every setting of one server."""

    realms: Path  # the folder of the realms, watched for changes
    selection: Selection  # the realms and environments that are loaded
    identities: Callable[[], Identities]  # reads the private keys; raises `ArcanError`
    data_dir: Path  # where the server's own CA lives, if it makes one, and what the next start must know
    host: str = "127.0.0.1"  # the address that is listened on
    port: int = 9797  # its port
    metrics_port: int | None = None  # where Prometheus reads, if it does
    revoked: Path | None = None  # the list of tokens that are refused whatever the tokens files say
    clusters: Path | None = None  # the folder of the clusters whose accounts may call
    tls_hosts: tuple[str, ...] = ("localhost", "127.0.0.1")  # the names of a certificate that we make
    tls_files: tuple[Path, Path] | None = None  # certificate and key, if the operator brought them
    workers: int = 1  # processes that answer requests
    max_connections: int = 4096  # open connections over all workers
    drain_delay: float = 2.0  # seconds of 503 on /readyz before the listener closes
    audit_log: str = "-"  # file to append to, or "-" for standard output
    audit_key: Path | None = None  # the key that seals the log's chains; else one in the data directory
    fallback: Fallback = field(default_factory=Fallback)  # opens what is not native, where that is allowed
    supervisor: Supervisor = NOBODY  # who is told when the server is ready, and that it lives
    start_whole: bool = False  # a start with a bad document is none; else what is sound is served
    last_good_for: float | None = None  # seconds that a last good document may be served; None: no end
    deletions_recorded: bool = False  # whatever the realms say, a missing key is 404 only by a record
    binding_required: bool = False  # a document must be bound to its place
    allow_demo_identity: bool = False  # serve documents that the whole world can decrypt
