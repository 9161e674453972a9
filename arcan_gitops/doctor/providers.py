"""Stores of other providers: where their credentials are, by the names of ESO's fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from arcan_gitops.doctor.asking import TokenPlace
from arcan_gitops.doctor.facts import StoreRead, dig
from arcan_gitops.doctor.findings import Place
from arcan_gitops.eso.objects import StoreKind


def credentials(store: StoreRead, users: frozenset[Place]) -> Iterator[TokenPlace]:
    """The Secrets that a provider's section names: each mapping with a `name` and a `key`.

    A ClusterSecretStore's that names no namespace reads from that of each ExternalSecret.
    """
    for found in _references(dig(store.object, "spec", "provider")):
        name, key = found["name"], found["key"]
        if store.id.kind is StoreKind.SECRET_STORE:
            yield TokenPlace(store.id.namespace, name, key)
        elif isinstance(found.get("namespace"), str):
            yield TokenPlace(found["namespace"], name, key)
        else:
            yield from (TokenPlace(place, name, key) for place in sorted({user[0] for user in users}))


def _references(found: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, Mapping):
        is_config_map = found.get("type") == "ConfigMap"
        if isinstance(found.get("name"), str) and isinstance(found.get("key"), str) and not is_config_map:
            yield found
            return
        for item in found.values():
            yield from _references(item)
    elif isinstance(found, list):
        for item in found:
            yield from _references(item)
