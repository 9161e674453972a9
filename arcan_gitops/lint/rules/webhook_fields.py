"""The other fields of a webhook store: timeout, headers, jsonPath, variables, Secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.eso_version import NAMESPACE_VARIABLE, EsoVersion
from arcan_gitops.golang import jsonpath
from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import Object, Store, headers
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules.credentials import credentials_in
from arcan_gitops.lint.rules.durations import is_zero
from arcan_gitops.lint.rules.templates import PLACEHOLDER, variables, without_actions
from arcan_gitops.names import did_you_mean, nearest
from arcan_gitops.webhook import (
    CREDENTIAL_NAME,
    NO_VALUE,
    SECRET_LABEL_NAME,
    SECRET_LABEL_VALUE,
    is_written_out,
)

_LABEL_SINCE: Final = EsoVersion(0, 10)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_STAR: Final = re.compile(r"\[\s*\*\s*\]|\.\*")
_SCHEME: Final = re.compile(r"\s*(?:bearer|basic|token|apikey)\s+\S", re.IGNORECASE)
_DOUBLE_QUOTES: Final = '$.data.fields[?(@.name=="api")].value'
_PUSH_VARIABLES: Final = ("remoteKey", "secretKey")
_READ_VARIABLES: Final = ("key", "version", "property", "namespace")


def _webhooks(manifests: Manifests) -> Iterator[tuple[Store, Node]]:
    return ((store, store.webhook) for store in manifests.webhooks() if store.webhook is not None)


def _timeout(manifests: Manifests) -> Iterator[Found]:
    for store, webhook in _webhooks(manifests):
        node = webhook.at("timeout")
        if node is not None and not is_zero(node):
            continue
        problem = "no timeout: a server that hangs stops ESO's only worker, and with it every ExternalSecret"
        yield store.object.found(node or webhook, problem, "add timeout: 10s")


def _headers_list(manifests: Manifests) -> Iterator[Found]:
    for store, webhook in _webhooks(manifests):
        node = webhook.at("headers")
        if node is not None and node.is_list:
            yield store.object.found(
                node,
                "headers is a list, and must be a mapping: the API server refuses the store",
                "write each as NAME: VALUE, as in Authorization: 'Bearer {{ .auth.token | trim }}'",
            )


def _clear_token(manifests: Manifests) -> Iterator[Found]:
    for store, webhook in _webhooks(manifests):
        label = f"{SECRET_LABEL_NAME}: {SECRET_LABEL_VALUE}"
        hint = f"keep it in a Secret with the label {label}, named in secrets[]; and revoke this one"
        for name, node in headers(webhook):
            value = node.scalar
            if not isinstance(value, str) or not is_written_out(value):
                continue
            if CREDENTIAL_NAME.search(name) or _SCHEME.match(value):
                problem = f"the header {name[:60]!r} holds a credential in clear, for all who can read Git"
                yield store.object.found(node, problem, hint)
        url, node_of_url = webhook.text("url"), webhook.at("url")
        if url is not None and credentials_in(url):
            problem = (
                "the url holds a credential in clear, for all who can read Git, and for every access log"
            )
            yield store.object.found(node_of_url, problem, hint)


def _json_paths(manifests: Manifests) -> Iterator[tuple[Store, Node, str]]:
    for store, webhook in _webhooks(manifests):
        node, path = webhook.at("result", "jsonPath"), webhook.text("result", "jsonPath")
        if node is not None and path and "{{" not in path:
            yield store, node, path


def _star(manifests: Manifests) -> Iterator[Found]:
    for store, node, path in _json_paths(manifests):
        if _STAR.search(_QUOTED.sub('""', path)):
            yield store.object.found(
                node,
                "a '*' in the jsonPath gives a list: a data entry gets its first item, dataFrom an error",
                'name what is meant: $["secrets"][0]["username"], or answer with an object',
            )


def _json_path_syntax(manifests: Manifests) -> Iterator[Found]:
    hint = 'quote each name: $["data"]["a-b"], in double quotes; the YAML around it in single ones'
    for store, webhook in _webhooks(manifests):
        node, path = webhook.at("result", "jsonPath"), webhook.text("result", "jsonPath")
        if node is None or not path:
            continue
        templated = "{{" in path
        if not templated and not path.lstrip().startswith("$"):
            yield store.object.found(node, "the jsonPath does not begin with '$'", hint)
            continue
        plain = without_actions(path).replace(PLACEHOLDER, "some")
        try:
            jsonpath.parse(plain)
        except GoError as error:
            if "'" in plain:
                problem = "single quotes in the jsonPath, which ESO's library cannot parse"
                yield store.object.found(node, problem, f"write double quotes: {_DOUBLE_QUOTES}")
            elif str(error).startswith("parsing error") and not templated:
                problem = "ESO cannot parse the jsonPath: a name that needs quotes?"
                yield store.object.found(node, problem, hint)
        except NotSupported:
            continue  # ESO may well take it


def _no_value(manifests: Manifests) -> Iterator[Found]:
    read = {id(store) for _, _, store in manifests.uses()}
    for store, webhook in _webhooks(manifests):
        names = {entry.text("name") or "" for entry in webhook.items("secrets")}
        pushes = _pushes(manifests, store, webhook, read=id(store) in read)
        told: set[tuple[str, ...]] = set()
        for field, node, text in store.templates():
            for variable in variables(text):
                first, *rest = variable
                problem, hint = None, ""
                if first == "remoteRef" and store.generates:
                    problem = "a generator is asked for no key, and has no .remoteRef"
                    hint = "write out what is meant, or use a webhook store"
                elif first != "remoteRef":
                    if first not in names:
                        problem = f"no entry of secrets[] is named '{first}'"
                        near = nearest(first, (names | {"remoteRef"}) - {""})
                        hint = f"did you mean '{near}'?" if near else f"add an entry with name: {first}"
                elif rest == ["namespace"] and NAMESPACE_VARIABLE.missing_in(manifests.eso):
                    problem = f"ESO {manifests.eso} has no .remoteRef.namespace"
                    hint = f"ESO has it since {NAMESPACE_VARIABLE.since}"
                elif rest and rest[0] not in _READ_VARIABLES and not pushes:
                    problem = f"there is no .remoteRef.{rest[0]}"
                    hint = did_you_mean(rest[0], _READ_VARIABLES)
                if problem is not None and (field, *variable) not in told:
                    told.add((field, *variable))
                    yield store.object.found(
                        node, f"{problem}: ESO sends the text '{NO_VALUE}' for it in {field}", hint
                    )
        yield from _missing_keys(manifests, store)


def _pushes(manifests: Manifests, store: Store, webhook: Node, *, read: bool) -> bool:
    """Whether a store is one that a PushSecret writes through, where other variables exist.

    Without a method ESO writes with POST. Where neither a method nor a user (`read`: an ExternalSecret reads
    from it) shows what a store is for, its own variables do.
    """
    if any(manifests.pushes(store)) or (webhook.text("method") or "GET").upper() not in ("GET", "HEAD"):
        return True
    if read:
        return False
    named = {variable[1:2] for _, _, text in store.templates() for variable in variables(text)}
    return any((name,) in named for name in _PUSH_VARIABLES)


def _missing_keys(manifests: Manifests, store: Store) -> Iterator[Found]:
    """`.auth.tokn` where the Secret is at hand and has no such key."""
    entries = store.webhook.items("secrets") if store.webhook is not None else ()
    secrets = {e.text("name"): _secret(manifests, store, e.at("secretRef")) for e in entries}
    for field, node, text in store.templates():
        for name, key in {v[:2] for v in variables(text) if len(v) > 1}:
            secret = secrets.get(name)
            keys = {*secret.root.fields("data"), *secret.root.fields("stringData")} if secret else set()
            if secret is not None and keys and key not in keys:
                problem = (
                    f"Secret {secret.name} has no key '{key}': ESO sends the text '{NO_VALUE}' in {field}"
                )
                yield store.object.found(node, problem, did_you_mean(key, keys))


def _secret(manifests: Manifests, store: Store, ref: Node | None) -> Object | None:
    if ref is None:
        return None
    namespace = (ref.text("namespace") or "") if store.cluster else store.object.namespace
    return manifests.secret(store, ref.text("name") or "", namespace)


def _label(manifests: Manifests) -> Iterator[Found]:
    if manifests.eso < _LABEL_SINCE:
        return
    told: set[int] = set()
    for store in manifests.webhooks():
        for _, ref in store.secret_refs():
            secret = _secret(manifests, store, ref)
            if secret is None or id(secret) in told:
                continue
            if secret.root.text("metadata", "labels", SECRET_LABEL_NAME) != SECRET_LABEL_VALUE:
                told.add(id(secret))
                yield secret.found(
                    secret.root.at("metadata"),
                    f"{store.object} reads this Secret, and ESO refuses one without its label",
                    f"add the label {SECRET_LABEL_NAME}: {SECRET_LABEL_VALUE}",
                )


def _retry(manifests: Manifests) -> Iterator[Found]:
    for store, _ in _webhooks(manifests):
        node = store.object.root.at("spec", "retrySettings")
        if node is not None and not store.generates:
            problem = "retrySettings has no effect: the webhook provider does not read it"
            yield store.object.found(node, problem, "leave it out; ESO retries each ExternalSecret by itself")


RULES = (
    Rule("ARC030", Severity.ERROR, "a webhook store or generator without a timeout", _timeout),
    Rule("ARC031", Severity.ERROR, "headers that are written as a list", _headers_list),
    Rule("ARC032", Severity.ERROR, "a credential in clear in a header or a url", _clear_token),
    Rule("ARC033", Severity.ERROR, "a '*' in a jsonPath", _star),
    Rule("ARC034", Severity.ERROR, "a jsonPath that ESO cannot parse", _json_path_syntax),
    Rule("ARC035", Severity.ERROR, "a template variable that does not exist", _no_value),
    Rule("ARC036", Severity.ERROR, "a Secret of a webhook store or generator without the label", _label),
    Rule("ARC037", Severity.WARNING, "retrySettings on a webhook store", _retry),
)
