"""From a declared Kubernetes Secret to its ExternalSecret: what it asks for, and by which version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arcan_gitops.names import KeyName, RealmName
from arcan_gitops.overlay.app import Consistency
from arcan_gitops.overlay.catalogue import Catalogue, Contents
from arcan_gitops.overlay.declared_secret import DeclaredKey, DeclaredSecret, Rewrite
from arcan_gitops.overlay.external_secret import ExternalSecret, Remote, manifest_of
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.placement import Placement
from arcan_gitops.overlay.plan import Plan
from arcan_gitops.overlay.refresh import Refresh


def external_secrets(placement: Placement, plan: Plan, catalogue: Catalogue) -> Iterator[ExternalSecret]:
    """One for each Kubernetes Secret that the app declares."""
    app, overlay = placement.app, placement.overlay
    contents = None
    if placement.credential is not None and app.consistency is Consistency.PINNED:
        contents = catalogue.contents[placement.credential.realm, overlay.environment]
    for secret in app.secrets:
        labels, annotations = {**app.labels, **secret.labels}, {**app.annotations, **secret.annotations}
        data, extract = _remotes(placement, secret, contents)
        yield ExternalSecret(
            name=secret.name,
            own_name=secret.external,
            place=placement.place,
            store=plan.store_for(placement, placement.reads_at_once(secret)),
            refresh=_refresh(placement, secret),
            data=data,
            extract=extract,
            rewrites=tuple(_rewrite(rewrite) for rewrite in secret.rewrites),
            template=secret.made_template(labels, annotations),
            creation=secret.creation,
            deletion=secret.deletion,
            immutable=secret.immutable,
            labels=labels,
            annotations=annotations,
        )


def raw_manifests(placement: Placement, plan: Plan) -> Iterator[Manifest]:
    """The ExternalSecrets with specs as ESO has them; one that names no store reads the app's."""
    app = placement.app
    for raw in app.raw:
        spec = dict(raw.spec)
        if not raw.names_its_store:
            store = plan.store_for(placement, raw.is_bulk)
            spec = {"secretStoreRef": {"kind": store.kind, "name": str(store.name)}, **spec}
        yield manifest_of(
            raw.name,
            placement.place,
            spec,
            {**app.labels, **raw.labels},
            {**app.annotations, **raw.annotations},
        )


def _remotes(
    placement: Placement, secret: DeclaredSecret, contents: Contents | None
) -> tuple[list[tuple[str, Remote]], list[Remote]]:
    """(`data`, `extract`); with `contents`, each entry names the version of what it asks for."""
    read = placement.credential
    if read is None:
        data = [(str(name), _of_store(entry)) for name, entry in (secret.keys or {}).items()]
        return data, [_of_store(entry) for entry in secret.extract or ()]
    unified = placement.overlay.settings.unified
    if secret.keys is None:
        if placement.reads_at_once(secret) or contents is None:
            return [], [Remote(read.realm, version=None if contents is None else contents.version)]
        every = {key: DeclaredKey(key, secret.where) for key in sorted(contents.keys)}
        return [(key, _of_realm(entry, read.realm, contents, unified)) for key, entry in every.items()], []
    return [
        (name, _of_realm(entry, read.realm, contents, unified)) for name, entry in secret.keys.items()
    ], []


def _of_store(entry: DeclaredKey) -> Remote:
    return Remote(entry.key, entry.property, entry.version, entry.decode)


def _of_realm(entry: DeclaredKey, realm: RealmName, contents: Contents | None, unified: bool) -> Remote:
    version = None if contents is None else contents.keys[KeyName(entry.key)]
    if unified:
        return Remote(realm, entry.key, version, entry.decode)
    return Remote(entry.key, None, version, entry.decode)


def _refresh(placement: Placement, secret: DeclaredSecret) -> Refresh:
    settings = placement.overlay.settings
    refresh = settings.refresh.changed(placement.app.refresh, secret.refresh)
    if settings.spread is None:
        return refresh
    names = "/".join([placement.overlay.name, *placement.namespaces, secret.name])
    return Refresh(refresh.policy, settings.spread.of(refresh.interval, names))


def _rewrite(rewrite: Rewrite) -> dict[str, Any]:
    if rewrite.source is None:
        return {"transform": {"template": rewrite.target}}
    return {"regexp": {"source": rewrite.source, "target": rewrite.target}}
