"""What can be tried from here: connections to what stores name, and each refresh as ESO would do it.

A request carries the store's credential in its header, from memory, and only over a connection whose
certificate the store trusts; nothing is sent by a store without https, or with another method than GET. The
answer's values go through the store's own jsonPath and the ExternalSecret's template, and are shown nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from arcan_gitops.doctor.asking import ca_place, endpoint, token_places
from arcan_gitops.doctor.dialling import Reached, reach
from arcan_gitops.doctor.facts import Asked, External, Facts, Read, Target, Unread, dig
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

_PATIENCE = 15.0


def probe(facts: Facts, connect_to: tuple[str, int] | None = None) -> Facts:
    """The facts, with what came of every connection and every refresh that was tried from here."""
    reached: dict[tuple[str, int], Reached | Unread] = {}
    for store in facts.read_stores():
        place = endpoint(store.parsed) if store.parsed is not None and facts.users_of(store.id) else None
        if place is not None and place[0] == "https" and place[1:] not in reached:
            reached[place[1:]] = reach(*place[1:], connect_to)
    transport = NetTransport(connect_to=connect_to, patience=_PATIENCE)
    reads = {external.place: tried(external, facts, transport) for external in facts.externals}
    return replace(facts, reached=reached, reads=reads)


def tried(external: External, facts: Facts, transport: Transport) -> Read | Unread:
    """One refresh; the Secret is not written."""
    problem = next(_keeps(external, facts), None)
    if problem is not None:
        return problem
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
    labels = dig(facts.namespaces.get(namespace), "metadata", "labels") or {}
    target = facts.targets.get((namespace, external.target))
    secrets = [found for found in facts.secrets.values() if isinstance(found, KubernetesSecret)]
    assert external.parsed is not None
    if isinstance(target, Target) and external.parsed.target.creation == "Merge":
        data = dict.fromkeys(target.keys, b"")
        secrets.append(KubernetesSecret(namespace, external.target, data, target.type))
    stores = (store.parsed for store in facts.read_stores())
    return Cluster(
        stores=tuple(store for store in stores if isinstance(store, Store)),
        external_secrets=(external.parsed,),
        secrets=tuple(secrets),
        config_maps=tuple(found for found in facts.config_maps.values() if isinstance(found, ConfigMap)),
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
