"""One CA and one certificate for all replicas, as the component own-ca mounts them."""

from __future__ import annotations

import base64

from arcan_gitops.deploy.names import (
    CA_KEY,
    CA_MAP,
    SERVER_NAMESPACE,
    TLS_CERT,
    TLS_KEY,
    TLS_SECRET,
)
from arcan_gitops.overlay.manifest import Manifest


def certificate_manifests(chain: bytes, key: bytes, ca: bytes) -> list[Manifest]:
    """Secret arcan-tls and ConfigMap arcan-ca, from PEM.

    The Secret has the CA too, as cert-manager's would: the monitoring component reads it there.
    """
    data = {TLS_CERT: chain, TLS_KEY: key, CA_KEY: ca}
    secret: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": str(TLS_SECRET), "namespace": str(SERVER_NAMESPACE)},
        "type": "kubernetes.io/tls",
        "data": {str(name): base64.b64encode(pem).decode("ascii") for name, pem in data.items()},
    }
    config_map: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": str(CA_MAP), "namespace": str(SERVER_NAMESPACE)},
        "data": {str(CA_KEY): ca.decode("ascii")},
    }
    return [secret, config_map]
