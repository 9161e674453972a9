"""What a server in the cluster and what it reads are called: as in `kustomize/base` and the components."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from arcan_gitops.names import KeyName, Namespace, ObjectName
from arcan_gitops.overlay.server_url import ServerUrl

SERVER_NAMESPACE: Final = Namespace("arcan")
SERVICE_HOSTS: Final = ("arcan.arcan.svc", "arcan.arcan.svc.cluster.local")
IDENTITY_SECRET: Final = ObjectName("arcan-age-identity")
IDENTITY_KEY: Final = KeyName("identity.txt")
TLS_SECRET: Final = ObjectName("arcan-tls")
TLS_CERT: Final = KeyName("tls.crt")
TLS_KEY: Final = KeyName("tls.key")
CA_MAP: Final = ObjectName("arcan-ca")
CA_KEY: Final = KeyName("ca.crt")


def server_hosts(*urls: ServerUrl) -> tuple[str, ...]:
    """What the server's certificate has to name: its Service, and the hosts of the URLs that stores use."""
    found = [host for url in urls if (host := urlsplit(url).hostname)]
    return tuple(dict.fromkeys((*SERVICE_HOSTS, *found)))
