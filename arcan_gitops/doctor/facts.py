"""All that the checks look at: collected once, and never changed. What could not be read says why.

Values are in `secrets` alone (the credentials of stores), which no repr shows; of the Secrets that ESO makes
there are names of keys, and no value.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar

from arcan_gitops.access import TokenRecord
from arcan_gitops.doctor.dialling import Reached
from arcan_gitops.doctor.findings import NotDone, Place
from arcan_gitops.eso import ConfigMap, ExternalSecret, KubernetesSecret, Outcome, Store
from arcan_gitops.eso.objects import StoreId
from arcan_gitops.names import RealmName
from arcan_gitops.overlay import Catalogue

Object: TypeAlias = Mapping[str, Any]
T = TypeVar("T")
_LONG: Final = 50  # ExternalSecrets


@dataclass(frozen=True, slots=True)
class Unread:
    """In place of what could not be read; `command` is what was tried."""

    why: str
    command: str = ""

    def not_done(self, what: str) -> NotDone:
        """As a check says it that needed it."""
        return NotDone(what, self.why, (self.command,) if self.command else ())


Known: TypeAlias = T | Unread | None  # None: it is not there


@dataclass(frozen=True, slots=True)
class External:
    """An ExternalSecret as the API server has it, and as it was understood; `problem`: why it was not."""

    place: Place
    object: Object = field(repr=False)
    parsed: ExternalSecret | None
    problem: str = ""

    def __str__(self) -> str:
        return f"ExternalSecret {self.place[0]}/{self.place[1]}"

    @property
    def ready(self) -> Object:
        """Its condition Ready; empty where there is none yet."""
        return condition(self.object, "Ready")

    @property
    def failing(self) -> bool:
        """Whether ESO says that the last refresh failed."""
        return bool(self.ready) and self.ready.get("status") != "True"

    @property
    def target(self) -> str:
        """The name of its Kubernetes Secret."""
        return str(dig(self.object, "spec", "target", "name") or self.place[1])


@dataclass(frozen=True, slots=True)
class StoreRead:
    """A store as the API server has it, and as it was understood (`parsed` is None where it was not)."""

    id: StoreId
    object: Object = field(repr=False)
    parsed: Store | None
    problem: str = ""

    @property
    def provider(self) -> str:
        """`webhook`, `vault`, ...; empty where there is none."""
        return next(iter(dig(self.object, "spec", "provider") or {}), "")


@dataclass(frozen=True, slots=True)
class Target:
    """A Secret that an ExternalSecret makes, without its values: `keys` are names and sizes in bytes."""

    type: str
    immutable: bool
    owner: str  # the ExternalSecret that controls it
    data_hash: str  # ESO's annotation
    keys: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was made from here as ESO makes it; `status` is 0 where no answer came.

    `code` is the server's own word for a refusal: `unknown_environment`.
    """

    url: str
    status: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A refresh that was tried from here; `outcome` is None where it is not emulated (`unknown` says why), or
    a server was not reached before.
    """

    outcome: Outcome | None
    asked: tuple[Asked, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """What Git says: realms with keys and versions, tokens by their digests, declared ExternalSecrets.

    `declared` are the ExternalSecrets of the overlay, each with its app; `overlay` is its name, empty
    where it is not known.
    """

    catalogue: Catalogue
    tokens: Mapping[RealmName, tuple[TokenRecord, ...]]
    declared: Mapping[Place, str] = field(default_factory=dict)
    overlay: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """What ESO's log says of a refresh of an ExternalSecret that failed; `time` is None where it has none."""

    place: Place
    time: datetime | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """`kubectl auth can-i VERB RESOURCE -n NAMESPACE --as=WHO`."""

    who: str
    verb: str
    resource: str
    namespace: str


@dataclass(frozen=True)  # without slots: what is derived from it is kept in it
class Facts:
    """What one run knows. A name that is no key of a mapping was not asked for."""

    now: datetime
    wanted: Place | None = None  # the one ExternalSecret that was asked about
    context: str = ""
    kinds: Known[frozenset[str]] = frozenset()  # of external-secrets.io/v1
    eso_versions: tuple[str, ...] = ()  # of external-secrets.io that are served
    groups: frozenset[str] = frozenset()  # of the API server
    externals: tuple[External, ...] = ()
    stores: Mapping[StoreId, Known[StoreRead]] = field(default_factory=dict)
    secrets: Mapping[Place, Known[KubernetesSecret]] = field(default_factory=dict)
    config_maps: Mapping[Place, Known[ConfigMap]] = field(default_factory=dict)
    targets: Mapping[Place, Known[Target]] = field(default_factory=dict)
    namespaces: Mapping[str, Known[Object]] = field(default_factory=dict)
    events: Mapping[str, Known[tuple[Object, ...]]] = field(default_factory=dict)  # warnings, by namespace
    services: Mapping[Place, Known[Object]] = field(default_factory=dict)
    deployments: Known[tuple[Object, ...]] = ()  # of ESO
    servers: Known[tuple[Object, ...]] = ()  # Deployments in namespace arcan
    pods: Known[tuple[Object, ...]] = ()  # of Deployments that are not available
    log: Known[tuple[LogLine, ...]] = ()  # of ESO, about what is looked at
    applications: Known[tuple[Object, ...]] = ()
    privileged: Known[tuple[Place, ...]] = ()  # service accounts with OpenShift's SCC `privileged`
    may: Mapping[Question, Known[bool]] = field(default_factory=dict)
    repository: Repository | Unread = Unread("no repository was read")
    reached: Mapping[tuple[str, int], Reached | Unread] = field(default_factory=dict)
    reads: Mapping[Place, Read | Unread] = field(default_factory=dict)
    # the last line of the audit log by (realm, environment, key), and by ("", "", id of a refused token)
    audit: Mapping[tuple[str, str, str], Object] = field(default_factory=dict)

    def kubectl(self, *arguments: str) -> str:
        """A command to paste."""
        context = (f"--context={self.context}",) if self.context else ()
        return shlex.join(("kubectl", *context, *arguments))

    def sync(self, external: External) -> str:
        """The command that makes ESO look at once."""
        namespace, name = external.place
        command = self.kubectl(
            "annotate", "externalsecret", name, "-n", namespace, "force-sync=NOW", "--overwrite"
        )
        if isinstance(self.repository, Repository) and (app := self.repository.declared.get(external.place)):
            context = ("--context", self.context) if self.context else ()
            words = ("arcan", "sync", app, "--overlay", self.repository.overlay, "--run", *context)
            return shlex.join(words)
        return command.replace("=NOW ", "=$(date +%s) ")

    def stores_of(self, external: External) -> Iterator[tuple[StoreId, Known[StoreRead]]]:
        """The stores that an ExternalSecret names, each once."""
        if external.parsed is None:
            return
        for identity in stores_named(external.parsed):
            if identity in self.stores:
                yield identity, self.stores[identity]

    def users_of(self, identity: StoreId) -> frozenset[Place]:
        """The ExternalSecrets that read a store."""
        return self._users.get(identity, frozenset())

    @cached_property
    def _users(self) -> Mapping[StoreId, frozenset[Place]]:
        users: defaultdict[StoreId, set[Place]] = defaultdict(set)
        for external in self.externals:
            for identity, _ in self.stores_of(external):
                users[identity].add(external.place)
        return {identity: frozenset(places) for identity, places in users.items()}

    @property
    def is_long(self) -> bool:
        """Whether there is so much that people should see how far it is."""
        return len(self.externals) >= _LONG

    @cached_property
    def by_place(self) -> Mapping[Place, External]:
        """The ExternalSecrets by namespace and name."""
        return {external.place: external for external in self.externals}

    @cached_property
    def in_namespace(self) -> Mapping[str, tuple[External, ...]]:
        """The ExternalSecrets by namespace."""
        found: defaultdict[str, list[External]] = defaultdict(list)
        for external in self.externals:
            found[external.place[0]].append(external)
        return {namespace: tuple(externals) for namespace, externals in found.items()}

    def read_stores(self) -> Iterator[StoreRead]:
        """The stores that are there."""
        yield from (store for store in self.stores.values() if isinstance(store, StoreRead))


def stores_named(external: ExternalSecret) -> tuple[StoreId, ...]:
    """The stores of all its entries, each once."""
    named = [entry.store for entry in external.data] + [entry.store for entry in external.data_from]
    return tuple(dict.fromkeys(store for store in named if store is not None))


def dig(found: Any, *path: str) -> Any:
    """What is at a path of an object; None where a step is not there."""
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def moment(text: object) -> datetime | None:
    """A time as Kubernetes writes it; None where it is none."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None


def condition(found: Object, kind: str) -> Object:
    """A condition of an object's status; empty where there is none."""
    conditions = dig(found, "status", "conditions")
    return next((one for one in conditions or () if isinstance(one, Mapping) and one.get("type") == kind), {})
