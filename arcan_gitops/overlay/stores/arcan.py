"""Stores that read from the Arcan server through ESO's webhook provider.

Source: ESO apis/externalsecrets/v1/secretstore_webhook_types.go; every field is in the CRDs of v0.16 to v2.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from arcan_gitops import webhook
from arcan_gitops.eso_version import NAMESPACE_VARIABLE
from arcan_gitops.names import EnvironmentName, Namespace, RealmName
from arcan_gitops.overlay.ca import CertificateAuthority
from arcan_gitops.overlay.naming import StoreNames
from arcan_gitops.overlay.references import SecretKey
from arcan_gitops.overlay.settings import StoreSettings
from arcan_gitops.overlay.stores.store import Reach, Store

# Without one, a server that hangs would block ESO's only worker for ever (http.Client has no default).
_TIMEOUT: Final = "10s"


class Reads(IntEnum):
    """What one store can be asked for; in the order of a file."""

    SINGLE = 1  # one key a request: the entry's `key` is the key
    BULK = 2  # the whole environment in one request: the entry's `key` is for readers
    UNIFIED = 3  # either: `key` is the realm, `property` the key or nothing for all (ESO >= 0.18)


_JSON_PATHS: Final = {
    Reads.SINGLE: webhook.VALUE_JSON_PATH,
    Reads.BULK: webhook.DATA_JSON_PATH,
    Reads.UNIFIED: webhook.UNIFIED_JSON_PATH,
}


@dataclass(frozen=True, slots=True)
class ArcanBackend:
    """A URL template and the JSON path of its answers."""

    url: str
    json_path: str
    ca: CertificateAuthority
    token_secret: SecretKey
    sends_namespace: bool

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """As `Backend.spec`."""
        headers = {"Authorization": webhook.authorization_template(self.token_secret.key)}
        if self.sends_namespace:  # for the audit log; anybody who may make a store could forge it
            headers[webhook.NAMESPACE_HEADER] = "{{ .remoteRef.namespace }}"
        return {
            "webhook": {
                "url": self.url,
                "method": "GET",
                "timeout": _TIMEOUT,
                "headers": headers,
                "secrets": [{"name": webhook.TOKEN_VARIABLE, "secretRef": self.token_secret.ref(home)}],
                "result": {"jsonPath": self.json_path},
                **self.ca.store_fields(home),
            }
        }


def arcan_store(
    reads: Reads,
    settings: StoreSettings,
    names: StoreNames,
    realm: RealmName,
    environment: EnvironmentName,
    reach: Reach,
) -> Store:
    """The store of one realm and token that reads in one of the three ways."""
    if reads is Reads.UNIFIED:
        url = webhook.unified_url(settings.server_url, environment)
    elif reads is Reads.BULK:
        url = webhook.bulk_url(settings.server_url, realm, environment)
    else:
        url = webhook.single_url(settings.server_url, realm, environment)
    backend = ArcanBackend(
        url,
        _JSON_PATHS[reads],
        settings.ca,
        SecretKey(names.token_secret, names.token_key),
        not NAMESPACE_VARIABLE.missing_in(settings.eso_version),
    )
    return Store(names.bulk if reads is Reads.BULK else names.single, backend, reach)
