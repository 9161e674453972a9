"""What each ExternalSecret asks an Arcan server for: its stores' URLs, rendered as ESO renders them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from arcan_gitops.doctor.facts import External, Facts, StoreRead
from arcan_gitops.eso import Store
from arcan_gitops.eso.objects import RemoteRef, StoreKind
from arcan_gitops.golang import template
from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.url import query_escape
from arcan_gitops.webhook import ENVIRONMENT_PARAMETER, PATH_PREFIX, VERSION_PARAMETER


@dataclass(frozen=True, slots=True)
class Ask:
    """One read: `key` is None for all keys, `version` empty where the manifest names none."""

    external: External
    store: StoreRead
    realm: str
    environment: str
    key: str | None
    version: str

    @property
    def names(self) -> str:
        """`production/prod/DATABASE_URL`."""
        return "/".join(filter(None, (self.realm, self.environment, self.key)))


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a store's token is: a key of a Secret."""

    namespace: str
    secret: str
    key: str

    def __str__(self) -> str:
        return f"Secret {self.namespace}/{self.secret}"


def asks(facts: Facts) -> Iterator[Ask]:
    """Every read of an Arcan server, by the stores that are there."""
    for external in facts.externals:
        yield from asks_of(external, facts)


def asks_of(external: External, facts: Facts) -> Iterator[Ask]:
    """Those of one ExternalSecret."""
    if external.parsed is None:
        return
    refs = [(entry.store, entry.ref) for entry in external.parsed.data]
    refs += [(entry.store, entry.extract) for entry in external.parsed.data_from if entry.extract is not None]
    for identity, ref in refs:
        store = facts.stores.get(identity) if identity is not None else None
        if isinstance(store, StoreRead) and (found := _ask(external, store, ref)) is not None:
            yield found


def _ask(external: External, store: StoreRead, ref: RemoteRef) -> Ask | None:
    if store.parsed is None or store.parsed.webhook is None:
        return None
    url = rendered(store.parsed.webhook.url, ref, external.place[0])
    if url is None:
        return None
    parts = urlsplit(url)
    steps = parts.path.removeprefix(PATH_PREFIX).split("/")
    if not parts.path.startswith(f"{PATH_PREFIX}/") or len(steps) not in (2, 3):
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    key = unquote(steps[2]) if len(steps) == 3 else None
    environment, version = query.get(ENVIRONMENT_PARAMETER, ""), query.get(VERSION_PARAMETER, "")
    return Ask(external, store, unquote(steps[1]), environment, key, version)


def rendered(url: str, ref: RemoteRef, namespace: str) -> str | None:
    """The URL of one read; None where it cannot be known without a credential, or is none."""
    texts = {name: query_escape(getattr(ref, name)) for name in ("key", "version", "property")}
    try:
        return template.render(template.parse(url), {"remoteRef": {**texts, "namespace": namespace}})
    except GoError:
        return None


def is_arcan(store: Store) -> bool:
    """Whether a store reads an Arcan server, by its URL."""
    return store.webhook is not None and f"{PATH_PREFIX}/" in store.webhook.url


def endpoint(store: Store) -> tuple[str, str, int] | None:
    """(scheme, host, port) of a webhook store's URL, as ESO dials it; None where they are no literals."""
    if store.webhook is None:
        return None
    try:
        url = go_url.parse(store.webhook.url)
    except GoError:
        parts = urlsplit(store.webhook.url)  # a template in the path or the query
        if "{{" in parts.netloc or parts.hostname is None:
            return None
        try:
            port = parts.port
        except ValueError:
            return None
        return parts.scheme, parts.hostname, port or (80 if parts.scheme == "http" else 443)
    if not url.host or "{{" in url.host or url.scheme not in ("http", "https"):
        return None
    return url.scheme, url.host, url.dial_port


def token_places(store: Store) -> Iterator[TokenPlace]:
    """The Secrets that a webhook store's templates read."""
    if store.webhook is None:
        return
    for wanted in store.webhook.secrets:
        key = wanted.key or "token"
        if store.id.kind is StoreKind.CLUSTER_SECRET_STORE:
            if wanted.namespace is not None:
                yield TokenPlace(wanted.namespace, wanted.secret_name, key)
        else:
            yield TokenPlace(store.id.namespace, wanted.secret_name, key)


def ca_place(store: Store) -> tuple[str, str, str, str] | None:
    """(kind, namespace, name, key) of what a store's caProvider names."""
    provider = store.webhook.ca_provider if store.webhook is not None else None
    if provider is None:
        return None
    namespace = provider.namespace or store.id.namespace
    return provider.kind, namespace, provider.name, provider.key
