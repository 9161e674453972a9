"""Objects that a cluster would hold and that are no part of the manifests: the token, the CA."""

from __future__ import annotations

from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.objects import ConfigMap, KubernetesSecret, StoreKind
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE


def with_token(cluster: Cluster, token: str) -> Cluster:
    """The cluster with `token` in each credential Secret that a store asks for and that is not given.

    Stores without https get none.

    The Secret is as ESO wants it: labelled, in the right namespace, the token under the key that the store
    names (`token` if it names none).
    """
    for store in cluster.stores:
        if store.webhook is None or not store.webhook.url.startswith("https://"):
            continue  # a real token in clear is too high a price for a try
        for wanted in store.webhook.secrets:
            clusterwide = store.id.kind is StoreKind.CLUSTER_SECRET_STORE
            namespace = wanted.namespace if clusterwide else store.id.namespace
            if namespace is None or cluster.find_secret(namespace, wanted.secret_name) is not None:
                continue
            cluster = cluster.with_secret(
                KubernetesSecret(
                    namespace,
                    wanted.secret_name,
                    {wanted.key or "token": token.encode("utf-8")},
                    labels={SECRET_LABEL_NAME: SECRET_LABEL_VALUE},
                )
            )
    return cluster


def with_ca(cluster: Cluster, certificates: str) -> Cluster:
    """The cluster with the PEM `certificates` in each `caProvider` that is not given."""
    for store in cluster.stores:
        wanted = store.webhook.ca_provider if store.webhook is not None else None
        namespace = (wanted.namespace or store.id.namespace) if wanted is not None else ""
        if wanted is None or not namespace:
            continue
        if wanted.kind == "Secret" and cluster.find_secret(namespace, wanted.name) is None:
            data = {wanted.key: certificates.encode("utf-8")}
            cluster = cluster.with_secret(KubernetesSecret(namespace, wanted.name, data))
        elif wanted.kind == "ConfigMap" and cluster.find_config_map(namespace, wanted.name) is None:
            cluster = cluster.with_config_map(ConfigMap(namespace, wanted.name, {wanted.key: certificates}))
    return cluster
