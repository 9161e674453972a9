"""The objects that a refresh looks up, as one immutable value; and what a lookup that fails says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from arcan_gitops.eso.errors import EsoError
from arcan_gitops.eso.objects import ConfigMap, ExternalSecret, KubernetesSecret, Namespace, Store, StoreId


class _Placed(Protocol):
    @property
    def namespace(self) -> str: ...

    @property
    def name(self) -> str: ...


P = TypeVar("P", bound=_Placed)


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """A store's `Ready` condition; `event` is the Warning's text, empty when ready."""

    ready: bool
    reason: str
    message: str
    event: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as far as ESO's webhook client can see it.

    `statuses` are the stores' conditions as far as known; a store that is known not to be ready fails
    its ExternalSecrets without a request.
    """

    stores: tuple[Store, ...] = ()
    external_secrets: tuple[ExternalSecret, ...] = ()
    secrets: tuple[KubernetesSecret, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    statuses: Mapping[StoreId, StoreStatus] = field(default_factory=dict)

    def store(self, identity: StoreId) -> Store:
        """A store. Raises `EsoError` with the text of ESO's client manager."""
        for store in self.stores:
            if store.id == identity:
                return store
        missing = f'{identity.kind}.external-secrets.io "{identity.name}" not found'
        raise EsoError(f'could not get {identity.kind} "{identity.name}", {missing}')

    def find_secret(self, namespace: str, name: str) -> KubernetesSecret | None:
        """A Secret, or None."""
        return _find(self.secrets, namespace, name)

    def secret(self, namespace: str, name: str) -> KubernetesSecret:
        """A Secret. Raises `EsoError` with the API server's text."""
        found = self.find_secret(namespace, name)
        if found is None:
            raise EsoError(f'secrets "{name}" not found')
        return found

    def find_config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """A ConfigMap, or None."""
        return _find(self.config_maps, namespace, name)

    def config_map(self, namespace: str, name: str) -> ConfigMap:
        """A ConfigMap. Raises `EsoError` with the API server's text."""
        found = self.find_config_map(namespace, name)
        if found is None:
            raise EsoError(f'configmaps "{name}" not found')
        return found

    def namespace(self, name: str) -> Namespace | None:
        """A namespace, or None if its object is not among the manifests."""
        return next((namespace for namespace in self.namespaces if namespace.name == name), None)

    def with_secret(self, secret: KubernetesSecret) -> Cluster:
        """The cluster after this Secret was created or replaced."""
        return replace(self, secrets=(*self.without_secret(secret.namespace, secret.name).secrets, secret))

    def without_secret(self, namespace: str, name: str) -> Cluster:
        """The cluster after this Secret was deleted, if it was there."""
        kept = tuple(s for s in self.secrets if (s.namespace, s.name) != (namespace, name))
        return replace(self, secrets=kept)

    def with_config_map(self, config_map: ConfigMap) -> Cluster:
        """The cluster with one more ConfigMap."""
        return replace(self, config_maps=(*self.config_maps, config_map))

    def with_statuses(self, statuses: Mapping[StoreId, StoreStatus]) -> Cluster:
        """The cluster after its stores were validated."""
        return replace(self, statuses=dict(statuses))


def _find(items: Iterable[P], namespace: str, name: str) -> P | None:
    return next((item for item in items if (item.namespace, item.name) == (namespace, name)), None)
