"""What a server in the cluster reads, and Git must not hold."""

from __future__ import annotations

from arcan_gitops.bootstrap.objects import Secret, Value
from arcan_gitops.deploy.names import (
    IDENTITY_KEY,
    IDENTITY_SECRET,
    SERVER_NAMESPACE,
    TLS_CERT,
    TLS_KEY,
    TLS_SECRET,
)
from arcan_gitops.deploy.settings import ServerSettings


def server_secrets(server: ServerSettings) -> tuple[Secret, ...]:
    """The age identity; and the certificate, where no component makes it."""
    identity = Value("identity.txt", "the age identity that opens the realms (AGE-SECRET-KEY-1...)")
    secrets = [Secret(SERVER_NAMESPACE, IDENTITY_SECRET, {IDENTITY_KEY: identity}, of="the server")]
    if not has_ca(server):
        values = {
            TLS_CERT: Value(
                "tls/server.crt", "the server's certificate, and what is above it", from_file=True
            ),
            TLS_KEY: Value("tls/server.key", "its private key", from_file=True),
        }
        secrets.append(Secret(SERVER_NAMESPACE, TLS_SECRET, values, of="the server"))
    return tuple(secrets)


def has_ca(server: ServerSettings) -> bool:
    """Whether Secret arcan-tls holds the CA too: one of our own, or cert-manager's."""
    return any(name in server.components for name in ("own-ca", "cert-manager"))
