"""ESO's webhook provider: one client of one store, `GetSecret` and `GetSecretMap`.

Source: providers/v1/webhook/webhook.go and pkg/webhook/webhook.go; measured with ESO itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.errors import EsoError, NoSecret, NotSupported
from arcan_gitops.eso.keys import member_value
from arcan_gitops.eso.objects import KubernetesSecret, RemoteRef, Store, StoreKind, StoreSecret, Webhook
from arcan_gitops.eso.transport import CallFailed, Client, Request, Transport
from arcan_gitops.eso.trust import ca_certificates
from arcan_gitops.golang import json as go_json
from arcan_gitops.golang import jsonpath, template
from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.json import Json
from arcan_gitops.golang.text import go_quote
from arcan_gitops.golang.url import query_escape
from arcan_gitops.webhook import NO_VALUE, SECRET_LABEL_NAME, SECRET_LABEL_VALUE

_Data = Mapping[str, Mapping[str, str]]

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_REDACTED: Final = "[redacted]"


class WebhookClient:
    """What ESO makes of a store for the ExternalSecrets of one namespace.

    Making one reads the CA (`NewClient`); the credential Secrets are read again at every request. `notes`
    are remarks of the emulator's for whoever reads the outcome.
    """

    def __init__(self, store: Store, namespace: str, cluster: Cluster, transport: Transport) -> None:
        if store.webhook is None:
            raise NotSupported(f"the provider {store.provider} of {store.id}")
        if store.webhook.ntlm:
            raise NotSupported(f"auth.ntlm in {store.id}")
        self._store = store
        self._webhook: Webhook = store.webhook
        self._namespace = namespace
        self._cluster = cluster
        trusted = ca_certificates(self._webhook, store.id, namespace, cluster)
        self.notes: set[str] = set()
        if not self._webhook.timeout:
            self.notes.add(f"{store.id} sets no timeout: ESO would wait for ever for a server that hangs")
        self._asked_for = _of_remote_ref(self._webhook)
        self._client: Client = transport.client(trusted, self._webhook.timeout)

    def close(self) -> None:
        """Give the connection up."""
        self._client.close()

    def get_secret(self, ref: RemoteRef) -> bytes:
        """The value of one key (`GetSecret`). Raises `EsoError` (404: `NoSecret`)."""
        body = self._fetch(ref)
        path = _execute(self._webhook.json_path, self._template_data(ref))
        if not path:
            return body
        return _single_value(_at_path(path, _parsed(body)))

    def get_secret_map(self, ref: RemoteRef) -> dict[str, bytes]:
        """All keys of one answer (`GetSecretMap`). Raises `EsoError` (404: `NoSecret`)."""
        try:
            data = self._template_data(ref)
        except GoError as error:
            raise EsoError(f"cannot get template data: {error}") from None
        try:
            path = _execute(self._webhook.json_path, data)
        except GoError as error:
            raise EsoError(f"cannot get templated json path: {error}") from None
        value = _parsed(self._fetch(ref))
        if path:
            value = _at_path(path, value)
        if isinstance(value, str):
            try:
                value = go_json.parse(value.encode("utf-8"))
            except GoError as error:
                raise EsoError(f"failed to parse response json from jsonpath: {error}") from None
        if not isinstance(value, Mapping):
            raise EsoError(f"failed to get response (wrong type: {go_json.type_name(value)})")
        return {name: member_value(item) for name, item in value.items()}

    def _note_unused(self, ref: RemoteRef) -> None:
        for name in ("property", "version"):
            if getattr(ref, name) and name not in self._asked_for:
                self.notes.add(
                    f"{self._store.id} never uses .remoteRef.{name}: "
                    f"every {name} of a key gives the same value"
                )

    def _fetch(self, ref: RemoteRef) -> bytes:
        """The body of the answer (`GetWebhookData`)."""
        self._note_unused(ref)
        raw = self._template_data(ref)
        escaped = dict(raw)
        escaped["remoteRef"] = self._remote_ref(
            replace(
                ref,
                key=query_escape(ref.key),
                version=query_escape(ref.version),
                property=query_escape(ref.property),
            )
        )
        url = _templated("url", self._webhook.url, escaped)
        # For messages: what a store puts into its URL from a Secret is a credential.
        shown = _templated("url", self._webhook.url, self._redacted(escaped))
        body = _templated("body", self._webhook.body, raw)
        method = self._webhook.method or "GET"
        if _TOKEN.fullmatch(method) is None:
            raise EsoError(f"failed to create request: net/http: invalid method {go_quote(method)}")
        try:
            parsed = go_url.parse(url)
        except GoError as error:
            safe = str(error).replace(go_quote(url), go_quote(shown))
            raise EsoError(f"failed to create request: {safe}") from None
        request = Request(method, parsed, self._headers(raw), body.encode("utf-8", "surrogateescape"))
        return self._send(request, shown)

    def _send(self, request: Request, shown: str) -> bytes:
        call = f"{request.method[:1]}{request.method[1:].lower()} {go_quote(shown)}"
        for name, value in request.headers.items():
            if _TOKEN.fullmatch(name) is None:
                problem = f"net/http: invalid header field name {go_quote(name)}"
                raise EsoError(f"failed to call endpoint: {call}: {problem}")
            if _CONTROL.search(value):
                problem = f"net/http: invalid header field value for {go_quote(name)}"
                raise EsoError(f"failed to call endpoint: {call}: {problem}")
        try:
            response = self._client.send(request)
        except CallFailed as error:
            text = str(error)
            raise EsoError(
                text if error.while_reading else f"failed to call endpoint: {call}: {text}"
            ) from None
        if response.status == 404:
            raise NoSecret
        if response.status == 304:
            raise EsoError("not modified")
        if not 200 <= response.status < 300:
            raise EsoError(f"endpoint gave error {response.status_line}")
        return response.body

    def _headers(self, data: _Data) -> dict[str, str]:
        headers = {}
        for name, text in sorted(self._webhook.headers.items()):
            value = _templated(f"header {name}", text, data)
            headers[_canonical(name)] = value
            if NO_VALUE in value:
                self.notes.add(
                    f"{self._store.id} sends '{NO_VALUE}' in the header {name}: its template asks for a "
                    "secrets[] entry, or for a key of that Secret, that is not there"
                )
        return headers

    def _remote_ref(self, ref: RemoteRef) -> dict[str, str]:
        return {
            "key": ref.key,
            "version": ref.version,
            "property": ref.property,
            "namespace": self._namespace,
        }

    def _template_data(self, ref: RemoteRef) -> dict[str, dict[str, str]]:
        """`GetTemplateData`: `.remoteRef` and the credential Secrets, read anew."""
        data = {"remoteRef": self._remote_ref(ref)}
        for wanted in self._webhook.secrets:
            found = self._credential(wanted)
            texts = {key: value.decode("utf-8", "surrogateescape") for key, value in found.data.items()}
            data.setdefault(wanted.name, {}).update(texts)
        return data

    def _credential(self, wanted: StoreSecret) -> KubernetesSecret:
        """`getStoreSecret`: the Secret, from the right namespace, with the label that ESO demands."""
        place = self._namespace
        if self._store.id.kind is StoreKind.CLUSTER_SECRET_STORE:
            if wanted.namespace is None:
                raise EsoError(f"no namespace on ClusterScoped webhook secret {wanted.secret_name}")
            place = wanted.namespace
        try:
            found = self._cluster.secret(place, wanted.secret_name)
        except GoError as error:
            what = f"failed to get clustersecretstore webhook secret {wanted.secret_name}"
            raise EsoError(f"{what}: {error}") from None
        label = found.labels.get(SECRET_LABEL_NAME)
        if label is None:
            raise EsoError(
                f"secret does not contain needed label '{SECRET_LABEL_NAME}: {SECRET_LABEL_VALUE}'. "
                "Update secret label to use it with webhook"
            )
        if label != SECRET_LABEL_VALUE:
            raise EsoError("secret type is not 'webhook'")
        return found

    def _redacted(self, data: _Data) -> _Data:
        names = {secret.name for secret in self._webhook.secrets}
        return {
            name: dict.fromkeys(values, _REDACTED) if name in names else values
            for name, values in data.items()
        }


def _of_remote_ref(webhook: Webhook) -> frozenset[str]:
    """What the store's templates use of `.remoteRef`; all of it where they use it as a whole."""
    found: set[str] = set()
    for text in (webhook.url, webhook.body, webhook.json_path, *webhook.headers.values()):
        try:
            variables = template.contents(template.parse(text)).variables
        except GoError:
            continue  # said when it is executed
        for variable in variables:
            if variable.names == ("remoteRef",):
                return frozenset({"property", "version"})
            if variable.names[0] == "remoteRef":
                found.add(variable.names[1])
    return frozenset(found)


def _execute(text: str, data: _Data) -> str:
    return template.render(template.parse(text), data) if text else ""


def _templated(what: str, text: str, data: _Data) -> str:
    try:
        return _execute(text, data)
    except GoError as error:
        raise EsoError(f"failed to parse {what}: {error}") from None


def _canonical(name: str) -> str:
    """`textproto.CanonicalMIMEHeaderKey`: `x-api-key` is `X-Api-Key`; an invalid name stays as it is."""
    if _TOKEN.fullmatch(name) is None:
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def _parsed(body: bytes) -> Json:
    try:
        return go_json.parse(body)
    except GoError as error:
        raise EsoError(f"failed to parse response json: {error}") from None


def _at_path(path: str, value: Json) -> Json:
    try:
        return jsonpath.get(path, value)
    except GoError as error:
        raise EsoError(f"failed to get response path {path}: {error}") from None


def _single_value(value: Json) -> bytes:
    """`extractSecretData`: null is empty, a number loses its fraction, a list gives its first element."""
    match value:
        case None:
            return b""
        case bool():
            return b"true" if value else b"false"
        case float():
            return format(value, ".0f").encode("ascii")
        case str():
            return value.encode("utf-8")
        case Mapping():
            return go_json.marshal(value)
        case _:
            if not value:
                raise EsoError("filter worked but didn't get any result")
            return _single_value(value[0])
