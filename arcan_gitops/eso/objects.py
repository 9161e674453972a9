"""The Kubernetes objects that a refresh reads and writes, parsed and frozen.

Defaults are the CRDs' (ESO v2.9.0). Source: apis/externalsecrets/v1/*_types.go; measured with ESO itself
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class StoreKind(StrEnum):
    """The two kinds of store."""

    SECRET_STORE = "SecretStore"
    CLUSTER_SECRET_STORE = "ClusterSecretStore"


@dataclass(frozen=True, slots=True)
class StoreId:
    """What a `secretStoreRef` names; `namespace` is empty for a ClusterSecretStore."""

    kind: StoreKind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class StoreSecret:
    """An entry of `secrets[]`: all keys of a Kubernetes Secret, under a name, for the templates."""

    name: str
    secret_name: str
    namespace: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class CaProvider:
    """Where the CA certificate is: a Secret or a ConfigMap."""

    kind: str
    name: str
    key: str
    namespace: str | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """`spec.provider.webhook`; templates are texts here, parsed when a client is made of the store."""

    url: str
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    timeout: float | None = None
    json_path: str = ""
    secrets: tuple[StoreSecret, ...] = ()
    ca_bundle: bytes = b""
    ca_provider: CaProvider | None = None
    ntlm: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """One `matchExpressions` entry of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """`matchLabels` and `matchExpressions`, all of which must hold."""

    labels: Mapping[str, str]
    expressions: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class StoreCondition:
    """One entry of a ClusterSecretStore's `conditions`; any one that matches opens the store."""

    namespaces: tuple[str, ...]
    regexes: tuple[str, ...]
    selector: LabelSelector | None


@dataclass(frozen=True, slots=True)
class Store:
    """A SecretStore or ClusterSecretStore; `webhook` is None for another provider, named in `provider`."""

    id: StoreId
    provider: str
    webhook: Webhook | None
    conditions: tuple[StoreCondition, ...] = ()
    controller: str = ""


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """What an entry asks the store for."""

    key: str
    version: str = ""
    property: str = ""
    conversion: str = "Default"
    decoding: str = "None"
    refuse_null_bytes: bool = False


@dataclass(frozen=True, slots=True)
class DataEntry:
    """One entry of `data[]`; `store` is None where it names a generator instead."""

    secret_key: str
    ref: RemoteRef
    store: StoreId | None


@dataclass(frozen=True, slots=True)
class RegexpRewrite:
    """`rewrite[].regexp`: Go syntax, `$1` in the target."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class TransformRewrite:
    """`rewrite[].transform`: a template over `.value`, the key."""

    template: str


@dataclass(frozen=True, slots=True)
class MergeRewrite:
    """`rewrite[].merge`: the members of all values, which are JSON objects, in place of the values."""

    into: str = ""
    strategy: str = "Extract"
    ignores_conflicts: bool = False
    priority: tuple[str, ...] = ()
    ignores_missing: bool = False


Rewrite = RegexpRewrite | TransformRewrite | MergeRewrite


@dataclass(frozen=True, slots=True)
class DataFromEntry:
    """One entry of `dataFrom[]`: `extract` set, or `find`; `store` is None where it names a generator."""

    store: StoreId | None
    extract: RemoteRef | None
    rewrites: tuple[Rewrite, ...]


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """An entry of `templateFrom`: `items` are keys of a ConfigMap or Secret, each with whether its text makes
    keys and values (YAML) in place of one value; or a `literal`, which always does.
    """

    kind: str = ""
    name: str = ""
    items: tuple[tuple[str, bool], ...] = ()
    literal: str | None = field(default=None, repr=False)
    target: str = "Data"
    decoding: str = "None"


@dataclass(frozen=True, slots=True)
class TargetTemplate:
    """`target.template`, engine v2; the templates are texts, parsed at each refresh as ESO does."""

    type: str = ""
    merge: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    sources: tuple[TemplateSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """`target`: the Kubernetes Secret that an ExternalSecret makes; `generic` for any other object."""

    name: str
    creation: str = "Owner"
    deletion: str = "Retain"
    immutable: bool = False
    generic: bool = False
    template: TargetTemplate | None = None


@dataclass(frozen=True, slots=True)
class ExternalSecret:
    """An ExternalSecret."""

    namespace: str
    name: str
    target: Target
    data: tuple[DataEntry, ...] = ()
    data_from: tuple[DataFromEntry, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"ExternalSecret {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class KubernetesSecret:
    """A Kubernetes Secret; its repr shows key names only.

    `owner` is the ExternalSecret that controls it. `managed` are the fields that each ExternalSecret wrote
    last, as (part, name): ESO looks at those of its own field owner (`metadata.managedFields`).
    """

    namespace: str
    name: str
    data: Mapping[str, bytes] = field(repr=False)
    type: str = "Opaque"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False)
    immutable: bool = False
    owner: str | None = None
    managed: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        keys = ", ".join(sorted(self.data))
        return f"KubernetesSecret({self.namespace}/{self.name}, type={self.type}, keys=[{keys}])"


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap, as a source of CA certificates."""

    namespace: str
    name: str
    data: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace, for its labels."""

    name: str
    labels: Mapping[str, str]
