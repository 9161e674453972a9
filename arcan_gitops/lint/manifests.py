"""Everything that one run was given, and which store an ExternalSecret means."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.kustomizations import Kustomizations
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import (
    ESO_GROUP,
    EXTERNAL_SECRETS,
    STORES,
    Entry,
    ExternalSecret,
    Object,
    Store,
    StoreRef,
)
from arcan_gitops.lint.reading import Document, NotYaml

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manifests:
    """The objects of a run, in order, and the ESO version that they are judged for."""

    eso: EsoVersion
    not_yaml: tuple[NotYaml, ...]
    documents: tuple[Document, ...]
    objects: tuple[Object, ...]
    stores: tuple[Store, ...]
    generators: tuple[Store, ...]
    external_secrets: tuple[ExternalSecret, ...]
    push_secrets: tuple[tuple[Object, Node], ...]
    secrets: tuple[Object, ...]
    named: Mapping[tuple[str, str], Mapping[str, list[Store]]]  # by kind and name, then by namespace
    kustomizations: Kustomizations

    @classmethod
    def of(cls, documents: Iterable[Document | NotYaml], eso: EsoVersion) -> Manifests:
        """The items of a `List` count as objects of their own."""
        not_yaml, read_ones, objects = [], [], []
        for document in documents:
            if isinstance(document, NotYaml):
                not_yaml.append(document)
            else:
                read_ones.append(document)
                objects += [Object.read(document.chunk.source, root) for root in _objects(document.root)]
        ours = [obj for obj in objects if obj.group == ESO_GROUP]
        read = (ExternalSecret.read(obj) for obj in ours if obj.kind in EXTERNAL_SECRETS)
        stores = tuple(Store.read(obj) for obj in ours if obj.kind in STORES)
        named: dict[tuple[str, str], dict[str, list[Store]]] = {}
        for store in stores:
            namespace = "" if store.cluster else store.object.namespace
            of_name = named.setdefault((store.object.kind, store.object.name), {})
            of_name.setdefault(namespace, []).append(store)
        return cls(
            eso,
            tuple(not_yaml),
            tuple(read_ones),
            tuple(objects),
            stores,
            tuple(found for obj in objects if (found := Store.generator(obj)) is not None),
            tuple(found for found in read if found is not None),
            tuple((obj, spec) for obj in ours if (spec := _pushed(obj)) is not None),
            tuple(obj for obj in objects if (obj.api_version, obj.kind) == ("v1", "Secret")),
            named,
            Kustomizations.of(objects),
        )

    def webhooks(self) -> tuple[Store, ...]:
        """The webhook stores, and the webhook generators."""
        return (*(store for store in self.stores if store.webhook is not None), *self.generators)

    def pushes(self, store: Store) -> Iterator[tuple[Object, Node]]:
        """Each PushSecret, with its spec, that writes through a store, or may: by labels."""
        for obj, spec in self.push_secrets:
            for ref in spec.items("secretStoreRefs"):
                kind = (ref.text("kind") or "SecretStore") == store.object.kind
                named = ref.text("name") == store.object.name or ref.at("labelSelector") is not None
                if kind and named and (store.cluster or _same(store.object.namespace, obj.namespace)):
                    yield obj, spec
                    break

    def store(self, user: ExternalSecret, ref: StoreRef | None) -> Store | None:
        """The store that a reference names; None where it is not among the manifests."""
        if ref is None:
            return None
        kind = ref.kind or "SecretStore"
        namespace = user.object.namespace if kind == "SecretStore" else ""
        if user.object.kind == "ClusterExternalSecret":
            namespace = ""
        named = self.named.get((kind, ref.name), {})
        near = (namespace, "") if namespace else named  # without a namespace it may be in any
        fitting = [store for each in near for store in named.get(each, ())]
        return _nearest(user.object, [(store.object.source, store) for store in fitting])

    def secret(self, store: Store, name: str, namespace: str) -> Object | None:
        """The Secret that a store's reference names."""
        named = [secret for secret in self.secrets if secret.name == name]
        fitting = [secret for secret in named if _same(secret.namespace, namespace)]
        return _nearest(store.object, [(secret.source, secret) for secret in fitting])

    def uses(self) -> Iterator[tuple[ExternalSecret, Entry, Store]]:
        """Each entry of each ExternalSecret whose store is among the manifests."""
        for user in self.external_secrets:
            for entry in user.entries():
                store = self.store(user, entry.store)
                if store is not None:
                    yield user, entry, store

    def webhook_uses(self) -> Iterator[tuple[ExternalSecret, list[tuple[Entry, Store]]]]:
        """Each ExternalSecret with those of its entries that a webhook store among the manifests answers."""
        found: dict[int, list[tuple[Entry, Store]]] = defaultdict(list)
        users: dict[int, ExternalSecret] = {}
        for user, entry, store in self.uses():
            if store.webhook is not None:
                users[id(user)] = user
                found[id(user)].append((entry, store))
        for key, user in users.items():
            yield user, found[key]


def _objects(root: Node) -> Iterator[Node]:
    if root.text("kind") == "List" and root.text("apiVersion") == "v1":
        yield from (item for item in root.items("items") if item.is_mapping)
    elif root.is_mapping:
        yield root


def _pushed(obj: Object) -> Node | None:
    """The spec of a PushSecret, or of the one that a ClusterPushSecret makes in many namespaces."""
    path = {"PushSecret": ("spec",), "ClusterPushSecret": ("spec", "pushSecretSpec")}.get(obj.kind)
    return obj.root.at(*path) if path is not None else None


def _same(one: str, other: str) -> bool:
    """A manifest without a namespace gets it from elsewhere, and may be in any."""
    return not one or not other or one == other


def _nearest(user: Object, candidates: list[tuple[str, T]]) -> T | None:
    """Of several with one name, as in the overlays of several clusters, the one whose file is nearest.

    `candidates`: (source, what it is).
    """

    def shared(candidate: tuple[str, T]) -> tuple[bool, int]:
        folders = [PurePath(path).parent.parts for path in (user.source, candidate[0])]
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(*folders, strict=False))
        return candidate[0] == user.source, sum(1 for _ in same)

    if len(candidates) < 2:
        return candidates[0][1] if candidates else None
    return max(candidates, key=shared)[1]
