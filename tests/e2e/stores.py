"""Good and bad stores and generators, and what the policies have to say about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HOST = "arcan.arcan.svc:9797"
HTTPS = "a webhook store or generator must use https"
ALLOWED_HOST = (
    "the host and port in the url of a webhook store or generator must be literal and among the allowed ones"
)
CA = "a webhook store or generator must name the CA of its server by caProvider or caBundle"
CONDITIONS = "a ClusterSecretStore must say by conditions which namespaces may use it"
EVERYBODY = "no condition of a ClusterSecretStore may let in every namespace"

_CA_PROVIDER = {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt", "namespace": "stores"}
_V1 = "external-secrets.io/v1"
_GENERATORS = "generators.external-secrets.io/v1alpha1"
_IN_SHOP = [{"namespaces": ["shop"]}]


@dataclass(frozen=True)
class Case:
    """A store or generator, and the refusal it gets; empty: it is let in."""

    name: str
    manifest: Mapping[str, Any]
    refusal: str = ""

    def __str__(self) -> str:
        return self.name


def _webhook(url: str, **more: Any) -> dict[str, Any]:
    return {"webhook": _asked(url, caProvider=_CA_PROVIDER, **more)}


def _asked(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "result": {"jsonPath": "$.value"}, **more}


def _without_ca(url: str) -> dict[str, Any]:
    return {"webhook": _asked(url)}


def _store(name: str, provider: Mapping[str, Any], refusal: str = "") -> Case:
    namespaced = {"webhook": dict(provider["webhook"])} if "webhook" in provider else dict(provider)
    if provider_ca := namespaced.get("webhook", {}).get("caProvider"):
        namespaced["webhook"]["caProvider"] = {k: v for k, v in provider_ca.items() if k != "namespace"}
    metadata = {"name": name, "namespace": "stores"}
    return Case(name, _manifest(_V1, "SecretStore", metadata, {"provider": namespaced}), refusal)


def _cluster_store(name: str, provider: Mapping[str, Any], refusal: str = "", **spec: Any) -> Case:
    spec = {"provider": provider, **spec}
    return Case(name, _manifest(_V1, "ClusterSecretStore", {"name": name}, spec), refusal)


def _open_to(name: str, *conditions: Mapping[str, Any], refusal: str = EVERYBODY) -> Case:
    return _cluster_store(name, _webhook(_GOOD), refusal, conditions=list(conditions))


def _generator(name: str, generator: Mapping[str, Any], refusal: str = "") -> Case:
    metadata = {"name": name, "namespace": "stores"}
    return Case(name, _manifest(_GENERATORS, "Webhook", metadata, generator["webhook"]), refusal)


def _cluster_generator(name: str, generator: Mapping[str, Any], refusal: str = "") -> Case:
    known = {"webhook": ("Webhook", "webhookSpec"), "uuid": ("UUID", "uuidSpec")}
    ((each, body),) = generator.items()
    kind, field = known[each]
    spec = {"kind": kind, "generator": {field: body}}
    return Case(name, _manifest(_GENERATORS, "ClusterGenerator", {"name": name}, spec), refusal)


def _manifest(
    api_version: str, kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]
) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _where(key: str, operator: str, *values: str) -> dict[str, Any]:
    expression = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"namespaceSelector": {"matchExpressions": [expression]}}


def _matching(*regexes: str) -> dict[str, Any]:
    return {"namespaceRegexes": list(regexes)}


_GOOD = f"https://{HOST}/api/v1/eso/production/{{{{ .remoteRef.key }}}}?env=prod"
_FAKE = {"fake": {"data": [{"key": "a", "value": "b"}]}}

CASES = (
    _store("good", _webhook(_GOOD)),
    _store("good-with-bundle", {"webhook": _asked(_GOOD, caBundle="YQ==")}),
    _cluster_store("good-for-the-cluster", _webhook(_GOOD), conditions=_IN_SHOP),
    _store("not-a-webhook", _FAKE),
    _store("plain-http", _webhook(f"http://{HOST}/api"), HTTPS),
    _store("another-host", _webhook("https://evil.example.com:9797/api"), ALLOWED_HOST),
    _store("another-port", _webhook("https://arcan.arcan.svc:9798/api"), ALLOWED_HOST),
    _store("no-port", _webhook("https://arcan.arcan.svc/api"), ALLOWED_HOST),
    _store("host-as-prefix", _webhook(f"https://{HOST}.evil.example.com/api"), ALLOWED_HOST),
    _store("host-as-user", _webhook(f"https://{HOST}@evil.example.com/api"), ALLOWED_HOST),
    _store("host-as-query", _webhook(f"https://evil.example.com?{HOST}/"), ALLOWED_HOST),
    _store("templated-host", _webhook("https://{{ .remoteRef.key }}/api"), ALLOWED_HOST),
    _store("capitals", _webhook(f"HTTPS://{HOST}/api"), HTTPS),
    _store("no-ca", _without_ca(_GOOD), CA),
    _cluster_store("for-everybody", _webhook(_GOOD), CONDITIONS),
    _cluster_store("for-an-empty-list", _webhook(_GOOD), CONDITIONS, conditions=[]),
    _open_to("for-nobody", {}, {"namespaces": []}, refusal=""),
    _open_to("for-a-label", {"namespaceSelector": {"matchLabels": {"team": "shop"}}}, refusal=""),
    _open_to("for-some-values", _where("team", "In", "shop", "pay"), refusal=""),
    _open_to("for-all-with-a-label", _where("team", "Exists"), refusal=""),
    _open_to("for-a-prefix", _matching("^shop-", "-prod$"), refusal=""),
    _open_to("for-an-empty-selector", {"namespaceSelector": {}}),
    _open_to("for-empty-lists", {"namespaceSelector": {"matchLabels": {}, "matchExpressions": []}}),
    _open_to("for-all-with-a-name", _where("kubernetes.io/metadata.name", "Exists")),
    _open_to("for-all-but-one", *_IN_SHOP, _where("team", "NotIn", "shop")),
    _open_to("for-all-without-a-label", _where("team", "DoesNotExist")),
    _open_to("for-an-empty-regex", _matching("")),
    _open_to("for-any-text", _matching("^shop$", ".*")),
    _open_to("for-any-name", _matching("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")),
    _open_to("for-any-three-letters", *_IN_SHOP, _matching(".{3,}")),
    _generator("good-generator", _webhook(_GOOD)),
    _generator("generator-by-http", _webhook(f"http://{HOST}/api"), HTTPS),
    _generator("generator-elsewhere", _webhook("https://evil.example.com:9797/api"), ALLOWED_HOST),
    _generator("generator-without-ca", _without_ca(_GOOD), CA),
    _cluster_generator("good-for-all", _webhook(_GOOD)),
    _cluster_generator("by-http-for-all", _webhook(f"http://{HOST}/api"), HTTPS),
    _cluster_generator("elsewhere-for-all", _webhook("https://evil.example.com/api"), ALLOWED_HOST),
    _cluster_generator("without-ca-for-all", _without_ca(_GOOD), CA),
    _cluster_generator("not-a-webhook-for-all", {"uuid": {}}),
)

# What is let in with these settings, by its name or by its host.
EXCEPTIONS = {
    "allowedHosts": ["evil.example.com:9797"],
    "exemptStores": ["stores/plain-http", "for-everybody", "stores/generator-by-http", "by-http-for-all"],
}
EXCEPTED = (
    "plain-http", "for-everybody", "another-host",
    "generator-by-http", "by-http-for-all", "generator-elsewhere",
)  # fmt: skip


def named(name: str) -> Case:
    """One of them."""
    (found,) = [each for each in CASES if each.name == name]
    return found


def held(case: Case) -> dict[str, Any]:
    """Its manifest, with a finalizer: deleted, it stays until that is taken off."""
    metadata = {**case.manifest["metadata"], "finalizers": ["example.com/held"]}
    return {**case.manifest, "metadata": metadata}


def deleted(case: Case) -> dict[str, Any]:
    """What is held, as it is after it was deleted."""
    manifest = held(case)
    manifest["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    return manifest
