"""A SecretStore or ClusterSecretStore manifest, field by field (`secretstore_webhook_types.go`)."""

from __future__ import annotations

from arcan_gitops.eso.fields import ObjectFields
from arcan_gitops.eso.objects import (
    CaProvider,
    LabelSelector,
    Requirement,
    Store,
    StoreCondition,
    StoreId,
    StoreKind,
    StoreSecret,
    Webhook,
)
from arcan_gitops.golang import base64 as go_base64
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.text import parse_duration

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def read_store(top: ObjectFields, kind: str, name: str, namespace: str) -> Store:
    """The store. Raises `ArcanError`."""
    store_kind = StoreKind(kind)
    spec = top.required("spec")
    provider = spec.required("provider")
    names = provider.names()
    if len(names) != 1:
        spec.fail("provider", f"must name exactly one provider, not {len(names)}")
    webhook = _webhook(provider.required("webhook")) if names == ("webhook",) else None
    conditions = tuple(_condition(item) for item in spec.mappings("conditions"))
    controller = spec.text("controller", "")
    spec.ignore("refreshInterval", "retrySettings")  # the webhook provider reads neither
    spec.done()
    placed = "" if store_kind is StoreKind.CLUSTER_SECRET_STORE else namespace
    return Store(StoreId(store_kind, placed, name), names[0], webhook, conditions, controller)


def _webhook(fields: ObjectFields) -> Webhook:
    timeout = fields.optional_text("timeout")
    seconds: float | None = None
    if timeout is not None:
        try:
            seconds = parse_duration(timeout)
        except ValueError:
            fields.fail("timeout", "must be a duration such as 5s")
    bundle = b""
    if text := fields.optional_text("caBundle"):
        try:
            bundle = go_base64.decode(text.encode("utf-8"))
        except GoError as error:
            fields.fail("caBundle", f"must be base64 ({error})", "base64 -w0 ca.crt")
    result = fields.mapping("result")
    json_path = ""
    if result is not None:
        json_path = result.text("jsonPath", "")
        result.done()
    webhook = Webhook(
        url=fields.text("url"),
        method=fields.text("method", ""),
        headers=fields.text_map("headers"),
        body=fields.text("body", ""),
        timeout=seconds,
        json_path=json_path,
        secrets=tuple(_store_secret(item) for item in fields.mappings("secrets")),
        ca_bundle=bundle,
        ca_provider=_ca_provider(fields.mapping("caProvider")),
        ntlm=fields.mapping("auth") is not None,
    )
    fields.done()
    return webhook


def _store_secret(fields: ObjectFields) -> StoreSecret:
    ref = fields.required("secretRef")
    secret = StoreSecret(
        name=fields.text("name"),
        secret_name=ref.text("name", ""),
        namespace=ref.optional_text("namespace"),
        key=ref.optional_text("key"),
    )
    ref.done()
    fields.done()
    return secret


def _ca_provider(fields: ObjectFields | None) -> CaProvider | None:
    if fields is None:
        return None
    if "type" not in fields:
        fields.fail("type", "is missing", "Secret or ConfigMap")
    provider = CaProvider(
        kind=fields.choice("type", ("Secret", "ConfigMap"), ""),
        name=fields.text("name"),
        key=fields.text("key", ""),
        namespace=fields.optional_text("namespace"),
    )
    fields.done()
    return provider


def _condition(fields: ObjectFields) -> StoreCondition:
    selector = fields.mapping("namespaceSelector")
    condition = StoreCondition(
        namespaces=fields.texts("namespaces"),
        regexes=fields.texts("namespaceRegexes"),
        selector=None if selector is None else read_selector(selector),
    )
    fields.done()
    return condition


def read_selector(fields: ObjectFields) -> LabelSelector:
    """A label selector. Raises `ArcanError`."""
    expressions = tuple(
        Requirement(item.text("key"), item.choice("operator", _OPERATORS, ""), item.texts("values"))
        for item in fields.mappings("matchExpressions")
    )
    selector = LabelSelector(fields.text_map("matchLabels"), expressions)
    fields.done()
    return selector
