"""The Kubernetes Secrets that the declared apps come to: where, of which keys, and read by what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.argocd.settings import IN_CLUSTER
from arcan_gitops.overlay.declared_secret import DeclaredKey, DeclaredSecret
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, placements
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.review.state import State

OPAQUE: Final = "Opaque"


@dataclass(frozen=True, slots=True, order=True)
class SecretPlace:
    """Where a Kubernetes Secret is. `namespace` is a selector of labels where those choose it."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Made:
    """One Kubernetes Secret of an app in an overlay.

    `keys` are the keys of the realm by the names that they have in the Secret; None for all of them. `reads`
    is by what its store reads the realm: `token 'shop'`. `realm` is empty where another store is read, and
    `store` names that. `shape` is a digest of all that is declared of its content beside the keys' values.
    """

    place: SecretPlace
    overlay: str
    app: str
    realm: str
    environment: str
    keys: Mapping[str, str] | None
    reads: str
    reader: str  # name of the token or account, as the realm calls it
    store: str
    type: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    creation: str
    deletion: str
    refresh: str
    consistency: str
    immutable: bool
    shape: str
    where: str

    def takes(self, realm: str, environment: str, key: str) -> bool:
        """Whether a key of a realm goes into it."""
        if (self.realm, self.environment) != (realm, environment):
            return False
        return self.keys is None or key in self.keys.values()


def cluster_of(overlay: Overlay) -> str:
    """The project's name for the cluster of an overlay: by its keys, by Argo CD's name, else the
    overlay's.
    """
    if overlay.settings.credentials.cluster is not None:
        return str(overlay.settings.credentials.cluster)
    return str(overlay.name if overlay.cluster == IN_CLUSTER else overlay.cluster)


def made_by(state: State) -> tuple[Made, ...]:
    """All Secrets that the apps of a state come to."""
    return tuple(
        made
        for overlay in state.overlays
        for placement in placements(state.declared.apps, overlay)
        for made in _of(placement)
    )


def _of(placement: Placement) -> Iterator[Made]:
    app, overlay, read = placement.app, placement.overlay, placement.credential
    for namespace in _namespaces(placement):
        for secret in app.secrets:
            refresh = overlay.settings.refresh.changed(app.refresh, secret.refresh)
            yield Made(
                place=SecretPlace(cluster_of(overlay), namespace, str(secret.name)),
                keys=_keys(secret),
                type=secret.type.name if secret.type is not None else OPAQUE,
                labels={**app.labels, **secret.labels, **secret.template.labels},
                annotations={**app.annotations, **secret.annotations, **secret.template.annotations},
                creation=secret.creation,
                deletion=secret.deletion,
                refresh=f"{refresh.policy or ''} {refresh.interval}".strip(),
                immutable=secret.immutable,
                shape=_shape(app, secret),
                where=secret.where,
                **_common(placement),
            )
        for raw in app.raw:
            if raw.names_its_store or read is None:
                continue
            yield Made(
                place=SecretPlace(cluster_of(overlay), namespace, raw.target),
                keys=None if raw.asks_for_all else {key: key for key in raw.keys},
                type=OPAQUE,
                labels={**app.labels, **raw.labels},
                annotations={**app.annotations, **raw.annotations},
                creation="Owner",
                deletion=_deletion(raw.spec),
                refresh="",
                immutable=False,
                shape=_digest(app.labels, app.annotations, raw.labels, raw.annotations, raw.spec),
                where=raw.where,
                **_common(placement),
            )


def _common(placement: Placement) -> Mapping[str, Any]:
    app, overlay, read = placement.app, placement.overlay, placement.credential
    reader = "" if read is None else str(read.account or read.token)
    return {
        "overlay": str(overlay.name),
        "app": str(app.name),
        "realm": "" if read is None else str(read.realm),
        "environment": str(overlay.environment),
        "reads": "" if read is None else str(read),
        "reader": reader,
        "store": "" if read is not None else str(app.reads),
        "consistency": str(app.consistency),
    }


def _keys(secret: DeclaredSecret) -> Mapping[str, str] | None:
    if secret.is_bulk:
        return None
    if secret.keys is None:
        return {entry.key: entry.key for entry in secret.extract or ()}
    return {str(name): entry.key for name, entry in secret.keys.items()}


def _shape(app: App, secret: DeclaredSecret) -> str:
    entries = None if secret.keys is None else {str(name): _entry(key) for name, key in secret.keys.items()}
    return _digest(
        *(app.labels, app.annotations, secret.labels, secret.annotations),
        *(entries, [_entry(key) for key in secret.extract or ()], secret.rewrites, secret.type),
        replace(secret.template, places={}),
    )


def _entry(key: DeclaredKey) -> tuple[str | None, ...]:
    return key.property, key.version, key.decode


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _deletion(spec: Mapping[str, object]) -> str:
    target = spec.get("target")
    found = target.get("deletionPolicy") if isinstance(target, Mapping) else None
    return str(found or "Retain")


def _namespaces(placement: Placement) -> tuple[str, ...]:
    place = placement.place
    if isinstance(place, ManyNamespaces) and place.labels is not None:
        return (",".join(f"{name}={value}" for name, value in sorted(place.labels.items())),)
    return tuple(map(str, placement.namespaces))
