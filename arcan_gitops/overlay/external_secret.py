"""ExternalSecrets, with every default of the CRD written out.

An API server adds the defaults that a manifest leaves out, and Argo CD then shows drift for ever (ESO #1028).
conversionStrategy, decodingStrategy and metadataPolicy have defaults up to 2.8 and none from 2.9 on, so only
writing them is stable everywhere; nullBytePolicy exists from 2.3 on only and has no default: left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from arcan_gitops.names import KeyName, Namespace, ObjectName
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.overlay.manifest import API_VERSION, Manifest, SyncWave, metadata
from arcan_gitops.overlay.stores.arcan import ArcanStore


@dataclass(frozen=True, slots=True)
class ExternalSecret:
    """One Kubernetes Secret to be; the ExternalSecret and the Secret have the same name."""

    name: ObjectName
    namespace: Namespace
    store: ArcanStore
    refresh_interval: Duration

    def of_keys(self, keys: Iterable[tuple[KeyName, KeyName]]) -> Manifest:
        """From pairs (key of the realm, key of the Secret), each its own request."""
        data = [{"secretKey": str(name), "remoteRef": _remote(key)} for key, name in keys]
        return self._manifest({"data": data})

    def of_everything(self, realm: str) -> Manifest:
        """From all keys, by one request. The store's URL has no place for a key: `realm` is for readers."""
        return self._manifest({"dataFrom": [{"extract": _remote(realm)}]})

    def _manifest(self, content: Mapping[str, Any]) -> Manifest:
        return {
            "apiVersion": API_VERSION,
            "kind": "ExternalSecret",
            "metadata": metadata(self.name, self.namespace, SyncWave.EXTERNAL_SECRET),
            "spec": {
                "refreshPolicy": "Periodic",
                "refreshInterval": str(self.refresh_interval),
                "secretStoreRef": {"kind": self.store.kind, "name": str(self.store.name)},
                # Retain: whatever the server answers, a Secret that pods run on is never deleted.
                "target": {"name": str(self.name), "creationPolicy": "Owner", "deletionPolicy": "Retain"},
                **content,
            },
        }


def _remote(key: str) -> dict[str, str]:
    return {
        "key": str(key),
        "conversionStrategy": "Default",
        "decodingStrategy": "None",
        "metadataPolicy": "None",
    }
