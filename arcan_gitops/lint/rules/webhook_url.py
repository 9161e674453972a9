"""The URL of a webhook store. No message quotes it: it may hold a password or a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import Store
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules.templates import PLACEHOLDER, without_actions

_LITERAL: Final = "write host and port literally: https://arcan.internal:9797/...; a store a server"
_NUMERIC: Final = re.compile(r"10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|127\.|169\.254\.")
_PRIVATE: Final = (
    ".svc",
    ".svc.cluster.local",
    ".cluster.local",
    ".internal",
    ".local",
    ".lan",
    ".home.arpa",
)


def _urls(manifests: Manifests) -> Iterator[tuple[Store, Node, str]]:
    for store in manifests.stores:
        if store.webhook is not None and (url := store.webhook.text("url")) is not None:
            node = store.webhook.at("url")
            if node is not None:
                yield store, node, url


def authority(url: str) -> str:
    """Between `//` and the path; with `PLACEHOLDER` for each action."""
    return re.split(r"[/?#]", without_actions(url).partition("://")[2], maxsplit=1)[0]


def _templated_host(manifests: Manifests) -> Iterator[Found]:
    for store, node, url in _urls(manifests):
        plain = without_actions(url)
        if PLACEHOLDER in authority(url) or plain.startswith(PLACEHOLDER):
            problem = "a template in the host of the url, which ESO dials as it is written: never Ready"
            yield store.object.found(node, problem, _LITERAL)


def _undialable(manifests: Manifests) -> Iterator[Found]:
    for store, node, url in _urls(manifests):
        if PLACEHOLDER in authority(url) or without_actions(url).startswith(PLACEHOLDER):
            continue
        if not re.match(r"https?://[^/?#]", url, re.IGNORECASE):
            yield store.object.found(node, "a url without https:// and a host: never Ready", _LITERAL)
            continue
        try:
            parsed = go_url.parse(url)
        except GoError:
            problem = "a url that does not parse before its templates are evaluated: the store is never Ready"
            yield store.object.found(
                node,
                problem,
                "look for a '%' without two hexadecimal digits, as in printf, or a space, as in folded text",
            )
            continue
        except NotSupported:
            continue
        if ":" in parsed.host:
            problem = "an IPv6 address in the url, which ESO's check cannot dial: the store is never Ready"
            yield store.object.found(node, problem, "give the server a name")
        elif parsed.scheme == "http" and parsed.port is None:
            problem = "an http url without a port, for which ESO's check dials 443: the store is never Ready"
            yield store.object.found(node, problem, "name the port, and better https")


def _plain_http(manifests: Manifests) -> Iterator[Found]:
    for store in (*manifests.stores, *manifests.generators):
        if store.settings is None:
            continue
        fields = {**store.settings.fields(), **store.settings.fields("server")}
        for name, node in fields.items():
            if not isinstance(node.scalar, str) or not node.scalar.lower().startswith("http://"):
                continue
            host = _host(node.scalar)
            if host == "localhost" or host.startswith("127."):
                continue  # a sidecar: nothing leaves the pod
            inside = host.endswith((".svc", ".svc.cluster.local"))
            where = "between pods and nodes" if inside else "on the way"
            yield store.object.found(
                node,
                f"{name} is plain http: whoever listens {where} reads the credentials and every secret",
                "use https, with caProvider or caBundle for a private CA",
                Severity.WARNING if inside else None,
            )


def _host(url: str) -> str:
    host = authority(url).rpartition("@")[2]
    return host.partition(":")[0].lower() if not host.startswith("[") else host


def _no_ca(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.webhooks():
        webhook = store.webhook
        url, node = (webhook.text("url"), webhook.at("url")) if webhook is not None else (None, None)
        if webhook is None or url is None or node is None or not url.lower().startswith("https://"):
            continue
        host = _host(url)
        private = "." not in host or host.endswith(_PRIVATE) or _NUMERIC.match(host)
        if PLACEHOLDER in host or not private or webhook.at("caProvider") or webhook.at("caBundle"):
            continue
        yield store.object.found(
            node,
            "https to a host that no public CA vouches for, and neither caProvider nor caBundle",
            "add caProvider: {type: ConfigMap, name: arcan-ca, key: ca.crt}",
        )


def _ignores_key(manifests: Manifests) -> Iterator[Found]:
    asked: dict[int, tuple[Store, dict[tuple[str, str], str]]] = {}
    for user, entry, store in manifests.uses():
        if store.webhook is None or entry.how != "data" or entry.ref is None:
            continue
        if any(".remoteRef" in text for _, _, text in store.templates()):
            continue
        key = (entry.ref.text("key") or "", entry.ref.text("property") or "")
        asked.setdefault(id(store), (store, {}))[1].setdefault(key, user.object.name)
    for store, keys in asked.values():
        node = store.webhook.at("url") if store.webhook is not None else None
        if len(keys) < 2 or node is None:
            continue
        names = ", ".join(sorted({key for key, _ in keys})[:5])
        yield store.object.found(
            node,
            f"the url ignores the key, so that all {len(keys)} that are asked for ({names}) get one value",
            "put {{ .remoteRef.key }} into the url, or read them all at once with dataFrom.extract",
        )


def _ignores_property(manifests: Manifests) -> Iterator[Found]:
    asked: dict[int, tuple[Store, dict[str, set[str]]]] = {}
    for _, entry, store in manifests.uses():
        key, wanted = (entry.ref.text("key"), entry.ref.text("property")) if entry.ref else (None, None)
        if store.webhook is None or not key or not wanted or entry.how == "find":
            continue
        if any(
            ".remoteRef.property" in text or "index .remoteRef" in text for _, _, text in store.templates()
        ):
            continue
        asked.setdefault(id(store), (store, {}))[1].setdefault(key, set()).add(wanted)
    for user, entry, store in manifests.uses():
        key = entry.ref.text("key") if entry.ref else None
        wanted = entry.ref.text("property") if entry.ref else None
        if id(store) in asked and key in asked[id(store)][1] and wanted and entry.ref is not None:
            several = len(asked[id(store)][1][key]) > 1
            what = "every property of a key is the same value" if several else "the whole answer is the value"
            yield user.object.found(
                entry.ref.at("property"),
                f"property, which {store.object} never sends nor looks up: {what}",
                "use it in the store: jsonPath: '$[\"{{ .remoteRef.property }}\"]'; or leave it out here",
            )


RULES = (
    Rule("ARC020", Severity.ERROR, "a template in the host of a webhook store's url", _templated_host),
    Rule("ARC021", Severity.ERROR, "a webhook store's url that ESO's own check cannot dial", _undialable),
    Rule("ARC022", Severity.ERROR, "a url that gives every key the same value", _ignores_key),
    Rule("ARC023", Severity.ERROR, "a store that is read over plain http", _plain_http),
    Rule("ARC024", Severity.WARNING, "https to a private host without a CA", _no_ca),
    Rule("ARC025", Severity.ERROR, "a property that the webhook store does not use", _ignores_property),
)
