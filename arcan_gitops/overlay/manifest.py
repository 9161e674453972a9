"""What all generated manifests have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.names import Namespace

Manifest = dict[str, Any]

# Stored from ESO 0.16 on; v1beta1 is no longer served from 0.17 on.
API_VERSION: Final = "external-secrets.io/v1"

# Without a template, ESO copies an ExternalSecret's labels to its Secret: there too this one is true, and
# `kubectl get secrets -A -l app.kubernetes.io/managed-by=arcan` shows what came from here. A label that
# selects pods (name, instance) would be copied as well, so there is none.
LABELS: Final[Mapping[str, str]] = {"app.kubernetes.io/managed-by": "arcan"}


def metadata(
    name: str,
    namespace: Namespace | None,
    wave: str | None = None,
    labels: Mapping[str, str] = {},
    annotations: Mapping[str, str] = {},
) -> dict[str, Any]:
    """The `metadata` of a manifest; no namespace for one that is cluster-wide, and no wave for None."""
    placed = {} if namespace is None else {"namespace": str(namespace)}
    waves = {} if wave is None else {"argocd.argoproj.io/sync-wave": str(wave)}
    texts = {**waves, **annotations}
    return {
        "name": str(name),
        **placed,
        "labels": {**LABELS, **labels},
        **({"annotations": texts} if texts else {}),
    }
