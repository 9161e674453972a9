"""Stores: whether they are there, open to the namespace, of this ESO, and ready."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.facts import Facts, StoreRead, Unread, condition, dig
from arcan_gitops.doctor.findings import Found, NotDone, error, warning
from arcan_gitops.doctor.fixes import applied, linted
from arcan_gitops.doctor.surroundings import controller
from arcan_gitops.eso import Cluster, Namespace, NotSupported
from arcan_gitops.eso.conditions import require_allowed
from arcan_gitops.eso.objects import StoreId, StoreKind
from arcan_gitops.eso_version import NEWEST
from arcan_gitops.explanations import command
from arcan_gitops.golang.errors import GoError
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.findings import Severity
from arcan_gitops.lint.reading import Source
from arcan_gitops.names import did_you_mean
from arcan_gitops.yamlio import emit

_DEFAULT_CLASS = "default"


def exists(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether each `secretStoreRef` leads to a store."""
    for external in facts.externals:
        for identity, store in facts.stores_of(external):
            if isinstance(store, Unread):
                yield store.not_done(f"whether {identity} is there")
            elif store is None:
                yield error(
                    str(external),
                    _missing(identity, facts),
                    _fix(identity, facts),
                    *applied(facts, [external.place]),
                    of=[external.place],
                )


def _missing(identity: StoreId, facts: Facts) -> str:
    there = [store.id for store in facts.read_stores()]
    twin = [one for one in there if one.name == identity.name and one.kind is not identity.kind]
    if twin:
        return f"names {identity.kind} {identity.name}, and the store of that name is a {twin[0].kind}"
    near = [one.name for one in there if one.kind is identity.kind and one.namespace == identity.namespace]
    hint = did_you_mean(identity.name, near) if near else "there is none at all"
    return f"names {identity}, which is not there; {hint}"


def _fix(identity: StoreId, facts: Facts) -> str:
    if identity.kind is StoreKind.CLUSTER_SECRET_STORE:
        return facts.kubectl("get", "clustersecretstores,secretstores", "-A")
    return facts.kubectl("get", "secretstores", "-n", identity.namespace)


def conditions(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether a ClusterSecretStore is open to the namespace."""
    for external in facts.externals:
        namespace = external.place[0]
        found = facts.namespaces.get(namespace)
        labels = dig(found, "metadata", "labels")
        given = (
            () if found is None or isinstance(found, Unread) else (Namespace(namespace, dict(labels or {})),)
        )
        for identity, store in facts.stores_of(external):
            if not isinstance(store, StoreRead) or store.parsed is None:
                continue
            try:
                require_allowed(store.parsed, namespace, Cluster(namespaces=given))
            except NotSupported:
                why = "the labels of the namespace could not be read"
                yield NotDone(f"whether {identity} is open to namespace {namespace}", why)
            except GoError:
                what = f"its conditions do not let namespace {namespace} in"
                fix = facts.kubectl(
                    "get", "clustersecretstore", identity.name, "-o", "jsonpath={.spec.conditions}"
                )
                yield error(str(identity), what, fix, _add(identity, namespace, facts), of=[external.place])


def _add(identity: StoreId, namespace: str, facts: Facts) -> str:
    patch = f'[{{"op": "add", "path": "/spec/conditions/-", "value": {{"namespaces": ["{namespace}"]}}}}]'
    return facts.kubectl("patch", "clustersecretstore", identity.name, "--type=json", "-p", patch)


def controller_class(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the ESO that runs is the one that a store is for."""
    found = controller(facts.deployments)
    ours = _DEFAULT_CLASS
    for container in (
        (dig(found, "spec", "template", "spec", "containers") or ()) if found is not None else ()
    ):
        for word in container.get("args") or ():
            if word.startswith("--controller-class="):
                ours = word.partition("=")[2]
    for store in facts.read_stores():
        wanted = dig(store.object, "spec", "controller") or _DEFAULT_CLASS
        if wanted != ours and (users := facts.users_of(store.id)):
            what = f"is for the controller class {wanted!r}, and the ESO here is of class {ours!r}"
            kind = store.id.kind.lower()
            place = ("-n", store.id.namespace) if store.id.namespace else ()
            patch = f'{{"spec": {{"controller": "{ours}"}}}}'
            fix = facts.kubectl("patch", kind, store.id.name, *place, "--type=merge", "-p", patch)
            yield error(str(store.id), what, fix, of=users)


def ready(facts: Facts) -> Iterator[Found | NotDone]:
    """What ESO says of a store."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        found = condition(store.object, "Ready")
        place = ("-n", store.id.namespace) if store.id.namespace else ()
        named = store.id.kind.lower(), store.id.name, *place
        again = f"{facts.kubectl('annotate', *named, '--overwrite')} looked=$(date +%s)"
        fix = facts.kubectl("describe", *named), again
        if users and found and found.get("status") != "True":
            what = f"is not ready ({found.get('reason', 'no reason')}), and ESO asks nothing of it"
            yield error(str(store.id), what, *fix, of=users)
        elif users and not found:
            yield warning(
                str(store.id), "ESO has not looked at it yet: it has no condition Ready", *fix, of=users
            )


def manifests(facts: Facts) -> Iterator[Found | NotDone]:
    """What lint calls an error in the stores and ExternalSecrets as they are in the cluster."""
    for external in facts.externals:
        if external.parsed is None:
            look = linted(facts, "ExternalSecret", external.place[1], external.place[0])
            yield error(str(external), f"cannot work: {external.problem}", look, of=[external.place])
    objects = [external.object for external in facts.externals if external.parsed is not None]
    stores = {store.id: store for store in facts.read_stores() if facts.users_of(store.id)}
    for store in stores.values():
        if store.parsed is None:
            look = linted(facts, store.id.kind, store.id.name, store.id.namespace)
            yield error(str(store.id), f"cannot work: {store.problem}", look, of=facts.users_of(store.id))
    objects += [store.object for store in stores.values() if store.parsed is not None]
    if not objects:
        return
    report = lint([Source("-", emit(map(_stored, objects)).encode())], NEWEST, ignored=_NOT_HERE)
    for finding in report.findings:
        if finding.severity is Severity.ERROR:
            named, _, what = finding.message.partition(": ")
            kind, _, name = named.partition(" ")
            of = _concerned(kind, name, facts)
            say = f"{what} ({finding.rule}). {finding.hint}"
            yield error(named, say, linted(facts, kind, *_split(name)), command(finding.rule), of=of)


# what another check says, or asks for objects that are not looked at here
_NOT_HERE = ("ARC010", "ARC036", "ARC055", "ARC056", "ARC059")


def _stored(found: object) -> dict[str, object]:
    assert isinstance(found, dict)
    metadata = {key: found["metadata"][key] for key in ("name", "namespace") if key in found["metadata"]}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": metadata,
        "spec": found["spec"],
    }


def _split(name: str) -> tuple[str, str]:
    namespace, _, last = name.rpartition("/")
    return last, namespace


def _concerned(kind: str, name: str, facts: Facts) -> list[tuple[str, str]]:
    if kind == "ExternalSecret":
        return [one.place for one in facts.externals if name in (one.place[1], "/".join(one.place))]
    stores = [one.id for one in facts.read_stores() if one.id.kind == kind and one.id.name in name]
    return [place for identity in stores for place in facts.users_of(identity)]


CHECKS = (
    Check("store-exists", "the stores that ExternalSecrets name", "to list stores", exists),
    Check("store-conditions", "who may use a ClusterSecretStore", "to read Namespaces", conditions),
    Check(
        "store-class", "the controller class of a store and of ESO", "to list Deployments", controller_class
    ),
    Check("manifests", "stores and ExternalSecrets, by lint", "to list them", manifests),
)

READY = Check("store-ready", "the condition Ready of stores", "to list stores", ready, symptom=True)
