"""The Secrets of a namespace, from the API server; and its ExternalSecrets, which say who reads what.

Source: Kubernetes API, core/v1 Secret; ESO's CRDs. The kubeconfig is read by the client library: KUBECONFIG,
or `~/.kube/config`; its exec plugins work.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

from arcan_gitops.migrate.bounds import bounded, in_time, pages
from arcan_gitops.migrate.source import CannotImport, Found, Left, Origin, client_library, require_tls
from arcan_gitops.migrate.texts import of_bytes
from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE

_PAGE: Final = 100
_CHUNK: Final = 64 * 1024
_TIMEOUT_SECONDS: Final = 30
_ESO_GROUP: Final = "external-secrets.io"
_ESO_VERSIONS: Final = ("v1", "v1beta1")
# type of a Secret -> why it is not imported
_NOT_OF_PEOPLE: Final = {
    "kubernetes.io/service-account-token": "a service account's token, which Kubernetes makes",
    "bootstrap.kubernetes.io/token": "a bootstrap token, which belongs to this cluster",
    "helm.sh/release.v1": "a release of Helm's, which Helm makes",
}
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_CERTIFICATE: Final = "cert-manager.io/certificate-name"


class KubernetesSource:
    """All Secrets of a namespace, or those that are named; below a single one, its keys keep their names."""

    def __init__(
        self,
        namespace: Namespace,
        names: Sequence[ObjectName] = (),
        *,
        context: str | None = None,
        scratch: Path | None = None,
    ) -> None:
        """Reads the kubeconfig. `scratch` is where the client library puts the client certificate and key
        that stand in it, for OpenSSL takes them from files only; None is the folder for temporary files.

        Raises `NoClientLibrary`, `CannotImport`.
        """
        with client_library("kubernetes", "kubernetes"):
            from kubernetes import client, config
            from urllib3 import Retry
            from urllib3.exceptions import HTTPError
        self._failures: tuple[type[Exception], ...] = (
            client.ApiException, HTTPError, OSError, ValueError, KeyError, TypeError,
        )  # fmt: skip
        settings = client.Configuration()
        try:
            config.load_kube_config(
                context=context,
                client_configuration=settings,
                persist_config=False,
                temp_file_path=None if scratch is None else str(scratch),
            )
        except Exception as error:  # of the library's own, of YAML, of a plugin
            raise CannotImport(
                f"the kubeconfig cannot be used: {type(error).__name__}",
                hint="KUBECONFIG names the file, --context the context; 'kubectl get secrets' must work",
            ) from None
        settings.debug = False
        settings.retries = Retry(redirect=False)  # a redirect is an answer, and nothing is sent on
        require_tls(str(settings.host), "the kubeconfig's server")
        api = client.ApiClient(settings)
        self._core, self._custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self._namespace, self._names = namespace, tuple(names)
        self.below = str(names[0]) if len(names) == 1 else ""
        self.name = f"Kubernetes {settings.host}, namespace {namespace}"

    def read(self) -> Iterator[Found | Left]:
        """As `Source.read`: by name of Secret and key."""
        secrets = {secret["metadata"]["name"]: secret for secret in self._list_secrets()}
        for name in self._names:
            if name not in secrets:
                yield Left(Origin(name), "there is no such Secret", wrong=True)
        for name in sorted(secrets):
            if not self._names or name in self._names:
                yield from _values(name, secrets[name])
        if not secrets:
            raise CannotImport(f"{self.name}: there is no Secret", hint="name another one: --namespace")

    def external_secrets(self) -> list[Mapping[str, Any]]:
        """The manifests of the namespace's ExternalSecrets. Raises `CannotImport`."""
        for version in _ESO_VERSIONS:
            found = list(
                self._pages(
                    self._custom.list_namespaced_custom_object,
                    _ESO_GROUP,
                    version,
                    self._namespace,
                    "externalsecrets",
                    missing_is_empty=True,
                )
            )
            if found:
                kind = {"apiVersion": f"{_ESO_GROUP}/{version}", "kind": "ExternalSecret"}
                return [{**item, **kind} for item in found]
        return []

    def _list_secrets(self) -> Iterator[dict[str, Any]]:
        return self._pages(self._core.list_namespaced_secret, self._namespace)

    def _pages(self, call: Any, *arguments: Any, missing_is_empty: bool = False) -> Iterator[dict[str, Any]]:
        """All items of a list, as the JSON that the server sent: the library's objects print themselves."""
        more: dict[str, str] = {}
        for _ in pages(count(), self.name):
            status: object = None
            try:
                with in_time(self.name):
                    answer = call(
                        *map(str, arguments),
                        limit=_PAGE,
                        **more,
                        _preload_content=False,
                        _request_timeout=_TIMEOUT_SECONDS,
                    )
                    status = answer.status
                    data = bounded(answer.stream(_CHUNK), self.name)
                page = json.loads(data) if status == 200 else None
                items = [] if page is None else list(page["items"])
                token = "" if page is None else page.get("metadata", {}).get("continue")
            except self._failures as error:
                status, token, items = getattr(error, "status", None) or type(error).__name__, "", []
            if status == 404 and missing_is_empty:
                return
            if status in _REDIRECTS:
                raise CannotImport(
                    f"{self.name}: redirects to another address ({status}), which would be given the "
                    "credentials",
                    hint="name in the kubeconfig the server that answers",
                )
            if status != 200:
                raise CannotImport(
                    f"{self.name}: cannot be read: {status}",
                    hint="where it is 401 or 403: 'kubectl auth can-i list secrets' must say yes",
                )
            yield from items
            if not token:
                return
            more = {"_continue": str(token)}

    def origin_of(self, key: str, property: str | None) -> Origin:
        """ESO's Kubernetes provider: the key is the name of a Secret, the property one of its keys."""
        return Origin(key, property)


def _values(name: str, secret: Mapping[str, Any]) -> Iterator[Found | Left]:
    reason = _not_of_people(name, secret)
    if reason:
        yield Left(Origin(name), reason)
        return
    data = secret.get("data") or {}
    if not data:
        yield Left(Origin(name), "has no data")
    for key in sorted(data):
        origin = Origin(name, key)
        try:
            yield of_bytes(origin, base64.b64decode(data[key], validate=True))
        except (binascii.Error, ValueError, TypeError):
            yield Left(origin, "is not base64", wrong=True)


def _not_of_people(name: str, secret: Mapping[str, Any]) -> str:
    """Why a Secret is left where it is; empty for one that a person or an operator has put there."""
    kind = secret.get("type") or "Opaque"
    if kind in _NOT_OF_PEOPLE:
        return _NOT_OF_PEOPLE[kind]
    if name.startswith("sh.helm.release.v1."):
        return _NOT_OF_PEOPLE["helm.sh/release.v1"]
    metadata = secret.get("metadata") or {}
    if _CERTIFICATE in (metadata.get("annotations") or {}):
        return "a certificate of cert-manager's, which renews it"
    if (metadata.get("labels") or {}).get(SECRET_LABEL_NAME) == SECRET_LABEL_VALUE:
        return "a token that ESO shows to a webhook, which a realm cannot bring to itself"
    return ""
