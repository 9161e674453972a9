"""Stores that read from the Arcan server through ESO's webhook provider.

Source: ESO apis/externalsecrets/v1/secretstore_webhook_types.go; every field is in the CRDs of v0.16 to v2.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops import webhook
from arcan_gitops.names import EnvironmentName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay.ca import CertificateAuthority
from arcan_gitops.overlay.manifest import API_VERSION, Manifest, SyncWave, metadata
from arcan_gitops.overlay.naming import StoreNames
from arcan_gitops.overlay.settings import StoreSettings, TokenSecret

# Without one, a server that hangs would block ESO's only worker for ever (http.Client has no default).
_TIMEOUT: Final = "10s"


@dataclass(frozen=True, slots=True)
class InNamespace:
    """A SecretStore: its token Secret and CA are beside it."""

    namespace: Namespace


@dataclass(frozen=True, slots=True)
class ClusterWide:
    """A ClusterSecretStore: token Secret and CA are in ESO's namespace. No `users`: all namespaces."""

    eso_namespace: Namespace
    users: tuple[Namespace, ...]


Reach = InNamespace | ClusterWide


@dataclass(frozen=True, slots=True)
class ArcanStore:
    """One store: a URL template and the JSON path of its answers."""

    name: ObjectName
    url: str
    json_path: str
    ca: CertificateAuthority
    token_secret: TokenSecret
    reach: Reach

    @property
    def kind(self) -> str:
        """`SecretStore` or `ClusterSecretStore`."""
        return "SecretStore" if isinstance(self.reach, InNamespace) else "ClusterSecretStore"

    def manifest(self) -> Manifest:
        """The store as Kubernetes will keep it: nothing in it is left to a default."""
        home = None if isinstance(self.reach, InNamespace) else self.reach.eso_namespace
        token = {"name": str(self.token_secret.name), "key": str(self.token_secret.key)}
        if home is not None:
            token["namespace"] = str(home)
        provider: dict[str, Any] = {
            "url": self.url,
            "method": "GET",
            "timeout": _TIMEOUT,
            # No X-Kubernetes-Namespace here: before 0.20 ESO has no `.remoteRef.namespace`, and the audit
            # log would show the text `<no value>` for a namespace.
            "headers": {"Authorization": webhook.authorization_template(self.token_secret.key)},
            "secrets": [{"name": webhook.TOKEN_VARIABLE, "secretRef": token}],
            "result": {"jsonPath": self.json_path},
            **self.ca.store_fields(home),
        }
        spec: dict[str, Any] = {"provider": {"webhook": provider}}
        if isinstance(self.reach, ClusterWide) and self.reach.users:
            spec["conditions"] = [{"namespaces": [str(user) for user in self.reach.users]}]
        namespace = self.reach.namespace if isinstance(self.reach, InNamespace) else None
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "metadata": metadata(self.name, namespace, SyncWave.STORE),
            "spec": spec,
        }


def single_store(
    settings: StoreSettings, names: StoreNames, realm: RealmName, environment: EnvironmentName, reach: Reach
) -> ArcanStore:
    """The store that reads one key a request."""
    url = webhook.single_url(settings.server_url, realm, environment)
    secret = TokenSecret(names.token_secret, settings.token_secret.key)
    return ArcanStore(names.single, url, webhook.VALUE_JSON_PATH, settings.ca, secret, reach)


def bulk_store(
    settings: StoreSettings, names: StoreNames, realm: RealmName, environment: EnvironmentName, reach: Reach
) -> ArcanStore:
    """The store that reads a whole environment in one request."""
    url = webhook.bulk_url(settings.server_url, realm, environment)
    secret = TokenSecret(names.token_secret, settings.token_secret.key)
    return ArcanStore(names.bulk, url, webhook.DATA_JSON_PATH, settings.ca, secret, reach)
