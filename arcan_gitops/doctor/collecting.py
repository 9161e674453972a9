"""One run over a cluster: what the checks need, asked for once. Nothing is changed, and rights may lack.

Of the Secrets that ESO makes, kubectl is asked for names and sizes only, by a template: no value comes here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from arcan_gitops.doctor import providers
from arcan_gitops.doctor.asking import ca_place, endpoint, token_places
from arcan_gitops.doctor.facts import (
    External,
    Facts,
    Known,
    Object,
    Repository,
    StoreRead,
    Target,
    Unread,
    dig,
    stores_named,
)
from arcan_gitops.doctor.findings import Place
from arcan_gitops.doctor.reader import Reader
from arcan_gitops.doctor.surroundings import with_installation, with_rights
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso import ConfigMap, KubernetesSecret, read_cluster
from arcan_gitops.eso.objects import StoreId, StoreKind
from arcan_gitops.eso.target import DATA_HASH_ANNOTATION

ESO: Final = "external-secrets.io"

# name, type, immutable, owner, hash, then each key and how long its base64 is
_TARGET: Final = (
    '{{define "one"}}{{.metadata.name}}\t{{.type}}\t{{with .immutable}}{{.}}{{end}}\t'
    '{{range .metadata.ownerReferences}}{{if eq .kind "ExternalSecret"}}{{.name}}{{end}}{{end}}\t'
    '{{with .metadata.annotations}}{{with index . "' + DATA_HASH_ANNOTATION + '"}}{{.}}{{end}}{{end}}\t'
    "{{range $key, $value := .data}}{{$key}}={{len $value}} {{end}}\n{{end}}"
    '{{if .items}}{{range .items}}{{template "one" .}}{{end}}{{else if .metadata.name}}'
    '{{template "one" .}}{{end}}'
)


def collect(
    reader: Reader,
    now: datetime,
    *,
    wanted: Place | None = None,
    namespace: str | None = None,
    repository: Repository | Unread,
    context: str = "",
) -> Facts:
    """The facts of one ExternalSecret, of those of a namespace, or of all. Raises `ArcanError` where the API
    server cannot be reached, or not one ExternalSecret may be read.
    """
    groups = _groups(reader)
    facts = Facts(
        now, wanted, context, repository=repository,
        groups=frozenset(groups), eso_versions=groups.get(ESO, ()),
    )  # fmt: skip
    if "v1" not in facts.eso_versions:
        return with_installation(facts, reader)
    facts = replace(facts, kinds=_kinds(reader), externals=_externals(reader, wanted, namespace))
    facts = replace(facts, stores=_stores(reader, facts))
    facts = _credentials(facts, reader)
    places = {external.place[0] for external in facts.externals} | ({wanted[0]} if wanted else set())
    if isinstance(repository, Repository) and wanted is None and namespace is None:
        places |= {place[0] for place in repository.declared}
    facts = replace(
        facts,
        namespaces=_by_name(places, reader.objects("namespaces", *sorted(places)) if places else ()),
        events={
            each: reader.objects("events", "-n", each, "--field-selector=type=Warning")
            for each in sorted({external.place[0] for external in facts.externals})
        },
        targets=_targets(facts, reader),
        services=_services(facts, reader),
    )
    return with_rights(with_installation(facts, reader), reader)


def _groups(reader: Reader) -> dict[str, tuple[str, ...]]:
    found = reader.raw("/apis")
    if isinstance(found, Unread):
        raise ArcanError(f"the cluster cannot be read: {found.why}", hint=found.command)
    groups = dig(found, "groups") or ()
    return {group["name"]: tuple(version["version"] for version in group["versions"]) for group in groups}


def _kinds(reader: Reader) -> Known[frozenset[str]]:
    found = reader.raw(f"/apis/{ESO}/v1")
    if isinstance(found, Unread):
        return found
    return frozenset(one["kind"] for one in dig(found, "resources") or ())


def _externals(reader: Reader, wanted: Place | None, namespace: str | None) -> tuple[External, ...]:
    kind = f"externalsecrets.{ESO}"
    if wanted is not None:
        found = reader.objects(kind, wanted[1], "-n", wanted[0])
    else:
        found = reader.objects(kind, *(("-n", namespace) if namespace else ("-A",)))
    if isinstance(found, Unread):
        raise ArcanError(f"ExternalSecrets cannot be read: {found.why}", hint=found.command)
    return tuple(_external(one) for one in found)


def _external(found: Object) -> External:
    metadata = found["metadata"]
    place = metadata["namespace"], metadata["name"]
    try:
        (parsed,) = read_cluster([("the API server", found)]).external_secrets
    except ArcanError as error:
        return External(place, found, None, _last_line(error))
    return External(place, found, parsed)


def _last_line(error: ArcanError) -> str:
    return error.message.split("\n")[-1].strip().removeprefix("the API server: ")


def _stores(reader: Reader, facts: Facts) -> dict[StoreId, Known[StoreRead]]:
    wanted = {
        identity
        for external in facts.externals
        if external.parsed is not None
        for identity in stores_named(external.parsed)
    }
    found: dict[StoreId, Known[StoreRead]] = {}
    for namespace in sorted({identity.namespace for identity in wanted}):
        here = [identity for identity in wanted if identity.namespace == namespace]
        there = _stores_in(reader, namespace)
        if isinstance(there, Unread):
            found |= dict.fromkeys(here, there)
            continue
        found |= {identity: there.get(identity) for identity in here}
        if any(identity not in there for identity in here):  # to say which there are, of the other kind too
            others = {external.place[0] for external in facts.externals} if not namespace else {""}
            for other in sorted({namespace} | others):
                near = there if other == namespace else _stores_in(reader, other)
                found = {**({} if isinstance(near, Unread) else near), **found}
    return found


def _stores_in(reader: Reader, namespace: str) -> dict[StoreId, StoreRead] | Unread:
    """The SecretStores of a namespace, or all ClusterSecretStores."""
    if namespace:
        objects = reader.objects(f"secretstores.{ESO}", "-n", namespace)
    else:
        objects = reader.objects(f"clustersecretstores.{ESO}")
    return objects if isinstance(objects, Unread) else {store.id: store for store in map(_store, objects)}


def _store(found: Object) -> StoreRead:
    metadata = found["metadata"]
    identity = StoreId(StoreKind(found["kind"]), metadata.get("namespace", ""), metadata["name"])
    try:
        (parsed,) = read_cluster([("the API server", found)]).stores
    except ArcanError as error:
        return StoreRead(identity, found, None, _last_line(error))
    return StoreRead(identity, found, parsed)


def _credentials(facts: Facts, reader: Reader) -> Facts:
    secrets: set[Place] = set()
    maps: set[Place] = set()
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if not users:
            continue
        if store.parsed is not None and store.parsed.webhook is not None:
            secrets |= {(place.namespace, place.secret) for place in token_places(store.parsed)}
            if (ca := ca_place(store.parsed)) is not None and ca[1]:
                (secrets if ca[0] == "Secret" else maps).add((ca[1], ca[2]))
        else:
            secrets |= {(place.namespace, place.secret) for place in providers.credentials(store, users)}
    return replace(
        facts,
        secrets={place: _parsed_secret(found) for place, found in _named(reader, "secrets", secrets)},
        config_maps={place: _parsed_map(found) for place, found in _named(reader, "configmaps", maps)},
    )


def _named(reader: Reader, kind: str, places: Iterable[Place]) -> Iterator[tuple[Place, Known[Object]]]:
    """Objects by their names, one command a namespace: more rights than to those are not needed."""
    by_namespace: defaultdict[str, list[str]] = defaultdict(list)
    for namespace, name in sorted(places):
        by_namespace[namespace].append(name)
    for namespace, names in by_namespace.items():
        objects = reader.objects(kind, *names, "-n", namespace)
        if isinstance(objects, Unread) and len(names) > 1:  # rights may be to some of them
            yield from (found for name in names for found in _named(reader, kind, [(namespace, name)]))
            continue
        there = _by_name(names, objects)
        yield from (((namespace, name), there[name]) for name in names)


def _by_name(names: Iterable[str], objects: tuple[Object, ...] | Unread) -> dict[str, Known[Object]]:
    if isinstance(objects, Unread):
        return dict.fromkeys(names, objects)
    there = {one["metadata"]["name"]: one for one in objects}
    return {name: there.get(name) for name in names}


def _parsed_secret(found: Known[Object]) -> Known[KubernetesSecret]:
    if found is None or isinstance(found, Unread):
        return found
    try:
        return read_cluster([("the API server", {"apiVersion": "v1", "kind": "Secret", **found})]).secrets[0]
    except ArcanError:
        return Unread("the Secret is not understood")


def _parsed_map(found: Known[Object]) -> Known[ConfigMap]:
    if found is None or isinstance(found, Unread):
        return found
    metadata = found["metadata"]
    return ConfigMap(metadata["namespace"], metadata["name"], dict(found.get("data") or {}))


def _targets(facts: Facts, reader: Reader) -> dict[Place, Known[Target]]:
    by_namespace: defaultdict[str, list[str]] = defaultdict(list)
    for external in facts.externals:
        by_namespace[external.place[0]].append(external.target)
    found: dict[Place, Known[Target]] = {}
    for namespace, names in sorted(by_namespace.items()):
        chosen = sorted(set(names))
        words = ("-n", namespace, "--ignore-not-found", "-o", f"go-template={_TARGET}")
        printed = reader.text("get", "secrets", *chosen, *words)
        if isinstance(printed, Unread):
            unread = Unread(printed.why, f"kubectl get secrets -n {namespace}")
            found |= {(namespace, name): unread for name in chosen}
            continue
        there = dict(map(_target, filter(None, printed.split("\n"))))
        found |= {(namespace, name): there.get(name) for name in chosen}
    return found


def _target(line: str) -> tuple[str, Target]:
    name, kind, immutable, owner, data_hash, keys = (line.split("\t") + [""] * 6)[:6]
    sizes = {key: int(size) for key, _, size in (word.rpartition("=") for word in keys.split())}
    return name, Target(kind, immutable == "true", owner, data_hash, sizes)


def _services(facts: Facts, reader: Reader) -> dict[Place, Known[Object]]:
    """The Services that stores name by their names in the cluster."""
    wanted = set()
    for store in facts.read_stores():
        place = endpoint(store.parsed) if store.parsed is not None else None
        if place is not None and (service := service_of(place[1])) is not None:
            wanted.add(service)
    return dict(_named(reader, "services", wanted))


def service_of(host: str) -> Place | None:
    """(namespace, name) of the Service that a host is: `arcan.arcan.svc`."""
    parts = host.removesuffix(".cluster.local").split(".")
    return (parts[1], parts[0]) if len(parts) == 3 and parts[2] == "svc" else None
