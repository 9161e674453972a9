"""Which CA certificates a store's client trusts.

Source: esutils `FetchCACertFromSource`, webhook.go `GetCACertPool`; measured with ESO itself
"""

from __future__ import annotations

import base64
import re
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.errors import EsoError
from arcan_gitops.eso.keys import decode
from arcan_gitops.eso.objects import CaProvider, StoreId, StoreKind, Webhook
from arcan_gitops.golang.errors import GoError

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


def ca_certificates(webhook: Webhook, store: StoreId, namespace: str, cluster: Cluster) -> str | None:
    """The PEM certificates that the store pins, or None for the system's.

    `namespace` is the ExternalSecret's. Raises `EsoError` with ESO's text.
    """
    if webhook.ca_bundle:
        try:
            data = _decoded_bundle(webhook.ca_bundle)
        except GoError as error:
            raise EsoError(f"failed to decode ca bundle: {error}") from None
    elif webhook.ca_provider is not None:
        data = _provided(webhook.ca_provider, store, namespace, cluster)
    else:
        return None
    pem = _pool(data)
    if not pem:
        raise EsoError("failed to append cabundle")
    return pem


def _decoded_bundle(data: bytes) -> bytes:
    """PEM, or base64 of PEM; only the first block is checked (`parseCertificateBytes`)."""
    try:
        return _checked(data)
    except GoError:
        pass
    return _checked(decode(data, "Auto"))


def _checked(data: bytes) -> bytes:
    block = _BLOCK.search(data)
    if block is None:
        raise EsoError("failed to parse the new certificate, not valid pem data")
    if _certificate(block) is None:
        raise EsoError("failed to validate certificate: x509: malformed certificate")
    return data


def _certificate(block: re.Match[bytes]) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(block[2]))
    except ValueError:
        return None


def _pool(data: bytes) -> str:
    """The certificates among the PEM blocks; others are passed over (`AppendCertsFromPEM`)."""
    certificates = (_certificate(block) for block in _BLOCK.finditer(data) if block[1] == b"CERTIFICATE")
    return "".join(c.public_bytes(Encoding.PEM).decode("ascii") for c in certificates if c is not None)


def _provided(provider: CaProvider, store: StoreId, namespace: str, cluster: Cluster) -> bytes:
    clusterwide = store.kind is StoreKind.CLUSTER_SECRET_STORE
    if clusterwide and provider.namespace is None:
        raise EsoError("missing namespace on caProvider secret")
    if not clusterwide and provider.namespace is not None and provider.namespace != namespace:
        raise EsoError("namespace not allowed with namespaced SecretStore")
    place = provider.namespace or namespace
    if provider.kind == "ConfigMap":
        prefix = "failed to get cert from configmap"
        try:
            found = cluster.config_map(place, provider.name)
        except GoError as error:
            raise EsoError(f"{prefix}: failed to get caProvider secret {provider.name}: {error}") from None
        if provider.key not in found.data:
            what = f"failed to get caProvider configMap {provider.name} -> {provider.key}"
            raise EsoError(f"{prefix}: {what}")
        return found.data[provider.key].encode("utf-8")
    prefix = "failed to get cert from secret: failed to resolve secret key ref"
    try:
        secret = cluster.secret(place, provider.name)
    except GoError as error:
        what = f'cannot get Kubernetes secret "{provider.name}" from namespace "{place}"'
        raise EsoError(f"{prefix}: {what}: {error}") from None
    if provider.key not in secret.data:
        raise EsoError(f'{prefix}: cannot find secret data for key: "{provider.key}"')
    return secret.data[provider.key]
