"""Manifests as plain objects, and a scene that runs them against an endpoint."""

from __future__ import annotations

import base64
from typing import Any

from arcan_gitops.eso import (
    Cluster,
    NetTransport,
    Outcome,
    StoreStatus,
    read_cluster,
    refresh,
    validate_store,
)
from tests.eso.endpoint import HOST, Endpoint

Manifest = dict[str, Any]

TOKEN = "arc_token"
URL = f"https://{HOST}:9797/api/v1/eso/production/{{{{ .remoteRef.key }}}}?env=prod"
BULK_URL = f"https://{HOST}:9797/api/v1/eso/production?env=prod"


def store(
    *, name: str = "arcan", kind: str = "SecretStore", namespace: str = "default", ca: str = "", **fields: Any
) -> Manifest:
    """A single-key store; a field given as None is left out."""
    webhook: Manifest = {
        "url": URL,
        "timeout": "5s",
        "headers": {"Authorization": "Bearer {{ .auth.token | trim }}"},
        "result": {"jsonPath": "$.value"},
        "secrets": [{"name": "auth", "secretRef": {"name": "arcan-credentials", "key": "token"}}],
        "caBundle": base64.b64encode(ca.encode()).decode() or None,
    }
    spec_fields = {name: fields.pop(name) for name in ("conditions", "controller") if name in fields}
    webhook.update(fields)
    if kind == "ClusterSecretStore":
        for secret in webhook["secrets"] or ():
            secret["secretRef"].setdefault("namespace", "external-secrets")
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if kind == "SecretStore" else {})},
        "spec": {
            **spec_fields,
            "provider": {"webhook": {name: value for name, value in webhook.items() if value is not None}},
        },
    }


def bulk_store(**fields: Any) -> Manifest:
    """A bulk store."""
    defaults = {"name": "arcan-bulk", "url": BULK_URL, "result": {"jsonPath": "$.data"}}
    return store(**{**defaults, **fields})


def credentials(
    data: dict[str, str] | None = None,
    *,
    namespace: str = "default",
    label: str | None = "webhook",
    name: str = "arcan-credentials",
) -> Manifest:
    """The token's Secret, labelled as ESO wants it."""
    labels = {} if label is None else {"labels": {"external-secrets.io/type": label}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, **labels},
        "stringData": {"token": TOKEN} if data is None else data,
    }


def entry(key: str = "K", *, secret_key: str = "K", **ref: Any) -> Manifest:
    """One entry of data[]."""
    return {"secretKey": secret_key, "remoteRef": {"key": key, **ref}}


def extract(key: str = "all", *, rewrite: list[Manifest] | None = None, **ref: Any) -> Manifest:
    """One entry of dataFrom[]."""
    return {
        "extract": {"key": key, **ref},
        "sourceRef": {"storeRef": {"name": "arcan-bulk"}},
        **({} if rewrite is None else {"rewrite": rewrite}),
    }


def external_secret(
    *data: Manifest,
    data_from: tuple[Manifest, ...] = (),
    name: str = "my-app-secrets",
    namespace: str = "default",
    kind: str = "SecretStore",
    store_name: str = "arcan",
    **target: Any,
) -> Manifest:
    """An ExternalSecret; without entries it has one, for the key `K`."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"name": store_name, "kind": kind},
            "target": target,
            "data": list(data) if data or data_from else [entry()],
            "dataFrom": list(data_from),
        },
    }


def cluster_of(*manifests: Manifest) -> Cluster:
    """The cluster that holds the manifests."""
    return read_cluster(("manifests.yaml", manifest) for manifest in manifests)


class Scene:
    """Stores that trust the endpoint, whatever host they name, and the token's Secret."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.transport = NetTransport(connect_to=endpoint.address)

    def stores(self, **fields: Any) -> tuple[Manifest, ...]:
        """Both stores, with these fields changed in both."""
        return store(ca=self.endpoint.ca, **fields), bulk_store(ca=self.endpoint.ca, **fields)

    def single(self, **fields: Any) -> Manifest:
        """The single-key store, with these fields changed."""
        return store(ca=self.endpoint.ca, **fields)

    def cluster(self, *manifests: Manifest) -> Cluster:
        """The manifests, with both stores and the token's Secret where they are not among them."""
        kinds = {(m["kind"], m["metadata"]["name"]) for m in manifests}
        missing = (*self.stores(), credentials())
        added = (m for m in missing if (m["kind"], m["metadata"]["name"]) not in kinds)
        return cluster_of(*manifests, *added)

    def refresh(self, *manifests: Manifest) -> Outcome:
        """One refresh of the only ExternalSecret among the manifests (a default one if there is none)."""
        if not any(m["kind"] == "ExternalSecret" for m in manifests):
            manifests = (*manifests, external_secret())
        cluster = self.cluster(*manifests)
        (external,) = cluster.external_secrets
        return refresh(external, cluster, self.transport)

    def value(self, *manifests: Manifest) -> str:
        """The value of the key `K` after a refresh that must work."""
        outcome = self.refresh(*manifests)
        assert outcome.synced, outcome.error
        assert outcome.secret is not None
        return outcome.secret.data["K"].decode("utf-8")

    def error(self, *manifests: Manifest) -> str:
        """What the Warning event says of the one entry, after a refresh that must fail."""
        outcome = self.refresh(*manifests)
        assert outcome.condition.reason == "SecretSyncedError"
        return outcome.error.partition(", err: ")[2]

    def bulk(self, *entries: Manifest, **target: Any) -> dict[str, bytes]:
        """The data after a bulk refresh that must work."""
        outcome = self.refresh(external_secret(data_from=entries or (extract(),), **target))
        assert outcome.synced, outcome.error
        assert outcome.secret is not None
        return dict(outcome.secret.data)

    def bulk_error(self, *entries: Manifest, **target: Any) -> str:
        """What the Warning event says of the one entry, after a bulk refresh that must fail."""
        return self.error(external_secret(data_from=entries or (extract(),), **target))

    def status(self, manifest: Manifest) -> StoreStatus:
        """The store's condition, its real host and port dialled."""
        cluster = cluster_of(manifest)
        return validate_store(cluster.stores[0], cluster, NetTransport())
