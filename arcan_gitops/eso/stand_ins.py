"""Objects that a cluster would hold and that are not among the manifests: the token, the CA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

from arcan_gitops.errors import ArcanError
from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.files import read_manifests
from arcan_gitops.eso.manifests import read_cluster
from arcan_gitops.eso.objects import ConfigMap, KubernetesSecret, Store, StoreId, StoreKind, StoreSecret
from arcan_gitops.names import did_you_mean
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE

Token: TypeAlias = str | KubernetesSecret


def with_token(cluster: Cluster, token: str) -> Cluster:
    """The cluster with `token` in each credential Secret that a store asks for and that is not given."""
    for store in cluster.stores:
        for wanted, namespace in _wanted(store):
            if cluster.find_secret(namespace, wanted.secret_name) is None:
                cluster = cluster.with_secret(_secret(token, wanted, namespace))
    return cluster


def with_tokens(cluster: Cluster, tokens: Sequence[tuple[str, Token]]) -> Cluster:
    """The cluster with a token for each store that is named (`arcan`, or `team/arcan`), also in place of a
    Secret that is given.

    A text becomes a Secret as ESO wants it: labelled, in the right namespace, under the key that the store
    names (`token` if it names none); a Secret is taken as it is, but for its name and namespace.
    Raises `ArcanError` for a name that no store has, and for two tokens in one Secret.
    """
    given: dict[tuple[str, str], tuple[str, Token]] = {}
    for name, token in tokens:
        stores = [store for store in cluster.stores if name in _names(store.id)]
        if not stores:
            known = sorted({store.id.name for store in cluster.stores})
            problem = f"there is no store '{name[:80]}' in these manifests"
            raise ArcanError(problem, hint=did_you_mean(name, known))
        for store in stores:
            for wanted, namespace in _wanted(store):
                place = namespace, wanted.secret_name
                other, its_token = given.setdefault(place, (name, token))
                if its_token != token:
                    secret = f"{namespace}/{wanted.secret_name}"
                    problem = f"stores '{other}' and '{name}' read one Secret, {secret}"
                    raise ArcanError(f"{problem}: it holds one token", hint="give one of them alone")
                cluster = cluster.with_secret(_secret(token, wanted, namespace))
    return cluster


def _wanted(store: Store) -> Iterator[tuple[StoreSecret, str]]:
    """The credential Secrets that a store asks for, each with its namespace.

    None without https: a real token in clear is too high a price for a try.
    """
    if store.webhook is None or not store.webhook.url.startswith("https://"):
        return
    clusterwide = store.id.kind is StoreKind.CLUSTER_SECRET_STORE
    for wanted in store.webhook.secrets:
        namespace = wanted.namespace if clusterwide else store.id.namespace
        if namespace is not None:
            yield wanted, namespace


def _names(store: StoreId) -> tuple[str, ...]:
    return (store.name, f"{store.namespace}/{store.name}") if store.namespace else (store.name,)


def _secret(token: Token, wanted: StoreSecret, namespace: str) -> KubernetesSecret:
    if isinstance(token, KubernetesSecret):
        return replace(token, name=wanted.secret_name, namespace=namespace)
    data = {wanted.key or "token": token.encode("utf-8")}
    labels = {SECRET_LABEL_NAME: SECRET_LABEL_VALUE}
    return KubernetesSecret(namespace, wanted.secret_name, data, labels=labels)


def read_token(data: bytes, source: str) -> Token:
    """A token from a file: its text, or the Secret manifest that holds it.

    Raises `ArcanError`, which shows nothing of the file.
    """
    text = data.decode("utf-8", "replace").strip()
    if not text:
        raise ArcanError(f"{source}: is empty", hint="arcan token create ... > FILE writes a token")
    if "\n" not in text:
        return text
    secrets: tuple[KubernetesSecret, ...] = ()
    with suppress(ArcanError):  # its text may quote the file
        secrets = read_cluster(read_manifests([(source, data)])).secrets
    if len(secrets) != 1:
        raise ArcanError(
            f"{source}: holds neither a token, in one line, nor the manifest of one Secret",
            hint="arcan token create ... --format secret > FILE writes one",
        )
    return secrets[0]


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
