"""How far a connection to a store's server comes, and what the server answers: tried from here."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from arcan_gitops.doctor.asking import asks_of, endpoint
from arcan_gitops.doctor.chain import Fault, judge
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.checks.authorities import certificates_of, new_ca
from arcan_gitops.doctor.collecting import service_of
from arcan_gitops.doctor.dialling import Reached, Step
from arcan_gitops.doctor.facts import Facts, Read, Repository, StoreRead, Unread
from arcan_gitops.doctor.findings import Found, NotDone, Place, error, warning
from arcan_gitops.doctor.fixes import applied, doctor, edited
from arcan_gitops.eso.explain import recognised

_STEPS: Final = {
    Step.DNS: "its host does not resolve",
    Step.TCP: "nothing answers there",
    Step.TLS: "it does not speak TLS",
}


def _used(facts: Facts) -> Iterator[tuple[StoreRead, str, str, int, frozenset[Place]]]:
    """(store, scheme, host, port, users) of each webhook store that is used."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        place = endpoint(store.parsed) if users and store.parsed is not None else None
        if place is not None:
            yield (store, *place, users)


def _by_endpoint(facts: Facts) -> Iterator[tuple[Reached | Unread, frozenset[Place]]]:
    users: defaultdict[tuple[str, int], set[Place]] = defaultdict(set)
    for _, _, host, port, of in _used(facts):
        users[host, port] |= of
    for place, reached in facts.reached.items():
        yield reached, frozenset(users[place])


def service(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the Service is there that a store's URL names."""
    for store, _, host, port, users in _used(facts):
        wanted = service_of(host)
        if wanted is None or wanted not in facts.services:
            continue
        found = facts.services[wanted]
        where = f"Service {wanted[0]}/{wanted[1]}"
        if isinstance(found, Unread):
            yield found.not_done(f"{where}, which {store.id} names")
        elif found is None:
            what = f"is not there, and {store.id} reads https://{host}:{port}"
            yield error(where, what, *_look(wanted[0], users, facts), of=users)
        elif port not in (ports := [one.get("port") for one in found["spec"].get("ports") or ()]):
            has = ", ".join(map(str, ports))
            what = f"has the port {has}, and {store.id} asks at {port}"
            yield error(where, what, *_look(wanted[0], users, facts), of=users)


def _look(namespace: str, users: frozenset[Place], facts: Facts) -> tuple[str, ...]:
    return facts.kubectl("get", "services", "-n", namespace), *applied(facts, users)


def _failed(step: Step, facts: Facts) -> Iterator[Found | NotDone]:
    for reached, of in _by_endpoint(facts):
        if isinstance(reached, Unread) or reached.step is not step:
            continue
        where = f"{reached.host}:{reached.port}"
        fix = _in_cluster(of, facts)
        if _inside(reached.host):
            # from outside the cluster this says nothing
            forward = facts.kubectl("port-forward", "-n", "arcan", "service/arcan", "9797")
            near = f"{forward} & {doctor(facts, '--connect-to', '127.0.0.1:9797')}"
            yield NotDone(
                f"{where}: {reached.problem} from here", "it is a name of the cluster", (*fix, near)
            )
            continue
        yield error(where, f"{_STEPS[step]}, from here: {reached.problem}", *fix, of=of)


def _inside(host: str) -> bool:
    return host.endswith((".svc", ".svc.cluster.local", ".cluster.local"))


def _in_cluster(of: frozenset[Place], facts: Facts) -> tuple[str, ...]:
    """The Job that tries from where ESO is."""
    if not of:
        return ()
    return (f"{doctor(facts, '/'.join(min(of)), '--in-cluster')} | {facts.kubectl('apply', '-f', '-')}",)


def dns(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the host resolves."""
    yield from _failed(Step.DNS, facts)


def tcp(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether something listens."""
    yield from _failed(Step.TCP, facts)


def tls(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it speaks TLS."""
    yield from _failed(Step.TLS, facts)


def chain(facts: Facts) -> Iterator[Found | NotDone]:
    """The server's certificates, link by link, against what each store trusts."""
    for store, _, host, port, users in _used(facts):
        reached = facts.reached.get((host, port))
        if not isinstance(reached, Reached) or reached.step is not Step.DONE:
            continue
        where = f"{host}:{port}"
        trusted = certificates_of(store, facts)
        if trusted is None:
            if not reached.is_public:
                what = f"no root of the system has signed its certificate, and {store.id} names no CA"
                yield error(where, what, *new_ca(store, facts), of=users)
            continue
        if not trusted:
            continue  # `ca-object`, `ca-content`
        for bad in judge(reached.shown, trusted, host, facts.now):
            if bad.fault is Fault.LEAF_AS_CA:
                continue  # `ca-content`
            yield error(where, f"{bad.text} ({store.id})", *_mended(bad.fault, store, host, facts), of=users)


def _mended(fault: Fault, store: StoreRead, host: str, facts: Facts) -> tuple[str, ...]:
    match fault:
        case Fault.WRONG_HOST:
            words = ("arcan", "bootstrap", "ca", "--host", host, "--output-dir", "tls", "--format", "secret")
            make = f"{shlex.join(words)} | {facts.kubectl('apply', '--server-side', '-f', '-')}"
            return (make, facts.kubectl("rollout", "restart", "deployment/arcan", "-n", "arcan"))
        case Fault.EXPIRED | Fault.NOT_YET_VALID | Fault.NOT_A_CA:
            return (facts.kubectl("rollout", "restart", "deployment/arcan", "-n", "arcan"), "date -u")
        case _:
            return new_ca(store, facts)


def plain_http(facts: Facts) -> Iterator[Found | NotDone]:
    """Credentials and values in clear."""
    for store, scheme, host, _, _ in _used(facts):
        if scheme == "http":
            what = f"asks {host} over plain http: its credential and every value go over the network in clear"
            fix = edited("server: {url: https://...}")
            yield warning(str(store.id), what, fix)


# the server's own word -> (what it means, whether the ExternalSecret itself is to be changed)
_CODES: Final = {
    "unauthorized": "the server does not take the token (401)",
    "forbidden": "the token is good, and may not read this (403)",
    "bulk_needs_all_keys": "a read of all keys needs a token for all keys (403)",
    "malformed_path": "the URL names no realm and key (400)",
    "malformed_query": "the URL's query is not env=ENVIRONMENT&version=VERSION (400)",
    "unknown_environment": "the server has not loaded this environment (400)",
    "not_loaded": "the server has not loaded this environment: its document is bad, or it starts (503)",
    "version_not_loaded": "the server does not have the version that the manifest names (503)",
    "version_needed": "a read of all keys must name its version in this realm (409)",
    "not_recorded": "there is no such key, and no record that it was removed (503)",
    "key_not_found": "the environment has no such key (404)",
    "audit_unavailable": "the server cannot write its audit log, and answers nothing (503)",
    "method_not_allowed": "the server is read-only: the store must use GET (405)",
}
_OURS: Final = {
    "unauthorized": "arcan token list",
    "forbidden": "arcan token sync --check",
    "bulk_needs_all_keys": "arcan token sync --check",
    "unknown_environment": "arcan realm list",
    "not_loaded": "arcan realm check",
    "version_not_loaded": "arcan generate overlays",
    "version_needed": "arcan generate overlays",
    "not_recorded": "arcan realm list",
    "key_not_found": "arcan realm list",
}


def answer(facts: Facts) -> Iterator[Found | NotDone]:
    """What the server answered to a refresh that was tried from here."""
    for external in facts.externals:
        read = facts.reads.get(external.place)
        if isinstance(read, Unread):
            yield NotDone("a refresh, tried from here", read.why)
        if not isinstance(read, Read):
            continue
        bad = next((one for one in read.asked if one.status and not 200 <= one.status < 300), None)
        if bad is None:
            continue
        code = bad.code
        what = _CODES.get(code, f"the server answered {bad.status}")
        log = facts.kubectl("logs", "-n", "arcan", "deployment/arcan", "--tail=50")
        fix = [_OURS[code]] if code in _OURS else [log]
        if code == "not_loaded":
            fix.append(log)
        if code == "version_not_loaded":
            fix.append(facts.kubectl("rollout", "status", "deployment/arcan", "-n", "arcan"))
            what += _which_is_behind(external.place, facts)
        if code == "unauthorized" and isinstance(facts.repository, Repository):
            what += ", which is in Git: it has not read the last merge, or --revoked names the token"
            fix = [facts.kubectl("rollout", "status", "deployment/arcan", "-n", "arcan")]
        yield error(str(external), what, *fix, of=[external.place])


def _which_is_behind(place: Place, facts: Facts) -> str:
    """Whether it is the manifest or the server that is behind Git."""
    if not isinstance(facts.repository, Repository):
        return ""
    contents = facts.repository.catalogue.contents
    for ask in asks_of(facts.by_place[place], facts):
        for (realm, environment), found in contents.items():
            if (realm, environment) != (ask.realm, ask.environment) or not ask.version:
                continue
            of_git = {str(key): version for key, version in found.keys.items()}
            newest = found.version if ask.key is None else of_git.get(ask.key, ask.version)
            if newest != ask.version:
                return ": the manifest is behind Git"
    return ": the server is behind Git, until it has read the last merge"


def shape(facts: Facts) -> Iterator[Found | NotDone]:
    """The store's own jsonPath, and the ExternalSecret's template, on the real answer."""
    for external in facts.externals:
        read = facts.reads.get(external.place)
        if not isinstance(read, Read):
            continue
        if read.outcome is None:
            if read.unknown:
                yield NotDone(f"{external}: a refresh, tried from here", f"not emulated: {read.unknown}")
            continue
        text = read.outcome.error or ("" if read.outcome.condition.ready else read.outcome.condition.message)
        if read.outcome.synced or any(not 200 <= one.status < 300 for one in read.asked):
            continue
        said, cause = recognised(text or read.outcome.condition.message)
        what = f"a refresh with the real answer fails: {said or read.outcome.condition.message}"
        look = facts.kubectl("describe", "externalsecret", external.place[1], "-n", external.place[0])
        yield error(str(external), f"{what}: {cause}" if cause else what, look, of=[external.place])


CHECKS = (
    Check("service", "the Service that a store's URL names", "to read Services", service),
    Check("dns", "whether the host resolves", "the network", dns),
    Check("tcp", "whether something listens", "the network", tcp),
    Check("tls", "whether it speaks TLS", "the network", tls),
    Check("tls-chain", "its certificates, link by link", "the network; to read the CA", chain),
    Check("plain-http", "stores without https", "nothing", plain_http),
    Check(
        "answer",
        "what the server answers to the store's own request",
        "the network; to read the token",
        answer,
        symptom=True,
    ),
    Check(
        "shape",
        "the store's jsonPath and the template, on the real answer",
        "as `answer`",
        shape,
        symptom=True,
    ),
)
