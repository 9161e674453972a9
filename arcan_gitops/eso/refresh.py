"""One refresh of an ExternalSecret, as ESO's controller does it, from the store to the Kubernetes Secret.

Source: pkg/controllers/externalsecret/externalsecret_controller.go and externalsecret_controller_secret.go,
secretstore/client_manager.go; measured with ESO itself.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from arcan_gitops.eso import keys
from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.conditions import require_allowed
from arcan_gitops.eso.errors import EsoError, NoSecret, NotSupported
from arcan_gitops.eso.objects import DataEntry, DataFromEntry, ExternalSecret, KubernetesSecret, StoreId
from arcan_gitops.eso.outcome import Condition, Event, Fate, Outcome
from arcan_gitops.eso.provider import WebhookClient
from arcan_gitops.eso.storable import require_storable
from arcan_gitops.eso.target import build_secret
from arcan_gitops.eso.transport import Transport
from arcan_gitops.golang.errors import GoError


def refresh(external: ExternalSecret, cluster: Cluster, transport: Transport) -> Outcome:
    """What ESO makes of the ExternalSecret now: its condition, its events and the Kubernetes Secret.

    Stores whose status the cluster knows not to be ready are not asked. Raises `NotSupported`.
    """
    return _Refresh(external, cluster, transport).run()


class _Clients:
    """`secretstore.Manager`: the client of the last store is kept; another store evicts it."""

    def __init__(self, namespace: str, cluster: Cluster, transport: Transport) -> None:
        self._namespace = namespace
        self._cluster = cluster
        self._transport = transport
        self._kept: tuple[StoreId, WebhookClient] | None = None
        self.notes: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._kept is not None:
            self.notes |= self._kept[1].notes
            self._kept[1].close()
            self._kept = None

    def get(self, identity: StoreId) -> WebhookClient:
        store = self._cluster.store(identity)
        if store.controller not in ("", "default"):
            raise NotSupported(
                f'the controller class "{store.controller}" of {store.id}',
                hint='an ESO of the class "default" leaves the ExternalSecret alone',
            )
        require_allowed(store, self._namespace, self._cluster)
        status = self._cluster.statuses.get(identity)
        if status is not None and not status.ready:
            raise EsoError(f'{identity.kind} "{identity.name}" is not ready')
        if self._kept is None or self._kept[0] != identity:
            self._leave()
            client = WebhookClient(store, self._namespace, self._cluster, self._transport)
            self._kept = (identity, client)
        return self._kept[1]


class _Refresh:
    def __init__(self, external: ExternalSecret, cluster: Cluster, transport: Transport) -> None:
        self._external = external
        self._target = external.target
        self._existing = cluster.find_secret(external.namespace, external.target.name)
        self._cluster = cluster
        self._events: list[Event] = []
        self._clients = _Clients(external.namespace, cluster, transport)

    def run(self) -> Outcome:
        if self._target.generic:
            raise NotSupported("target.manifest (a target that is no Secret)")
        try:
            values = self._provider_data()
        except GoError as error:
            return self._failed("could not get secret data from provider", error)
        if not values and self._target.deletion == "Delete":
            return self._deleted()
        if not values and self._target.deletion == "Retain":
            return self._done("SecretSynced", "secret retained due to DeletionPolicy=Retain", self._existing)
        return self._written(values)

    def _provider_data(self) -> dict[str, bytes]:
        """`GetProviderSecretData`: dataFrom in order, then data; on the first error the rest is not asked."""
        values: dict[str, bytes] = {}
        external = self._external
        with self._clients as clients:
            for index, source in enumerate(external.data_from):
                try:
                    values |= _extracted(source, clients)
                except GoError as error:
                    what = "extract" if source.extract is not None else "find"
                    self._tolerate(
                        error,
                        f"spec.dataFrom[{index}]",
                        f"error processing spec.dataFrom[{index}].{what}, err: {error}",
                    )
            for index, entry in enumerate(external.data):
                try:
                    values[entry.secret_key] = _value(entry, clients)
                except GoError as error:
                    self._tolerate(
                        error,
                        f"spec.dataFrom[{index}] (key={entry.ref.key})",  # sic: ESO says dataFrom here
                        f"error processing spec.data[{index}] (key: {entry.ref.key}), err: {error}",
                    )
        return values

    def _tolerate(self, error: GoError, where: str, problem: str) -> None:
        """Pass over a key that is not there, unless the Secret is to be retained; else raise `problem`."""
        if not isinstance(error, NoSecret) or self._target.deletion == "Retain":
            raise EsoError(problem) from None
        text = f"secret does not exist at provider using {where}"
        self._events.append(Event("Normal", "MissingProviderSecret", text))

    def _deleted(self) -> Outcome:
        target = self._target
        if target.creation != "Owner":
            problem = f"unable to delete secret {target.name}: creationPolicy={target.creation} is not Owner"
            return self._failed("could not delete secret", EsoError(problem))
        message = "secret deleted due to DeletionPolicy=Delete"
        if self._existing is not None:
            self._events.append(Event("Normal", "Deleted", message))
        fate = Fate.DELETED if self._existing is not None else Fate.ABSENT
        return self._outcome(Condition(True, "SecretDeleted", message), None, fate)

    def _written(self, values: dict[str, bytes]) -> Outcome:
        if self._target.creation == "None":
            return self._done("SecretSynced", "secret synced", self._existing)
        existing = self._existing
        if self._target.creation == "Merge" and existing is None:
            message = "secret will not be created due to CreationPolicy=Merge"
            return self._done("SecretMissing", message, None)
        prefix = f"unable to mutate secret {self._target.name}: " if existing is not None else ""
        if existing is not None and existing.owner not in (None, self._external.name):
            problem = f"{prefix}secret is owned by another ExternalSecret: {existing.owner}"
            return self._failed("target is owned by another ExternalSecret", EsoError(problem))
        try:
            secret = build_secret(self._external, values, existing, self._cluster)
        except GoError as error:
            return self._failed("could not update secret", EsoError(f"{prefix}{error}"))
        if existing is not None and existing.immutable and existing.data != secret.data:
            problem = f"unable to update secret {secret.name}: secret is immutable"
            return self._failed("could not update secret, target is immutable", EsoError(problem))
        try:
            require_storable(secret, existing)
        except GoError as error:
            prefix = f"unable to update secret {secret.name}: " if existing is not None else ""
            return self._failed("could not update secret", EsoError(f"{prefix}{error}"))
        if existing is None:
            self._events.append(Event("Normal", "Created", "secret created"))
        elif existing != secret:
            self._events.append(Event("Normal", "Updated", "secret updated"))
        fate = Fate.CREATED if existing is None else Fate.KEPT if existing == secret else Fate.UPDATED
        return self._outcome(Condition(True, "SecretSynced", "secret synced"), secret, fate)

    def _done(self, reason: str, message: str, secret: KubernetesSecret | None) -> Outcome:
        fate = Fate.ABSENT if secret is None else Fate.KEPT
        return self._outcome(Condition(True, reason, message), secret, fate)

    def _failed(self, message: str, error: GoError) -> Outcome:
        """`markAsFailed`: the condition says only what failed, the event why; the Secret stays."""
        self._events.append(Event("Warning", "UpdateFailed", str(error)))
        fate = Fate.ABSENT if self._existing is None else Fate.KEPT
        return self._outcome(Condition(False, "SecretSyncedError", message), self._existing, fate)

    def _outcome(self, condition: Condition, secret: KubernetesSecret | None, fate: Fate) -> Outcome:
        notes = tuple(sorted(self._clients.notes))
        return Outcome(self._external, condition, tuple(self._events), secret, fate, notes)


def _value(entry: DataEntry, clients: _Clients) -> bytes:
    if entry.store is None:
        raise NotSupported("data[].sourceRef.generatorRef")
    value = clients.get(entry.store).get_secret(entry.ref)
    value = keys.decode(value, entry.ref.decoding)
    if entry.ref.refuse_null_bytes and b"\0" in value:
        raise EsoError("the value has a null byte, and nullBytePolicy is Fail")
    return value


def _extracted(source: DataFromEntry, clients: _Clients) -> dict[str, bytes]:
    if source.store is None:
        raise NotSupported("dataFrom[].sourceRef.generatorRef")
    client = clients.get(source.store)
    ref = source.extract
    if ref is None:
        raise EsoError("error getting all secrets: not implemented")
    values = client.get_secret_map(ref)
    values = keys.rewrite(values, source.rewrites)
    if not source.rewrites:
        values = keys.convert(values, ref.conversion)
    values = keys.decode_all(keys.validated(values), ref.decoding)
    if ref.refuse_null_bytes:
        for key, value in values.items():
            if b"\0" in value:
                raise EsoError(f"the value of {key} has a null byte, and nullBytePolicy is Fail")
    return values
