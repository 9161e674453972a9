"""What `arcan serve` runs with: built once at the edge, and passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from arcan_gitops.realms import Selection


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Every setting of one server."""

    realms: Path  # the folder of the realms, watched for changes
    selection: Selection  # the realms and environments that are loaded
    data_dir: Path  # where the server's own CA lives, if it makes one
    host: str = "127.0.0.1"  # the address that is listened on
    port: int = 9797  # its port
    tls_hosts: tuple[str, ...] = ("localhost", "127.0.0.1")  # the names of a certificate that we make
    tls_files: tuple[Path, Path] | None = None  # certificate and key, if the operator brought them
    workers: int = 1  # processes that answer requests
    max_connections: int = 4096  # open connections over all workers
    drain_delay: float = 2.0  # seconds of 503 on /readyz before the listener closes
    audit_log: str = "-"  # file to append to, or "-" for standard output
    identity_files: tuple[Path, ...] = ()  # age key files
    identities: tuple[str, ...] = field(default=(), repr=False)  # texts of more of them
    allow_demo_identity: bool = False  # serve documents that the whole world can decrypt
