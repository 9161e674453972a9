"""(apps, settings, catalogue) -> the files of every overlay. Pure: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import Namespace
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.ca import ConfigMapCa
from arcan_gitops.overlay.catalogue import Catalogue
from arcan_gitops.overlay.check import find_problems
from arcan_gitops.overlay.external_secret import ExternalSecret
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE, kustomization
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.naming import Credential, StoreNames
from arcan_gitops.overlay.placement import Placement, by_store_namespace, names_for, placements
from arcan_gitops.overlay.settings import SETTINGS_FILE, Overlay, Settings
from arcan_gitops.overlay.stores.arcan import (
    ArcanStore,
    ClusterWide,
    InNamespace,
    Reach,
    bulk_store,
    single_store,
)
from arcan_gitops.overlay.tree import Tree, header
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import emit

APPS_FOLDER: Final = "apps"
_CLUSTER_STORES_FILE: Final = "cluster-stores.yaml"


def build_overlays(apps: Sequence[App], settings: Settings, catalogue: Catalogue) -> Tree:
    """The tree below `overlays/`; an overlay that no app goes to has no files.

    overlay/kustomization.yaml, overlay/stores/<namespace>.yaml or overlay/cluster-stores.yaml with the stores
    that an app uses, and overlay/apps/<app>.yaml with an ExternalSecret for each declared Kubernetes Secret.
    Raises `SeveralErrors` with all that is wrong.
    """
    overlays = settings.overlays(catalogue.environments())
    problems = find_problems(apps, overlays, catalogue)
    if problems:
        raise SeveralErrors("the overlays cannot be generated:", problems)
    return {
        f"{overlay.name}/{path}": text
        for overlay in overlays
        for path, text in _overlay(overlay, placements(apps, overlay)).items()
    }


def _overlay(overlay: Overlay, placed: Sequence[Placement]) -> Tree:
    files: dict[str, str] = {}
    app_files: dict[str, str] = {}
    for namespace, group in by_store_namespace(placed).items():
        names = names_for(group)
        stores = _stores(overlay, group, names)
        file = _CLUSTER_STORES_FILE if namespace is None else f"stores/{namespace}.yaml"
        files[file] = _file(group, [store.manifest() for store in stores.values()], _needs(group, names))
        for placement in group:
            app_files[f"{APPS_FOLDER}/{placement.app.name}.yaml"] = _file(
                [placement], list(_external_secrets(placement, stores))
            )
    files.update(sorted(app_files.items()))
    return {KUSTOMIZATION_FILE: _file(placed, [kustomization(list(files))]), **files} if files else {}


# A credential, and whether its store reads in bulk. Sorted, a bulk store comes after its sibling.
_Stores = Mapping[tuple[Credential, bool], ArcanStore]


def _stores(overlay: Overlay, group: Sequence[Placement], names: Mapping[Credential, StoreNames]) -> _Stores:
    """The stores that the apps use, and no others: ESO dials each of them every five minutes."""
    users: dict[tuple[Credential, bool], set[Namespace]] = {}
    for placement in group:
        for secret in placement.app.secrets:
            users.setdefault((placement.credential, secret.keys is None), set()).add(placement.namespace)
    stores = {}
    for credential, bulk in sorted(users):
        reach = _reach(group[0], tuple(sorted(users[credential, bulk])))
        make = bulk_store if bulk else single_store
        stores[credential, bulk] = make(
            overlay.settings, names[credential], credential.realm, overlay.environment, reach
        )
    return stores


def _reach(placement: Placement, users: tuple[Namespace, ...]) -> Reach:
    if placement.store_namespace is not None:
        return InNamespace(placement.store_namespace)
    return ClusterWide(placement.overlay.settings.eso_namespace, users)


def _needs(group: Sequence[Placement], names: Mapping[Credential, StoreNames]) -> str:
    """What the stores read and nobody generates, as comments."""
    settings, namespace = group[0].overlay.settings, group[0].token_namespace
    lines = [
        f"Secret {names[credential].token_secret}, key {settings.token_secret.key}:"
        f" token '{credential.token}' of realm '{credential.realm}',"
        f" label {SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}"
        for credential in sorted(names)
    ]
    if isinstance(settings.ca, ConfigMapCa):
        lines.append(
            f"ConfigMap {settings.ca.name}, key {settings.ca.key}: the CA of the server's certificate"
        )
    return "".join(f"# Needs in namespace {namespace}: {line}.\n" for line in lines)


def _external_secrets(placement: Placement, stores: _Stores) -> Iterator[Manifest]:
    interval = placement.overlay.settings.refresh_interval
    for secret in placement.app.secrets:
        store = stores[placement.credential, secret.keys is None]
        external = ExternalSecret(secret.name, placement.namespace, store, interval)
        if secret.keys is None:
            yield external.of_everything(placement.app.realm)
        else:
            yield external.of_keys((entry.key, entry.secret_key) for entry in secret.keys)


def _file(placed: Sequence[Placement], manifests: Sequence[Manifest], notes: str = "") -> str:
    sources = [SETTINGS_FILE, *(f"{APPS_FOLDER}/{placement.app.name}.yaml" for placement in placed)]
    return header(sources) + notes + emit(manifests)
