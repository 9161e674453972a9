"""A store's `Ready` condition: what ESO's store controller finds out about it.

It makes a client (which reads the CA), then dials the host and port of the untemplated URL over TCP; no
TLS, no request, no credential. Source: secretstore/common.go, esutils `NetworkValidate`; contract 2.7.
"""

from __future__ import annotations

from typing import Final

from arcan_gitops.eso.cluster import Cluster, StoreStatus
from arcan_gitops.eso.errors import EsoError, NotSupported
from arcan_gitops.eso.objects import Store, StoreId, Webhook
from arcan_gitops.eso.provider import WebhookClient
from arcan_gitops.eso.transport import CallFailed, Transport
from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError

_TIMEOUT: Final = 15.0
_READY: Final = StoreStatus(True, "Valid", "store validated")


def validate_store(store: Store, cluster: Cluster, transport: Transport) -> StoreStatus:
    """Whether ESO would mark the store ready, and why not.

    Raises `NotSupported`, for example for a store of another provider.
    """
    if store.webhook is None:
        raise NotSupported(f"the provider {store.provider} of {store.id}")
    try:
        WebhookClient(store, store.id.namespace, cluster, transport).close()
    except GoError as error:
        return StoreStatus(False, "InvalidProviderConfig", "unable to create client", str(error))
    try:
        _dial(store.webhook, transport)
    except GoError as error:
        return StoreStatus(False, "InvalidProviderConfig", "unable to validate store", str(error))
    return _READY


def validate_stores(cluster: Cluster, transport: Transport) -> Cluster:
    """The cluster with the status of each store; one that is not emulated is left without."""
    statuses: dict[StoreId, StoreStatus] = {}
    for store in cluster.stores:
        try:
            statuses[store.id] = validate_store(store, cluster, transport)
        except NotSupported:
            continue
    return cluster.with_statuses(statuses)


def _dial(webhook: Webhook, transport: Transport) -> None:
    try:
        url = go_url.parse(webhook.url)
    except GoError as error:
        raise EsoError(f"could not parse url: {error}") from None
    port = url.port if url.port is not None else 443
    if ":" in url.host:  # NetworkValidate joins an IPv6 address and the port without brackets
        problem = f"dial tcp: address {url.host}:{port}: too many colons in address"
        raise EsoError(f"error accessing external store: {problem}")
    try:
        transport.dial(url.host, port, _TIMEOUT)
    except CallFailed as error:
        raise EsoError(f"error accessing external store: {error}") from None
