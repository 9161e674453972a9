"""Kinds, versions and fields that the ESO version at hand does not have.

Source: config/crds/bases of each ESO tag; 0.16.0 brought v1, 0.17.0 stopped serving v1beta1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from arcan_gitops.eso_version import CREATE_OR_MERGE, UNIFIED_STORE, EsoVersion
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import ESO_GROUP, GENERATORS_GROUP, Object
from arcan_gitops.lint.rule import Rule
from arcan_gitops.names import did_you_mean

_V1_SINCE: Final = EsoVersion(0, 16)
_V1BETA1_UNTIL: Final = EsoVersion(0, 17)
_V1ALPHA1_UNTIL: Final = EsoVersion(0, 16)
_STABLE: Final = frozenset({"ExternalSecret", "SecretStore", "ClusterSecretStore", "ClusterExternalSecret"})
_PUSH: Final = frozenset({"PushSecret", "ClusterPushSecret"})
_CLUSTER_SCOPED: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"Namespace", "Node", "PersistentVolume"}),
    "admissionregistration.k8s.io": frozenset(
        {
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        }
    ),
    "apiextensions.k8s.io": frozenset({"CustomResourceDefinition"}),
    "apiregistration.k8s.io": frozenset({"APIService"}),
    "cert-manager.io": frozenset({"ClusterIssuer"}),
    "kyverno.io": frozenset({"ClusterPolicy"}),
    "networking.k8s.io": frozenset({"IngressClass"}),
    "rbac.authorization.k8s.io": frozenset({"ClusterRole", "ClusterRoleBinding"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
    "storage.k8s.io": frozenset({"CSIDriver", "StorageClass"}),
    "templates.gatekeeper.sh": frozenset({"ConstraintTemplate"}),
}


def _api_version(manifests: Manifests) -> Iterator[Found]:
    for obj in _ours(manifests):
        version = obj.api_version.rpartition("/")[2]
        right = _served(obj.kind, manifests.eso)
        if obj.kind in _STABLE | _PUSH and version not in right:
            wrong = f"apiVersion {ESO_GROUP}/{version[:40]} is not served by ESO {manifests.eso}"
            yield obj.found(obj.root.at("apiVersion"), wrong, f"write apiVersion: {ESO_GROUP}/{right[0]}")


def _served(kind: str, eso: EsoVersion) -> tuple[str, ...]:
    """The versions of a kind that an ESO serves, the best first."""
    if kind in _PUSH:
        return ("v1alpha1",)
    return (
        *(("v1",) if eso >= _V1_SINCE else ()),
        *(("v1beta1",) if eso < _V1BETA1_UNTIL else ()),
        *(("v1alpha1",) if eso < _V1ALPHA1_UNTIL and kind != "ClusterExternalSecret" else ()),
    )


def _no_such_kind(manifests: Manifests) -> Iterator[Found]:
    for obj in _ours(manifests):
        if obj.kind in _STABLE | _PUSH:
            continue
        hint = did_you_mean(obj.kind, _STABLE | _PUSH)
        if obj.kind == "SecretProviderClass":
            hint = (
                "write a SecretStore; SecretProviderClass is the Secrets Store CSI driver's, another project"
            )
        yield obj.found(obj.root.at("kind"), f"{ESO_GROUP} has no such kind", hint)


def _ours(manifests: Manifests) -> Iterator[Object]:
    return (obj for obj in manifests.objects if obj.group == ESO_GROUP)


def _value(name: str, *path: str) -> Callable[[Node], Iterator[Node]]:
    """Finds the field at a path whose value is `name`."""

    def find(spec: Node) -> Iterator[Node]:
        node = spec.at(*path)
        if node is not None and node.scalar == name:
            yield node

    return find


def _field(*path: str) -> Callable[[Node], Iterator[Node]]:
    """Finds the field at a path; `[]` stands for every item of a list."""

    def find(spec: Node) -> Iterator[Node]:
        nodes = [spec]
        for name in path:
            if name == "[]":
                nodes = [child for node in nodes for child in node.items()]
            else:
                nodes = [child for node in nodes if (child := node.at(name)) is not None]
        yield from nodes

    return find


_EXTERNAL_SECRET_FIELDS: Final = (
    ("rewrite.merge", EsoVersion(0, 18, 1), _field("dataFrom", "[]", "rewrite", "[]", "merge")),
    (
        "template.metadata.finalizers",
        EsoVersion(0, 20),
        _field("target", "template", "metadata", "finalizers"),
    ),
    ("target.manifest", EsoVersion(1, 0), _field("target", "manifest")),
    ("nullBytePolicy", EsoVersion(2, 3), _field("data", "[]", "remoteRef", "nullBytePolicy")),
    ("nullBytePolicy", EsoVersion(2, 3), _field("dataFrom", "[]", "extract", "nullBytePolicy")),
    ("nullBytePolicy", EsoVersion(2, 3), _field("dataFrom", "[]", "find", "nullBytePolicy")),
    ("syncWindows", EsoVersion(2, 7), _field("syncWindows")),
    (
        "templateFrom[].valuesDecodingStrategy",
        EsoVersion(2, 7),
        _field("target", "template", "templateFrom", "[]", "valuesDecodingStrategy"),
    ),
    (
        CREATE_OR_MERGE.what,
        CREATE_OR_MERGE.since,
        _value("CreateOrMerge", "target", "creationPolicy"),
    ),
    ("refreshPolicy", EsoVersion(0, 16), _field("refreshPolicy")),
)


def _newer_field(manifests: Manifests) -> Iterator[Found]:
    def needs(obj: Object, node: Node, what: str, since: EsoVersion) -> Found:
        hint = f"ESO has it since {since}: upgrade, or leave it out; --eso-version says what you run"
        return obj.found(node, f"ESO {manifests.eso} does not know {what}", hint)

    for user in manifests.external_secrets:
        for what, since, find in _EXTERNAL_SECRET_FIELDS:
            if manifests.eso < since:
                yield from (needs(user.object, node, what, since) for node in find(user.spec))
    for store in manifests.stores:
        interval = store.object.root.at("spec", "refreshInterval")
        if interval is not None and isinstance(interval.scalar, str) and manifests.eso < EsoVersion(2, 8):
            yield needs(store.object, interval, "a store's refreshInterval with a unit", EsoVersion(2, 8))
        ntlm = store.webhook.at("auth", "ntlm") if store.webhook is not None else None
        if ntlm is not None and manifests.eso < EsoVersion(0, 16, 2):
            yield needs(store.object, ntlm, "auth.ntlm of a webhook store", EsoVersion(0, 16, 2))
    if UNIFIED_STORE.missing_in(manifests.eso):
        for user, entry, store in manifests.uses():
            path = store.webhook.text("result", "jsonPath") if store.webhook is not None else None
            if entry.how == "extract" and path is not None and "{{" in path:
                what = "templates in the jsonPath of a store that dataFrom.extract reads from"
                yield needs(user.object, entry.node, what, UNIFIED_STORE.since)


def _cleared_namespace(manifests: Manifests) -> Iterator[Found]:
    for obj in manifests.objects:
        group, kinds = obj.group, _CLUSTER_SCOPED.get(obj.group, frozenset())
        of_eso = group in (ESO_GROUP, GENERATORS_GROUP) and obj.kind.startswith("Cluster")
        if obj.namespace and (of_eso or obj.kind in kinds):
            yield obj.found(
                obj.root.at("metadata", "namespace"),
                "the kind is cluster-scoped: the API server takes the namespace out",
                "leave it out",
            )


RULES = (
    Rule("ARC010", Severity.ERROR, "an apiVersion that this ESO does not serve", _api_version),
    Rule("ARC011", Severity.ERROR, "a kind that ESO does not have", _no_such_kind),
    Rule("ARC012", Severity.ERROR, "a field that this ESO does not know yet", _newer_field),
    Rule("ARC013", Severity.WARNING, "a namespace on a cluster-scoped object", _cleared_namespace),
)
