"""Manifests as plain objects -> a `Cluster`: the kinds that matter to a refresh, the others left out.

What the API server, the CRDs' schemas or ESO's admission webhook would refuse is an `ArcanError`.
Source: measured with ESO itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso import spreading
from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.external_secrets import read_external_secret
from arcan_gitops.eso.fields import ObjectFields
from arcan_gitops.eso.objects import ConfigMap, ExternalSecret, KubernetesSecret, Namespace, Store
from arcan_gitops.eso.stores import read_store
from arcan_gitops.golang import base64 as go_base64
from arcan_gitops.golang.errors import GoError

_ESO_GROUP: Final = "external-secrets.io"
_STORE_KINDS: Final = ("SecretStore", "ClusterSecretStore")
_FIELD_OWNER: Final = "externalsecrets.external-secrets.io/"
_PUSHES: Final = ("PushSecret", "ClusterPushSecret")  # they write to a store, and read nothing


def read_cluster(documents: Iterable[tuple[str, Any]], *, namespace: str = "default") -> Cluster:
    """The cluster that holds all these manifests.

    `documents` are pairs of a source (for messages) and a parsed document; a `List` is taken apart.
    `namespace` is for namespaced objects that name none, as with `kubectl apply`.
    Raises `SeveralErrors` with every refusal, and every `NotSupported`.
    """
    found: dict[tuple[str, str, str], object] = {}
    problems: list[ArcanError] = []
    objects = list(_objects(documents))
    labels = _namespace_labels(document for _, document in objects)
    for source, given in objects:
        try:
            spread_out = isinstance(given, Mapping) and given.get("kind") == spreading.KIND
            for document in spreading.spread(source, given, labels) if spread_out else (given,):
                item = _read(source, document, namespace)
                if item is None:
                    continue
                identity = _identity(item)
                if identity in found:
                    raise ArcanError(f"{source}: {' '.join(filter(None, identity))} is given twice")
                found[identity] = item
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise SeveralErrors(
            f"{len(problems)} manifest{'s' if len(problems) > 1 else ''} cannot be simulated:",
            problems,
        )
    items = tuple(found.values())
    return Cluster(
        stores=tuple(item for item in items if isinstance(item, Store)),
        external_secrets=tuple(item for item in items if isinstance(item, ExternalSecret)),
        secrets=tuple(item for item in items if isinstance(item, KubernetesSecret)),
        config_maps=tuple(item for item in items if isinstance(item, ConfigMap)),
        namespaces=tuple(item for item in items if isinstance(item, Namespace)),
    )


def _objects(documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for source, document in documents:
        if isinstance(document, Mapping) and document.get("kind") == "List":
            items = document.get("items")
            yield from _objects((source, item) for item in (items if isinstance(items, list) else ()))
        else:
            yield source, document


def _namespace_labels(documents: Iterable[Any]) -> dict[str, Mapping[str, str]]:
    """The labels of the Namespaces among the documents, as far as they are in order; `_read` judges."""
    found: dict[str, Mapping[str, str]] = {}
    for document in documents:
        if isinstance(document, Mapping) and document.get("kind") == "Namespace":
            metadata = document.get("metadata")
            if isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str):
                labels = metadata.get("labels")
                found[metadata["name"]] = labels if isinstance(labels, Mapping) else {}
    return found


def _identity(item: object) -> tuple[str, str, str]:
    match item:
        case Store(id=identity):
            return identity.kind, identity.namespace, identity.name
        case ExternalSecret(namespace=namespace, name=name):
            return "ExternalSecret", namespace, name
        case KubernetesSecret(namespace=namespace, name=name):
            return "Secret", namespace, name
        case ConfigMap(namespace=namespace, name=name):
            return "ConfigMap", namespace, name
        case Namespace(name=name):
            return "Namespace", "", name
        case _:  # pragma: no cover
            raise TypeError(type(item).__name__)


def _read(source: str, document: Any, namespace: str) -> object | None:
    if not isinstance(document, Mapping):
        raise ArcanError(f"{source}: not a Kubernetes manifest: must be a mapping")
    top = ObjectFields(source, "", document)
    version, kind = top.text("apiVersion"), top.text("kind")
    metadata = top.required("metadata")
    name = metadata.text("name")
    placed = metadata.text("namespace", namespace)
    top = ObjectFields(f"{source}: {kind} {name}", "", document)
    group, _, number = version.rpartition("/")
    if group == _ESO_GROUP and (kind in _STORE_KINDS or kind == "ExternalSecret"):
        if number != "v1":
            raise ArcanError(
                f"{source}: {kind} {name}: {version} is not served by ESO since 0.17",
                hint=f"write apiVersion: {_ESO_GROUP}/v1",
            )
        return (
            read_store(top, kind, name, placed)
            if kind in _STORE_KINDS
            else read_external_secret(top, name, placed)
        )
    if group == _ESO_GROUP and kind not in _PUSHES:
        raise ArcanError(
            f"{source}: no such kind: {kind} in {version}",
            hint="ESO has SecretStore, ClusterSecretStore and ExternalSecret",
        )
    if group:
        return None
    if kind == "Secret":
        return _secret(top, metadata, name, placed)
    if kind == "ConfigMap":
        return ConfigMap(placed, name, top.text_map("data"))
    return Namespace(name, metadata.text_map("labels")) if kind == "Namespace" else None


def _secret(top: ObjectFields, metadata: ObjectFields, name: str, namespace: str) -> KubernetesSecret:
    data: dict[str, bytes] = {}
    for key, text in top.text_map("data").items():
        try:
            data[key] = go_base64.decode(text.encode("utf-8"))
        except GoError as error:
            top.fail(f"data.{key}", str(error), "put plain text under stringData")
    data.update({key: text.encode("utf-8") for key, text in top.text_map("stringData").items()})
    owner = next(
        (
            reference.text("name")
            for reference in metadata.mappings("ownerReferences")
            if reference.flag("controller") and reference.text("kind") == "ExternalSecret"
        ),
        None,
    )
    managed = {
        entry.text("manager").removeprefix(_FIELD_OWNER): _fields_of(entry.mapping("fieldsV1"))
        for entry in metadata.mappings("managedFields")
        if entry.text("manager", "").startswith(_FIELD_OWNER)
    }
    return KubernetesSecret(
        namespace,
        name,
        data,
        type=top.text("type", "Opaque"),
        labels=metadata.text_map("labels"),
        annotations=metadata.text_map("annotations"),
        immutable=top.flag("immutable"),
        owner=owner,
        managed=managed,
    )


def _fields_of(fields: ObjectFields | None) -> frozenset[tuple[str, str]]:
    """What a field owner wrote, of an object that comes from an API server."""
    if fields is None:
        return frozenset()
    metadata = fields.mapping("f:metadata")
    parts = {
        "data": fields.mapping("f:data"),
        "labels": None if metadata is None else metadata.mapping("f:labels"),
        "annotations": None if metadata is None else metadata.mapping("f:annotations"),
    }
    return frozenset(
        (part, name.removeprefix("f:"))
        for part, found in parts.items()
        for name in (() if found is None else found.names())
        if name != "."
    )
