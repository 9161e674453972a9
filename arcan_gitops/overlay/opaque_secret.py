"""Kubernetes Secrets for stores to read, which are made by hand: Git never holds what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arcan_gitops.names import KeyName, Namespace, ObjectName
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE


def opaque_secret(
    name: ObjectName, namespace: Namespace | None, values: Mapping[KeyName, str], *, labelled: bool
) -> Manifest:
    """The manifest; without a namespace it goes where it is applied.

    `labelled`: with the label that ESO's webhook provider demands.
    """
    metadata: dict[str, Any] = {"name": str(name)}
    if namespace is not None:
        metadata["namespace"] = str(namespace)
    if labelled:
        metadata["labels"] = {SECRET_LABEL_NAME: SECRET_LABEL_VALUE}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "stringData": {str(key): text for key, text in values.items()},
    }
