"""What can be tried from here: connections to what stores name, and each refresh as ESO would do it.

A request carries the store's credential in its header, from memory, and only over a connection whose
certificate the store trusts; nothing is sent by a store without https, or with another method than GET. The
answer's values go through the store's own jsonPath and the ExternalSecret's template, and are shown nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from arcan_gitops.doctor.asking import ca_place, endpoint, token_places
from arcan_gitops.doctor.dialling import Reached, Step, reach
from arcan_gitops.doctor.facts import Asked, External, Facts, Read, StoreRead, Target, Unread, dig
from arcan_gitops.doctor.findings import Place
from arcan_gitops.eso import (
    CallFailed,
    Client,
    Cluster,
    ConfigMap,
    KubernetesSecret,
    Namespace,
    NetTransport,
    NotSupported,
    Request,
    Response,
    Store,
    Transport,
    refresh,
)

_PATIENCE: Final = 15.0
_AT_ONCE: Final = 8  # connections and refreshes
_STEP: Final = 200  # refreshes between two lines of progress


def probe(
    facts: Facts,
    connect_to: tuple[str, int] | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Facts:
    """The facts, with what came of every connection and every refresh that was tried from here, a few at a
    time; of a long run `say` is told how far it is.
    """
    places = sorted({place for store in _used(facts) if (place := _https(store)) is not None})
    transport = NetTransport(connect_to=connect_to, patience=_PATIENCE)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda place: reach(place[0], place[1], connect_to), places)
        facts = replace(facts, reached=dict(zip(places, found, strict=True)))
        reads: dict[Place, Read | Unread] = {}
        tries = pool.map(lambda external: tried(external, facts, transport), facts.externals)
        for external, read in zip(facts.externals, tries, strict=True):
            if facts.is_long and len(reads) % _STEP == 0:
                say(f"trying refreshes: {len(reads)} of {len(facts.externals)} are done")
            reads[external.place] = read
    return replace(facts, reads=reads)


def _used(facts: Facts) -> Iterator[StoreRead]:
    return (store for store in facts.read_stores() if facts.users_of(store.id))


def _https(store: StoreRead) -> tuple[str, int] | None:
    """Where a store's server is."""
    place = endpoint(store.parsed) if store.parsed is not None else None
    return place[1:] if place is not None and place[0] == "https" else None


def tried(external: External, facts: Facts, transport: Transport) -> Read | Unread:
    """One refresh; the Secret is not written. Where a server was not reached before, nothing is tried."""
    problem = next(_keeps(external, facts), None)
    if problem is not None:
        return problem
    for _, store in facts.stores_of(external):
        place = _https(store) if isinstance(store, StoreRead) else None
        reached = facts.reached.get(place) if place is not None else None
        if isinstance(reached, Reached) and reached.step is not Step.DONE:
            return Read(None)
    assert external.parsed is not None  # or there would be a problem
    recording = _Recording(transport)
    try:
        outcome = refresh(external.parsed, _cluster(external, facts), recording)
    except NotSupported as error:
        return Read(None, tuple(recording.asked), str(error))
    return Read(outcome, tuple(recording.asked))


def _keeps(external: External, facts: Facts) -> Iterator[Unread]:
    """Why a refresh cannot be tried, or must not be."""
    if external.parsed is None:
        yield Unread(f"{external} is not understood: {external.problem}")
        return
    if external.parsed.target.template is not None and external.parsed.target.template.sources:
        yield Unread(f"{external} takes templates from other objects, which are not read")
    for identity, store in facts.stores_of(external):
        if isinstance(store, Unread):
            yield store
        elif store is None or store.parsed is None:
            yield Unread(f"{identity} is not there, or not understood")
        elif store.parsed.webhook is None:
            yield Unread(f"{identity} is of the provider {store.provider}, which only ESO can ask")
        elif not store.parsed.webhook.url.startswith("https://"):
            yield Unread(f"{identity} does not use https, and its credential is not sent in clear")
        elif store.parsed.webhook.method not in ("", "GET"):
            yield Unread(f"{identity} uses {store.parsed.webhook.method}, which may change something")
        else:
            yield from _unread(store.parsed, facts)


def _unread(store: Store, facts: Facts) -> Iterator[Unread]:
    """What could not be read of a store's credentials and its CA."""
    found = [facts.secrets.get((place.namespace, place.secret)) for place in token_places(store)]
    if (ca := ca_place(store)) is not None:
        place = ca[1], ca[2]
        found.append(facts.secrets.get(place))
        if isinstance(config_map := facts.config_maps.get(place), Unread):
            yield config_map
    yield from (one for one in found if isinstance(one, Unread))


def _cluster(external: External, facts: Facts) -> Cluster:
    namespace, _ = external.place
    assert external.parsed is not None
    labels = dig(facts.namespaces.get(namespace), "metadata", "labels") or {}
    target = facts.targets.get((namespace, external.target))
    stores = [
        store.parsed
        for _, store in facts.stores_of(external)
        if isinstance(store, StoreRead) and store.parsed is not None
    ]
    places = {(place.namespace, place.secret) for store in stores for place in token_places(store)}
    places |= {(ca[1], ca[2]) for store in stores if (ca := ca_place(store)) is not None}
    secrets = [found for place in places if isinstance(found := facts.secrets.get(place), KubernetesSecret)]
    maps = (facts.config_maps.get(place) for place in places)
    if isinstance(target, Target) and external.parsed.target.creation == "Merge":
        data = dict.fromkeys(target.keys, b"")
        secrets.append(KubernetesSecret(namespace, external.target, data, target.type))
    return Cluster(
        stores=tuple(stores),
        external_secrets=(external.parsed,),
        secrets=tuple(secrets),
        config_maps=tuple(found for found in maps if isinstance(found, ConfigMap)),
        namespaces=(Namespace(namespace, dict(labels)),),
    )


class _Recording:
    """A transport that remembers what was asked and answered: statuses, and an error's code; no body."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.asked: list[Asked] = []

    def dial(self, host: str, port: int, timeout: float) -> None:
        self._transport.dial(host, port, timeout)

    def client(self, ca_certificates: str | None, timeout: float | None) -> Client:
        return _RecordingClient(self._transport.client(ca_certificates, timeout), self.asked)


class _RecordingClient:
    def __init__(self, client: Client, asked: list[Asked]) -> None:
        self._client = client
        self._asked = asked

    def send(self, request: Request) -> Response:
        url = request.url.target.partition("?")[0]
        try:
            response = self._client.send(request)
        except CallFailed:
            self._asked.append(Asked(url, 0))
            raise
        self._asked.append(Asked(url, response.status, _code(response)))
        return response

    def close(self) -> None:
        self._client.close()


def _code(response: Response) -> str:
    """The code of an Arcan server's refusal; nothing else of a body is looked at."""
    if 200 <= response.status < 300:
        return ""
    try:
        code = dig(json.loads(response.body), "error", "code")
    except ValueError:
        return ""
    return code if isinstance(code, str) and code.isascii() and code.replace("_", "").isalpha() else ""
