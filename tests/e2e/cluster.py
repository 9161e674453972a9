"""The API server and the operator together: what a story asks of a cluster.

Every refresh here is done twice, by the operator and by its emulator, and the two must agree.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from arcan_gitops.eso import NetTransport, Outcome, StoreStatus, read_cluster, refresh
from arcan_gitops.eso.objects import StoreId, StoreKind
from tests.e2e.api_server import ApiServer
from tests.e2e.process import wait_until
from tests.e2e.real_operator import Operator

Name = tuple[str, str]  # namespace and name
_ESO = "/apis/external-secrets.io/v1"
_FORCE = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """An ExternalSecret after a refresh, and the Kubernetes Secret of its target; no Secret: `type` is None.

    `problem` is the text of the newest Warning where it is not ready, else empty.
    """

    reason: str
    message: str
    problem: str
    type: str | None
    data: Mapping[str, bytes] = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """The values as text."""
        return {key: value.decode() for key, value in self.data.items()}


class Cluster:
    """What stories see of the cluster."""

    def __init__(self, api: ApiServer, operator: Operator) -> None:
        self.api = api
        self._operator = operator

    @property
    def operator_log(self) -> str:
        """What the operator has written so far."""
        return self._operator.log

    def make_namespace(self, name: str, **labels: str) -> None:
        """A namespace; `_` in a label's name stands for `-`."""
        metadata = {"name": name, "labels": {key.replace("_", "-"): text for key, text in labels.items()}}
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The data of a Kubernetes Secret, or None where it is not there."""
        found = self.api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        return None if found is None else _data(found)

    def object(self, namespace: str, kind: str, name: str) -> dict[str, Any]:
        """Any object, as kubectl shows it."""
        found: dict[str, Any] = json.loads(self.api.kubectl("get", kind, name, "-n", namespace, "-o", "json"))
        return found

    def wait_for_secret(
        self, namespace: str, name: str, texts: Mapping[str, str], seconds: float = 30
    ) -> None:
        """Wait until the operator has, by itself, made the Kubernetes Secret what it should be."""
        expected = {key: text.encode() for key, text in texts.items()}
        what = f"Secret {namespace}/{name} has the expected values"
        wait_until(what, lambda: self.secret(namespace, name) == expected, seconds)

    def wait_for_first_sync(self, *namespaces: str) -> None:
        """Wait until the operator has tried each ExternalSecret and store of the namespaces, well or not."""

        def tried() -> bool:
            found = [item for namespace in namespaces for item in self._external_secrets(namespace)]
            stores = [item for namespace in namespaces for item in self._stores(namespace)]
            return bool(found) and all(_ready(item) for item in (*found, *stores))

        what = f"every ExternalSecret and store in {', '.join(namespaces)} has a condition"
        wait_until(what, tried, seconds=120, every=0.3)

    def sync(self, *namespaces: str) -> dict[Name, Seen]:
        """Have every ExternalSecret of the namespaces refreshed now, by the operator and by its emulator.

        Returns what the operator made of each, once both have come to the same.
        """
        self.wait_for_first_sync(*namespaces)
        expected = self._emulate(namespaces)
        self._force(namespaces)
        return self._agreed(namespaces, expected)

    def refresh(self, *namespaces: str) -> None:
        """Have the operator alone refresh every ExternalSecret of the namespaces, and wait until all of it has ended.

        Twice: what ends first may be a refresh that was under way.
        """
        self.wait_for_first_sync(*namespaces)
        for _ in range(2):
            self._force(namespaces)

    def look(self, *namespaces: str) -> dict[Name, Seen]:
        """What is there already, once the emulator has come to the same.

        For what a ClusterExternalSecret has made: on that the operator leaves no annotation.
        """
        return self._agreed(namespaces, self._emulate(namespaces))

    def _agreed(self, namespaces: tuple[str, ...], expected: Mapping[Name, Seen]) -> dict[Name, Seen]:
        seen = {}
        for namespace in namespaces:
            for item in self._external_secrets(namespace):
                name = (namespace, item["metadata"]["name"])
                seen[name] = self._see(item, expected[name].problem)
        differing = {name: (seen[name], expected[name]) for name in seen if seen[name] != expected[name]}
        assert not differing, f"the operator and its emulator differ:\n{_shown(differing)}"
        return seen

    def _external_secrets(self, namespace: str) -> list[dict[str, Any]]:
        return self.api.items(f"{_ESO}/namespaces/{namespace}/externalsecrets")

    def _stores(self, namespace: str) -> list[dict[str, Any]]:
        return self.api.items(f"{_ESO}/namespaces/{namespace}/secretstores")

    def _force(self, namespaces: tuple[str, ...]) -> None:
        """Annotate, as `kubectl annotate` does, and wait until each refresh has ended."""
        failures = self._operator.failures()
        before = {}
        stamp = str(next(_FORCE))
        for namespace in namespaces:
            for item in self._external_secrets(namespace):
                name = item["metadata"]["name"]
                before[namespace, name] = item.get("status", {}).get("syncedResourceVersion")
                path = f"{_ESO}/namespaces/{namespace}/externalsecrets/{name}"
                self.api.annotate(path, force_sync=stamp)

        def has_ended(item: dict[str, Any]) -> bool:
            name = (item["metadata"]["namespace"], item["metadata"]["name"])
            if _ready(item)["status"] == "True":
                synced: str = item["status"]["syncedResourceVersion"]
                return bool(synced != before[name])
            return self._operator.failures().get(name, 0) > failures.get(name, 0)

        def all_ended() -> bool:
            return all(
                has_ended(item) for namespace in namespaces for item in self._external_secrets(namespace)
            )

        wait_until(f"every refresh in {', '.join(namespaces)} has ended", all_ended, seconds=120, every=0.3)

    def _see(self, external: dict[str, Any], problem: str) -> Seen:
        """The state of an ExternalSecret whose refresh has just ended; `problem` is the Warning to wait for."""
        namespace, name = external["metadata"]["namespace"], external["metadata"]["name"]
        target = external["spec"]["target"].get("name", name)
        secret = self.api.get(f"/api/v1/namespaces/{namespace}/secrets/{target}")
        ready = _ready(external)
        problem = "" if ready["status"] == "True" else self._newest_warning(namespace, name, problem)
        kind, data, labels = None, {}, {}
        if secret is not None:
            kind, data = secret["type"], _data(secret)
            labels = secret["metadata"].get("labels", {})
        return Seen(ready["reason"], ready["message"], problem, kind, data, labels)

    def _newest_warning(self, namespace: str, name: str, expected: str) -> str:
        """The operator writes events beside its work: that of a refresh that has just ended may be on its way."""
        selector = f"fieldSelector=involvedObject.name={name},type=Warning"
        message = ""

        def as_expected() -> bool:
            nonlocal message
            events = self.api.items(f"/api/v1/namespaces/{namespace}/events?{selector}")
            events.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
            message = events[-1]["message"] if events else ""
            return message == expected

        with suppress(AssertionError):
            wait_until("the Warning is the expected one", as_expected, seconds=5)
        return message

    def _emulate(self, namespaces: tuple[str, ...]) -> dict[Name, Seen]:
        """What the emulator makes of the same objects and the same server."""
        paths = [
            *(f"/api/v1/{kind}" for kind in ("namespaces", "secrets", "configmaps")),
            f"{_ESO}/clustersecretstores",
            *(f"{_ESO}/namespaces/{namespace}/secretstores" for namespace in namespaces),
            *(f"{_ESO}/namespaces/{namespace}/externalsecrets" for namespace in namespaces),
        ]
        objects = [item for path in paths for item in self.api.items(path)]
        cluster = read_cluster([("the API server", item) for item in objects])
        cluster = cluster.with_statuses(_store_statuses(objects))
        seen = {}
        for external in cluster.external_secrets:
            outcome = refresh(external, cluster, NetTransport())
            seen[external.namespace, external.name] = _as_seen(outcome)
            cluster = outcome.applied_to(cluster)
        return seen


def _as_seen(outcome: Outcome) -> Seen:
    """An outcome of the emulator, as the API server would show it."""
    condition = outcome.condition
    problem = "" if condition.ready else outcome.error
    secret = outcome.secret
    if secret is None:
        return Seen(condition.reason, condition.message, problem, None, {})
    return Seen(
        condition.reason, condition.message, problem, secret.type, dict(secret.data), dict(secret.labels)
    )


def _store_statuses(objects: list[dict[str, Any]]) -> dict[StoreId, StoreStatus]:
    """The conditions that the operator has written on the stores."""
    found = {}
    for item in objects:
        if item["kind"] in tuple(StoreKind) and (ready := _ready(item)):
            metadata = item["metadata"]
            identity = StoreId(StoreKind(item["kind"]), metadata.get("namespace", ""), metadata["name"])
            found[identity] = StoreStatus(ready["status"] == "True", ready["reason"], ready["message"])
    return found


def _ready(item: Mapping[str, Any]) -> dict[str, str]:
    """The Ready condition, empty where there is none yet."""
    conditions = item.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == "Ready"), {})


def _data(secret: Mapping[str, Any]) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in secret.get("data", {}).items()}


def _shown(differing: Mapping[Name, tuple[Seen, Seen]]) -> str:
    """Both sides, and of the values only whether they are equal."""
    lines = []
    for name, (real, emulated) in differing.items():
        lines += [f"{'/'.join(name)}", f"  operator: {real}", f"  emulator: {emulated}"]
        lines.append(f"  equal values: {real.data == emulated.data}")
    return "\n".join(lines)
