"""Any HTTP endpoint that answers with JSON or plain text, through ESO's webhook provider.

Source: ESO apis/externalsecrets/v1/secretstore_webhook_types.go and pkg/webhook/webhook.go, v0.16 to v2.9.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from arcan_gitops.eso_version import NAMESPACE_VARIABLE, EsoVersion, Feature
from arcan_gitops.golang.template import Named
from arcan_gitops.golang.template.names import EXISTENCE
from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, Namespace, ObjectName, did_you_mean
from arcan_gitops.overlay.ca import CaReader, CertificateAuthority, PublicCa, parse_ca
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.overlay.needs import Need, SecretNeed
from arcan_gitops.overlay.references import mapping, placed
from arcan_gitops.overlay.stores.endpoint import checked_endpoint, http_warnings, is_plain_http, needs_ca
from arcan_gitops.overlay.stores.store import Backend
from arcan_gitops.overlay.template_text import BrokenTemplate, check_json_path, read_template
from arcan_gitops.webhook import CREDENTIAL_NAME, NO_VALUE, is_written_out
from arcan_gitops.yamlio import Fields, each, one_of

_METHODS: Final = ("GET", "POST")
_HEADER: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_REMOTE_REF: Final = "remoteRef"
_OF_REMOTE_REF: Final = ("key", "property", "version", "namespace")


@dataclass(frozen=True, slots=True)
class TemplateSecret:
    """A Kubernetes Secret, all keys of which the templates see as `.<variable>.<key>`."""

    variable: str
    secret: ObjectName
    key: KeyName | None  # ESO ignores it; for readers

    def spec(self, home: Namespace | None) -> dict[str, Any]:
        """An entry of `secrets`."""
        key = {} if self.key is None else {"key": str(self.key)}
        return {"name": self.variable, "secretRef": placed({"name": str(self.secret), **key}, home)}


@dataclass(frozen=True, slots=True)
class Webhook:
    """One endpoint; texts with `{{ }}` are templates that ESO evaluates."""

    url: str
    method: str
    timeout: Duration
    headers: Mapping[str, str]
    body: str | None
    json_path: str | None
    secrets: tuple[TemplateSecret, ...]
    ca: CertificateAuthority

    @classmethod
    def parse(cls, fields: Fields, base: Self | None, read_ca: CaReader) -> Self:
        """As `DeclaredBackend.parse`. Headers and secrets of an overlay replace those of the base."""
        fields.only("scope", "url", "method", "timeout", "headers", "body", "result", "secrets", "ca")
        body = fields.optional_text("body")
        timeout = fields.text("timeout", base.timeout if base else "10s")
        method = fields.text("method", base.method if base else "GET")
        found = cls(
            url=checked_endpoint(fields, "url", fields.text("url", base.url if base else None)),
            method=one_of(fields, "method", method, _METHODS),
            timeout=fields.parse("timeout", Duration, timeout),
            headers=base.headers if base and "headers" not in fields else _headers(fields),
            body=body if body is not None or base is None else base.body,
            json_path=base.json_path if base and "result" not in fields else _json_path(fields),
            secrets=base.secrets if base and "secrets" not in fields else _secrets(fields),
            ca=parse_ca(fields, base.ca if base else PublicCa(), read_ca),
        )
        _check(fields, found)
        return found

    @property
    def templates(self) -> Mapping[str, str]:
        """The texts that ESO evaluates, by the field that holds them."""
        texts = {"url": self.url, "body": self.body, "result": self.json_path}
        headers = {f"headers.{name}": text for name, text in self.headers.items()}
        return {**{name: text for name, text in texts.items() if text is not None}, **headers}

    def at(self, environment: EnvironmentName, version: EsoVersion) -> Backend:
        """As `DeclaredBackend.at`: the same everywhere."""
        return self

    def spec(self, home: Namespace | None) -> Mapping[str, Any]:
        """As `Backend.spec`. Up to 0.16 `result` is required, also where it is empty."""
        return {
            "webhook": {
                "url": self.url,
                "method": self.method,
                "timeout": str(self.timeout),
                **({"headers": dict(self.headers)} if self.headers else {}),
                **({} if self.body is None else {"body": self.body}),
                **({"secrets": [secret.spec(home) for secret in self.secrets]} if self.secrets else {}),
                "result": {} if self.json_path is None else {"jsonPath": self.json_path},
                **self.ca.store_fields(home),
            }
        }

    def check_key(self, key: str) -> None:
        """Anything that a URL can carry. Raises `InvalidName`."""
        if not key.isprintable() or not key or " " in key or ".." in key.split("/") or len(key) > 512:
            raise InvalidName(
                f"{key[:80]!r} is not a key for an HTTP endpoint",
                hint="write 1 to 512 printable characters without spaces; '..' is no part of a path",
            )

    def ignored(self) -> frozenset[str]:
        """As `DeclaredBackend.ignored`: what no template mentions."""
        return frozenset({"property", "version"}) - _of_remote_ref(self)

    def features(self) -> Iterator[Feature]:
        """As `DeclaredBackend.features`."""
        if "namespace" in _of_remote_ref(self):
            yield NAMESPACE_VARIABLE
        for text in self.templates.values():
            for function in read_template(text, "webhooktemplate").functions:
                existence = EXISTENCE.get(function.names[0])
                if existence is not None and existence.since > (0, 0):
                    yield Feature(
                        f"the function {function.names[0]} of a template", EsoVersion(*existence.since)
                    )

    def needs(self) -> Iterator[Need]:
        """As `DeclaredBackend.needs`."""
        for secret in self.secrets:
            yield SecretNeed(secret.secret, secret.key, labelled=True)
        yield from needs_ca(self.ca)

    def warnings(self) -> Iterator[str]:
        """As `DeclaredBackend.warnings`."""
        yield from http_warnings(self.url)


def _check(fields: Fields, webhook: Webhook) -> None:
    """What ESO would accept and nobody can want."""
    if is_plain_http(webhook.url) and urlsplit(webhook.url).port is None:
        hint = "write the port: ESO checks a store by connecting to it, and takes 443 where none is given"
        fields.fail("'url' is plain http without a port", field="url", hint=hint)
    templates = webhook.templates
    parsed = each(lambda field: _variables(fields, field, templates[field]), templates)
    used = dict(zip(templates, parsed, strict=True))
    if not any({"key", "property"} & _names(variables) for variables in used.values()):
        hint = (
            "use {{ .remoteRef.key }} in 'url', or in 'result': $[\"secrets\"][0][\"{{ .remoteRef.key }}\"]"
        )
        fields.fail(
            "nothing asks for the key, so that every key would get the same value", field="url", hint=hint
        )
    known = {_REMOTE_REF, *(secret.variable for secret in webhook.secrets)}
    named = [(field, variable) for field, variables in used.items() for variable in variables]
    each(lambda use: _check_variable(fields, *use, known), named)


def _variables(fields: Fields, field: str, text: str) -> tuple[Named, ...]:
    """The variables of one template, which must be one; `result` must be a JSONPath too."""
    try:
        if field == "result":
            check_json_path(text)
        return read_template(text, "webhooktemplate").variables
    except BrokenTemplate as error:
        what = "jsonPath" if field == "result" else f"the template '{field}'"
        fields.fail(f"{what} does not parse: {error.message}", field=field.partition(".")[0], hint=error.hint)


def _check_variable(fields: Fields, field: str, variable: Named, known: Collection[str]) -> None:
    place = field.partition(".")[0]
    name, *rest = variable.names
    if name not in known:
        problem = f"'{field}' uses .{name}, and no entry of 'secrets' has that name"
        fields.fail(problem, field=place, hint=did_you_mean(name, known))
    if name == _REMOTE_REF and rest and rest[0] not in _OF_REMOTE_REF:
        problem = f"'{field}' uses {variable}: ESO would send '{NO_VALUE}'"
        fields.fail(problem, field=place, hint=did_you_mean(rest[0], _OF_REMOTE_REF))


def _names(variables: Iterable[Named]) -> set[str]:
    """What is used of `.remoteRef`; all of it where it is used as a whole."""
    found: set[str] = set()
    for variable in variables:
        if variable.names == (_REMOTE_REF,):
            found |= set(_OF_REMOTE_REF)
        elif variable.names[0] == _REMOTE_REF:
            found.add(variable.names[1])
    return found


def _of_remote_ref(webhook: Webhook) -> set[str]:
    texts = webhook.templates.values()
    return {name for text in texts for name in _names(read_template(text, "webhooktemplate").variables)}


def _headers(fields: Fields) -> dict[str, str]:
    if "headers" not in fields:
        return {}
    headers = mapping(fields, "headers", "{NAME: TEXT}, a mapping and not a list")
    for name in headers.names():
        text = headers.text(name)
        if _HEADER.fullmatch(name) is None:
            headers.fail(f"{name[:80]!r} is not the name of an HTTP header", field=name, hint="as in X-Token")
        if CREDENTIAL_NAME.search(name) and ("{{" not in text or is_written_out(text)):
            hint = f"{name}: 'Bearer {{{{ .auth.token | trim }}}}', and 'auth' from a Secret under 'secrets'"
            headers.fail(f"the header '{name}' holds a credential in clear", field=name, hint=hint)
    return {name: headers.text(name) for name in headers.names()}


def _json_path(fields: Fields) -> str | None:
    if "result" not in fields:
        return None
    result = mapping(fields, "result", "{jsonPath: '$[\"value\"]'}")
    result.only("jsonPath")
    path = result.text("jsonPath")
    if "[*]" in path:
        hint = 'name one: $["secrets"][0]["{{ .remoteRef.key }}"]'
        result.fail(
            "'jsonPath' selects a list, of which ESO takes the first element", field="jsonPath", hint=hint
        )
    return path


def _secrets(fields: Fields) -> tuple[TemplateSecret, ...]:
    secrets = []
    for item in fields.mappings("secrets"):
        item.only("name", "secretRef")
        variable = item.text("name")
        if not variable.isidentifier() or not variable.isascii() or variable == _REMOTE_REF:
            hint = "letters, digits and '_', as in {{ .auth.token }}"
            item.fail("'name' must be a name that a template can use", field="name", hint=hint)
        ref = mapping(item, "secretRef", "{name: SECRET}")
        ref.only("name", "key")
        key = ref.optional_text("key")
        secrets.append(
            TemplateSecret(
                variable,
                ref.parse("name", ObjectName, ref.text("name")),
                None if key is None else ref.parse("key", KeyName, key),
            )
        )
    return tuple(secrets)
