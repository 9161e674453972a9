"""One run over a cluster: what the checks need, asked for once. Nothing is changed, and rights may lack.

Of the Secrets that ESO makes, kubectl is asked for names and sizes only, by a template: no value comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

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
from arcan_gitops.doctor.many import listed, named, named_as
from arcan_gitops.doctor.reader import Reader, together
from arcan_gitops.doctor.surroundings import installation, may
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso import ConfigMap, KubernetesSecret, read_cluster
from arcan_gitops.eso.objects import StoreId, StoreKind
from arcan_gitops.eso.target import DATA_HASH_ANNOTATION

ESO: Final = "external-secrets.io"
MANAGED_LABEL: Final = "reconcile.external-secrets.io/managed=true"  # what ESO makes has it
_WARNINGS: Final = "--field-selector=type=Warning,involvedObject.kind=ExternalSecret"

# namespace, name, type, immutable, owner, hash, then each key and how long its base64 is
_TARGET: Final = (
    '{{define "one"}}{{.metadata.namespace}}\t{{.metadata.name}}\t{{.type}}\t'
    "{{with .immutable}}{{.}}{{end}}\t"
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
    say: Callable[[str], object] = lambda line: None,
) -> Facts:
    """The facts of one ExternalSecret, of those of a namespace, or of all; of a long run `say` is told how
    far it is.

    Raises `ArcanError` where the API server cannot be reached, or not one ExternalSecret may be read.
    """
    groups = _groups(reader)
    facts = Facts(
        now, wanted, context, repository=repository,
        groups=frozenset(groups), eso_versions=groups.get(ESO, ()),
    )  # fmt: skip
    if "v1" not in facts.eso_versions:
        return replace(facts, **installation(facts, reader))
    externals = _externals(reader, wanted, namespace)
    facts = replace(facts, kinds=_kinds(reader), externals=externals)
    if facts.is_long:
        say(f"reading what {len(externals)} ExternalSecrets use")
    facts = replace(facts, stores=_stores(reader, facts))
    near = sorted({external.place[0] for external in externals})
    places = {*near, *((wanted[0],) if wanted else ())}
    if isinstance(repository, Repository) and wanted is None and namespace is None:
        places |= {place[0] for place in repository.declared}
    fields = together(
        lambda: _credentials(facts, reader),
        lambda: {"targets": _targets(facts, reader)},
        lambda: {"namespaces": _namespaces(reader, places)},
        lambda: {"events": listed(reader, "events", near, _WARNINGS)},
        lambda: {"services": _services(facts, reader)},
        lambda: installation(facts, reader),
    )
    facts = replace(facts, **{name: found for each in fields for name, found in each.items()})
    if facts.is_long:
        say(f"asking who may read Secrets in {len(near)} namespaces")
    return replace(facts, may=may(reader, facts))


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
    words: tuple[str, ...] = ("-n", namespace) if namespace else ("-A",)
    if wanted is not None:
        words = (wanted[1], "-n", wanted[0])
    found = reader.objects(kind, *words, "--show-managed-fields")  # for `seen`
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
    spaces = sorted({identity.namespace for identity in wanted if identity.namespace})
    there = _of_namespaces(reader, spaces)
    if any(not identity.namespace for identity in wanted):
        there[""] = _stores_of(reader.objects(f"clustersecretstores.{ESO}"))
    found: dict[StoreId, Known[StoreRead]] = {}
    for identity in sorted(wanted, key=str):
        here = there[identity.namespace]
        found[identity] = here if isinstance(here, Unread) else here.get(identity)
    if None in found.values():  # to say which there are, of the other kind too
        others = {external.place[0] for external in facts.externals} - there.keys()
        there |= _of_namespaces(reader, sorted(others))
        if "" not in there:
            there[""] = _stores_of(reader.objects(f"clustersecretstores.{ESO}"))
        for near in there.values():
            found = {**({} if isinstance(near, Unread) else near), **found}
    return found


def _of_namespaces(reader: Reader, namespaces: Sequence[str]) -> dict[str, dict[StoreId, StoreRead] | Unread]:
    found = listed(reader, f"secretstores.{ESO}", namespaces)
    return {namespace: _stores_of(objects) for namespace, objects in found.items()}


def _stores_of(objects: Known[tuple[Object, ...]]) -> dict[StoreId, StoreRead] | Unread:
    if isinstance(objects, Unread):
        return objects
    return {store.id: store for store in map(_store, objects or ())}


def _store(found: Object) -> StoreRead:
    metadata = found["metadata"]
    identity = StoreId(StoreKind(found["kind"]), metadata.get("namespace", ""), metadata["name"])
    try:
        (parsed,) = read_cluster([("the API server", found)]).stores
    except ArcanError as error:
        return StoreRead(identity, found, None, _last_line(error))
    return StoreRead(identity, found, parsed)


def _credentials(facts: Facts, reader: Reader) -> dict[str, Any]:
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
    found, authorities = together(
        lambda: named(reader, "Secret", secrets), lambda: named(reader, "ConfigMap", maps)
    )
    return {
        "secrets": {place: _parsed_secret(one) for place, one in found.items()},
        "config_maps": {place: _parsed_map(one) for place, one in authorities.items()},
    }


def _namespaces(reader: Reader, places: Iterable[str]) -> dict[str, Known[Object]]:
    found = named(reader, "Namespace", (("", each) for each in places))
    return {name: one for (_, name), one in found.items()}


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
    places = [(external.place[0], external.target) for external in facts.externals]
    return named_as(reader, "Secret", places, f"go-template={_TARGET}", _sizes, MANAGED_LABEL)


def _sizes(printed: str) -> dict[Place, Target]:
    return dict(map(_target, filter(None, printed.split("\n"))))


def _target(line: str) -> tuple[Place, Target]:
    namespace, name, kind, immutable, owner, data_hash, keys = (line.split("\t") + [""] * 7)[:7]
    sizes = {key: int(size) for key, _, size in (word.rpartition("=") for word in keys.split())}
    return (namespace, name), Target(kind, immutable == "true", owner, data_hash, sizes)


def _services(facts: Facts, reader: Reader) -> dict[Place, Known[Object]]:
    """The Services that stores name by their names in the cluster."""
    wanted = set()
    for store in facts.read_stores():
        place = endpoint(store.parsed) if store.parsed is not None else None
        if place is not None and (service := service_of(place[1])) is not None:
            wanted.add(service)
    return named(reader, "Service", wanted)


def service_of(host: str) -> Place | None:
    """(namespace, name) of the Service that a host is: `arcan.arcan.svc`."""
    parts = host.removesuffix(".cluster.local").split(".")
    return (parts[1], parts[0]) if len(parts) == 3 and parts[2] == "svc" else None
