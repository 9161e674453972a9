"""An emulator of External Secrets Operator's webhook client: manifests and a live server in, Secret out.

    from arcan_gitops.eso import NetTransport, read_cluster, refresh, validate_stores
    from arcan_gitops.yamlio import read_objects

    documents = read_objects(Path("manifests.yaml").read_bytes(), "manifests.yaml")
    cluster = read_cluster([("manifests.yaml", document) for document in documents])
    transport = NetTransport(connect_to=("127.0.0.1", 9797))  # TLS still verifies the store's host
    cluster = validate_stores(cluster, transport)             # optional: ESO's store controller
    for external_secret in cluster.external_secrets:
        outcome = refresh(external_secret, cluster, transport)
        cluster = outcome.applied_to(cluster)
        assert outcome.condition.reason == "SecretSynced", outcome.error
        assert outcome.secret.data["DATABASE_URL"] == b"postgres://..."

The manifests hold the store, the ExternalSecret, the credential Secret (with ESO's label) and the CA
(ConfigMap, Secret or caBundle). Everything is pure but the transport, which is a port (`Transport`).
The measure is ESO v2.9.0; what the emulator does not know raises `NotSupported`, and is never guessed.
"""

from arcan_gitops.eso.cluster import Cluster, StoreStatus
from arcan_gitops.eso.errors import NotSupported
from arcan_gitops.eso.https import NetTransport
from arcan_gitops.eso.manifests import read_cluster
from arcan_gitops.eso.objects import ConfigMap, ExternalSecret, KubernetesSecret, Namespace, Store
from arcan_gitops.eso.outcome import Condition, Event, Fate, Outcome
from arcan_gitops.eso.refresh import refresh
from arcan_gitops.eso.transport import CallFailed, Client, Request, Response, Transport
from arcan_gitops.eso.validation import validate_store, validate_stores

__all__ = [
    "CallFailed",
    "Client",
    "Cluster",
    "Condition",
    "ConfigMap",
    "Event",
    "ExternalSecret",
    "Fate",
    "KubernetesSecret",
    "Namespace",
    "NetTransport",
    "NotSupported",
    "Outcome",
    "Request",
    "Response",
    "Store",
    "StoreStatus",
    "Transport",
    "read_cluster",
    "refresh",
    "validate_store",
    "validate_stores",
]
