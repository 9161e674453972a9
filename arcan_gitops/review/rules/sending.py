"""Where credentials are sent, whom stores trust, and the policies around them: `arcan.yaml` before and
after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from arcan_gitops.deploy.settings import BINDINGS, ServerSettings, read_servers
from arcan_gitops.errors import ArcanError, some
from arcan_gitops.overlay.credentials import Kind
from arcan_gitops.overlay.settings import SETTINGS_FILE, DeclaredStore, Overlay, Scope
from arcan_gitops.overlay.stores.raw import Raw
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.state import KUSTOMIZE, State
from arcan_gitops.review.store_fields import asked_at, ca_text, differences

_STORES: Final = ("SecretStore", "ClusterSecretStore")
_PATH: Final = f"{KUSTOMIZE}{SETTINGS_FILE}"
_SEND: Final = "whoever answers there gets the credentials of these stores: have the platform's owners agree"
_WEAK: Final = "have the platform's owners agree"


def sending(change: Change) -> Iterator[Finding]:
    """URLs, CAs, other stores and their conditions, and the servers' policies, overlay by overlay."""
    old = {overlay.name: overlay for overlay in change.base.overlays}
    said: dict[tuple[str, str, str], list[str]] = {}
    for overlay in change.head.overlays:
        before = old.get(overlay.name)
        defaults = change.base.settings.defaults
        for rule, message, hint in _overlay(before, overlay, defaults):
            said.setdefault((rule, message, hint), []).append(str(overlay.name))
    for (rule, message, hint), overlays in said.items():
        yield found(rule, f"{message} (overlays {some(sorted(overlays), 6)})", hint, _PATH)
    yield from _servers(change)
    yield from _written(change)


def _written(change: Change) -> Iterator[Finding]:
    """Stores that somebody wrote by hand: each that is new, and each field that is another."""
    old = {str(one): one for one in change.written_before if one.kind in _STORES}
    for one in change.written_after:
        if one.kind not in _STORES:
            continue
        spec, before = one.body.get("spec"), old.get(str(one))
        if before is None:
            at = asked_at(spec if isinstance(spec, dict) else {}) or "the service of its provider"
            yield found(
                "ARR209", f"{one} ({one.path}) is new: its credential is sent to {at}", _SEND, one.path
            )
            continue
        was = before.body.get("spec")
        said = differences(was if isinstance(was, dict) else {}, spec if isinstance(spec, dict) else {})
        if said:
            yield found("ARR209", f"{one} ({one.path}): {some(said, 6, between='; ')}", _SEND, one.path)


_Said = Iterator[tuple[str, str, str]]


def _spec(overlay: Overlay, store: DeclaredStore) -> Mapping[str, Any]:
    """The provider of the stores of an overlay, and its conditions, as the cluster gets them."""
    settings = overlay.settings
    is_wide = (store.scope or settings.scope) is Scope.CLUSTER
    home = settings.eso_namespace if is_wide else None
    spec = dict(store.backend.at(overlay.environment, settings.eso_version).spec(home))
    more = store.backend.more if isinstance(store.backend, Raw) else {}
    return {**spec, **more}


def _overlay(before: Overlay | None, after: Overlay, defaults: object) -> _Said:
    new = after.settings
    old = before.settings if before is not None else defaults
    assert isinstance(old, type(new))
    if new.server_url != old.server_url:
        yield "ARR209", f"server.url is {new.server_url}, and was {old.server_url}", _SEND
    if new.ca != old.ca:
        text = (
            f"stores trust {ca_text(new.ca)}, and trusted {ca_text(old.ca)}: who holds the key of that CA "
            "can answer as the server"
        )
        yield "ARR209", text, "compare it with the server's own: openssl x509 -noout -fingerprint -in FILE"
    for name, store in sorted(new.others.items()):
        was = old.others.get(name)
        if was is None:
            at = asked_at(_spec(after, store)) or "the service of its kind"
            yield "ARR209", f"store {name} ({store.kind}) is new: its credential is sent to {at}", _SEND
        elif before is not None and (said := differences(_spec(before, was), _spec(after, store))):
            yield "ARR209", f"store {name} ({store.kind}): {some(said, 6, between='; ')}", _SEND
        elif (was.scope or old.scope) != (store.scope or new.scope) == Scope.CLUSTER:
            yield "ARR210", f"store {name} is for the whole cluster, and was of a namespace", _WEAK
    if new.scope != old.scope and new.scope is Scope.CLUSTER:
        yield "ARR210", "stores are for the whole cluster, and were of a namespace each", _WEAK
    if new.token_secret != old.token_secret:
        text = (
            f"tokens are read from Secret {new.token_secret.name}, key {new.token_secret.key}, and were "
            f"from {old.token_secret.name}, key {old.token_secret.key}"
        )
        yield "ARR209", text, _SEND
    if new.eso_namespace != old.eso_namespace:
        places = f"{new.eso_namespace}, and were in {old.eso_namespace}"
        text = f"credentials of cluster-wide stores are in namespace {places}"
        yield "ARR209", text, _SEND
    if new.credentials.kind is Kind.TOKEN and old.credentials.kind is Kind.ACCOUNT:
        yield "ARR210", "stores read by tokens that somebody keeps, and did by accounts of the cluster", _WEAK
    if old.credentials.cluster is not None and new.credentials.cluster != old.credentials.cluster:
        text = (
            f"accounts are those of cluster {new.credentials.cluster}, and were of {old.credentials.cluster}"
        )
        yield "ARR205", text, _WEAK


def _servers(change: Change) -> Iterator[Finding]:
    old = {server.overlay.name: server for server in _read(change.base, change.objects)}
    for server in _read(change.head, change.objects):
        before = old.get(server.overlay.name)
        for message in _weaker(before, server) if before is not None else ():
            yield found("ARR210", f"the server of overlay {server.overlay.name}: {message}", _WEAK, _PATH)
    gone = old.keys() - {server.overlay.name for server in _read(change.head, change.objects)}
    for name in sorted(gone):
        yield found(
            "ARR210",
            f"overlay {name} has no server any more, and none of its policies",
            change.restore(_PATH),
            _PATH,
        )


def _read(state: State, objects: Objects) -> tuple[ServerSettings, ...]:
    entry = state.tree.files.get(_PATH)
    data = None if entry is None else objects.data(entry.blob)
    try:
        return read_servers(data, _PATH, state.overlays) if data is not None else ()
    except ArcanError:
        return ()  # which is told of the file


def _weaker(old: ServerSettings, new: ServerSettings) -> Iterator[str]:
    gone = [name for name in old.components if name not in new.components]
    if policies := [name for name in gone if name.startswith("policies")]:
        yield f"its policies on stores are gone: {some(policies)}"
    if monitoring := [name for name in gone if name not in policies]:
        yield f"its components {some(monitoring)} are gone"
    for what, before, after in (
        ("hosts that stores may ask", old.policies.allowed_hosts, new.policies.allowed_hosts),
        ("stores that no policy holds", old.policies.exempt_stores, new.policies.exempt_stores),
    ):
        if more := [str(each) for each in after if each not in before]:
            yield f"more {what}: {some(more)}"
    if BINDINGS.index(new.binding) < BINDINGS.index(old.binding):
        yield "documents no longer have to be bound to their places"
    if more := [each for each in new.select if each not in old.select]:
        yield f"it serves more: {some(more)}"
    if new.image != old.image:
        yield f"another image: {new.image}"
