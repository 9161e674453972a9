"""`deploy/kubernetes/eso/`: manifests for a first try, to be edited by hand where they say REPLACE_ME.

They are what `arcan generate eso` prints, but for the placeholders, which are not valid names: who forgets
one is told so by the API server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.opaque_secret import opaque_secret
from arcan_gitops.overlay.quickstart import Consumer, quickstart
from arcan_gitops.overlay.settings import DEFAULTS
from arcan_gitops.overlay.tree import Tree
from arcan_gitops.yamlio import emit

PLACEHOLDER: Final = "REPLACE_ME"

_REALM: Final = RealmName(f"{PLACEHOLDER}_REALM")
_ENVIRONMENT: Final = EnvironmentName(f"{PLACEHOLDER}_ENVIRONMENT")
_KEY: Final = KeyName(f"{PLACEHOLDER}_KEY")
_USER: Final = Namespace(f"{PLACEHOLDER}_NAMESPACE")
_TOKEN: Final = f"arc_{PLACEHOLDER}"
_NAMESPACE: Final = Namespace("default")
_NAME: Final = ObjectName("my-app-secrets")

_HEADER: Final = f"# Made by scripts/static_manifests.py. Replace every {PLACEHOLDER}, then kubectl apply -f."
# file -> what is to be known of it
_NOTES: Final = {
    "arcan-token-secret.yaml": "The token that 'arcan token create' prints. Never commit it.",
    "secret-store.yaml": f"Reads one key a request. Needs ConfigMap arcan-ca, key ca.crt, in {_NAMESPACE}.",
    "external-secret.yaml": "One entry for each key.",
    "external-secret-bulk.yaml": "All keys of the environment: a store of its own, and what reads from it.",
    "cluster-secret-store.yaml": "For several namespaces. Token Secret and arcan-ca are in external-secrets.",
}


def static_tree() -> Tree:
    """The files, by name."""
    single, secret, bulk, bulk_secret = _quickstart(None)
    cluster, _, cluster_bulk, _ = _quickstart((_USER,))
    place = DEFAULTS.token_secret
    token = opaque_secret(place.name, _NAMESPACE, {place.key: _TOKEN}, labelled=True)
    manifests: dict[str, Sequence[Manifest]] = {
        "arcan-token-secret.yaml": [token],
        "secret-store.yaml": [single],
        "external-secret.yaml": [secret],
        "external-secret-bulk.yaml": [bulk, bulk_secret],
        "cluster-secret-store.yaml": [cluster, cluster_bulk],
    }
    return {name: f"{_HEADER}\n# {_NOTES[name]}\n{emit(manifests[name])}" for name in manifests}


def _quickstart(users: tuple[Namespace, ...] | None) -> list[Manifest]:
    """Store, ExternalSecret, bulk store, bulk ExternalSecret."""
    return quickstart(Consumer(_REALM, _ENVIRONMENT, _NAMESPACE, _NAME, (_KEY,), users), DEFAULTS)
