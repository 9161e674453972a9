"""What all stores have in common: a name, a reach, and a backend that knows its part of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from arcan_gitops.eso_version import EsoVersion, Feature
from arcan_gitops.names import EnvironmentName, Namespace, ObjectName
from arcan_gitops.overlay.ca import CaReader
from arcan_gitops.overlay.manifest import API_VERSION, Manifest, metadata
from arcan_gitops.overlay.needs import Need
from arcan_gitops.yamlio import Fields


@dataclass(frozen=True, slots=True)
class InNamespace:
    """A SecretStore: what it refers to is beside it."""

    namespace: Namespace


@dataclass(frozen=True, slots=True)
class ClusterWide:
    """A ClusterSecretStore: what it refers to is in ESO's namespace.

    Open to the namespaces `users` and to those with one of the sets of labels; to all where both are empty.
    """

    eso_namespace: Namespace
    users: tuple[Namespace, ...] = ()
    labels: tuple[Mapping[str, str], ...] = ()

    def conditions(self) -> list[dict[str, Any]]:
        """The store's `conditions`, any one of which is enough."""
        named = [{"namespaces": [str(user) for user in self.users]}] if self.users else []
        return [*named, *({"namespaceSelector": {"matchLabels": dict(labels)}} for labels in self.labels)]


Reach = InNamespace | ClusterWide


class Backend(Protocol):
    """Where a store reads from: one class for each kind, each in a file of its own."""

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """`spec.provider`, no default left out; references name the namespace `home` where it is given."""


class DeclaredBackend(Protocol):
    """A backend that `stores` in arcan.yaml declares."""

    @classmethod
    def parse(cls, fields: Fields, base: Self | None, read_ca: CaReader) -> Self:
        """Read its fields over those of `base`, which is what an overlay changes. Raises `InvalidFile`."""

    def at(self, environment: EnvironmentName, version: EsoVersion) -> Backend:
        """The backend for the stores of one overlay."""

    def check_key(self, key: str) -> None:
        """Raise `InvalidName` for a key that this store cannot have."""

    def ignored(self) -> frozenset[str]:
        """Those of `property` and `version` of a key that make no difference to what it gives."""

    def features(self) -> Iterator[Feature]:
        """What of it not every version of ESO has."""

    def needs(self) -> Iterator[Need]:
        """What the store reads and nobody generates."""

    def warnings(self) -> Iterator[str]:
        """What a person should know who declares it."""


@dataclass(frozen=True, slots=True)
class Store:
    """One store."""

    name: ObjectName
    backend: Backend
    reach: Reach
    more: Mapping[str, Any] = field(default_factory=dict)  # of the spec beside `provider`, as ESO has it

    @property
    def kind(self) -> str:
        """`SecretStore` or `ClusterSecretStore`."""
        return "SecretStore" if isinstance(self.reach, InNamespace) else "ClusterSecretStore"

    def manifest(self) -> Manifest:
        """The store as Kubernetes will keep it: nothing in it is left to a default."""
        home = None if isinstance(self.reach, InNamespace) else self.reach.eso_namespace
        spec: dict[str, Any] = {"provider": dict(self.backend.spec(home))}
        if isinstance(self.reach, ClusterWide) and (conditions := self.reach.conditions()):
            spec["conditions"] = conditions
        spec |= self.more
        namespace = self.reach.namespace if isinstance(self.reach, InNamespace) else None
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "metadata": metadata(self.name, namespace),
            "spec": spec,
        }
