"""What apps receive, and where it lands: the Kubernetes Secrets before and after."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from arcan_gitops.errors import some
from arcan_gitops.review.change import Change, by_place, found, renamed
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.made import OPAQUE, Made, SecretPlace, cluster_of
from arcan_gitops.review.state import APPS, KUSTOMIZE

_ALL = "every key"


def apps(change: Change) -> Iterator[Finding]:
    """Gains of apps; Secrets that appear or change; when a change arrives."""
    yield from _received(change)
    yield from _landing(change)
    yield from _named(change)
    yield from _changed(change)
    yield from _overlays(change)
    yield from _names(change)


def _file(made: Made) -> tuple[str, int]:
    path, _, line = made.where.rpartition(":")
    return path, int(line) if line.isdigit() else 0


def _source(made: Made) -> str:
    return f"{made.realm}/{made.environment}" if made.realm else f"store {made.store}"


def _keys(made: Made) -> set[str]:
    return {_ALL} if made.keys is None else set(made.keys.values())


def _by_app(made: tuple[Made, ...]) -> dict[tuple[str, str], list[Made]]:
    found: dict[tuple[str, str], list[Made]] = {}
    for each in made:
        found.setdefault((each.app, each.overlay), []).append(each)
    return found


def _received(change: Change) -> Iterator[Finding]:
    """For each app: keys that it gets nowhere before; all overlays together."""
    old, new = _pairs(change.made_before), _pairs(change.made_after)
    for app in sorted(new):
        before = old.get(app, {})
        gained: dict[str, list[str]] = {}
        for source, key in new[app]:
            if (source, key) not in before and (source, _ALL) not in before:
                gained.setdefault(source, []).append(key)
        if not gained:
            continue
        first = next(made for pair, made in new[app].items() if pair[1] in gained.get(pair[0], ()))
        what = _grouped(gained)
        who = f"app {app}" if app in old else f"app {app}, which is new,"
        yield found(
            "ARR206",
            f"{who} receives {what}",
            f"arcan who-can-read {first.realm}" if first.realm else "look at the store that it names",
            *_file(first),
        )
    yield from _by_others(change)


def _grouped(gained: Mapping[str, Sequence[str]]) -> str:
    """`STRIPE_KEY of production/dev, production/prod`: what is the same everywhere is said once."""
    sources: dict[str, list[str]] = {}
    for source, keys in sorted(gained.items()):
        sources.setdefault(some(sorted(keys), 5), []).append(source)
    return some([f"{keys} of {some(of, 6)}" for keys, of in sources.items()], 4, between="; ")


def _pairs(made: tuple[Made, ...]) -> dict[str, dict[tuple[str, str], Made]]:
    found: dict[str, dict[tuple[str, str], Made]] = {}
    for each in made:
        for key in sorted(_keys(each)):
            found.setdefault(each.app, {}).setdefault((_source(each), key), each)
    return found


def _by_others(change: Change) -> Iterator[Finding]:
    """Apps whose stores read by another token or account than before."""
    old = {(m.app, m.overlay): m for m in change.made_before if m.reads}
    told = set()
    for made in change.made_after:
        before = old.get((made.app, made.overlay))
        if before is None or not made.reads or before.reads == made.reads or before.realm != made.realm:
            continue
        if (made.app, before.reads, made.reads) not in told:
            told.add((made.app, before.reads, made.reads))
            yield found(
                "ARR206",
                f"app {made.app} reads {made.realm} by {made.reads} in overlay {made.overlay}, "
                f"and did by {before.reads}",
                f"what that may read: arcan who-can-read {made.realm} --env {made.environment}",
                *_file(made),
            )


def _landing(change: Change) -> Iterator[Finding]:
    """Secrets in a namespace or on a cluster where their app had none."""
    old = _by_app(change.made_before)
    owners: dict[tuple[str, str], set[str]] = {}
    for each in change.made_before:
        owners.setdefault((each.place.cluster, each.place.namespace), set()).add(each.app)
    known = {(m.app, m.place.cluster, m.place.namespace) for m in change.made_before}
    was = {app for app, _ in old}
    told = set()
    for made in change.made_after:
        at = (made.place.cluster, made.place.namespace)
        if (made.app, *at) in known or (made.app, *at) in told:
            continue
        told.add((made.app, *at))
        others = sorted(owners.get(at, set()) - {made.app})
        if not others and made.app not in was:
            continue  # a new app in a namespace of its own
        whose = f", which is that of app {some(others, 3)}," if others else ""
        yield found(
            "ARR207",
            f"app {made.app}: its Secrets land in namespace {at[1]} of cluster {at[0]}{whose} "
            f"from overlay {made.overlay}",
            "whoever may read Secrets there gets them: have that namespace's owners agree",
            *_file(made),
        )


def _named(change: Change) -> Iterator[Finding]:
    """Names of Secrets that an app did not use in a namespace where it was: whatever names one gets it."""
    namespaces = {(made.app, made.place.cluster, made.place.namespace) for made in change.made_before}
    used = by_place(change.made_before)
    told: dict[tuple[str, str, str], tuple[list[str], Made]] = {}
    for made in change.made_after:
        at = made.place
        if at not in used and (made.app, at.cluster, at.namespace) in namespaces:
            clusters, _ = told.setdefault((made.app, at.namespace, at.name), ([], made))
            clusters.append(at.cluster)
    for (app, namespace, name), (clusters, made) in sorted(told.items()):
        yield found(
            "ARR207",
            f"app {app}: a Secret lands under a name that it did not use: {namespace}/{name} on "
            f"{some(clusters)}; pods and controllers that name it get it",
            f"what names it: kubectl get pods -n {shlex.quote(namespace)} -o yaml",
            *_file(made),
        )


def _changed(change: Change) -> Iterator[Finding]:
    old, new = by_place(change.made_before), by_place(change.made_after)
    names = renamed(change)
    for place in sorted(new):
        made = new[place][0]
        if place in names:
            was = names[place]
            yield found(
                "ARR307",
                f"{_on(was)} is called {place.name} now, by app {made.app}: pods that mount {was.name}, or "
                "take their environment from it, must name the new one, and do not start again before",
                f"grep -rn {shlex.quote(was.name)} .; what still names it: kubectl get pods -n "
                f"{shlex.quote(place.namespace)} -o yaml",
                *_file(made),
            )
            continue
        if place not in old:
            yield found("ARR307", f"{_on(place)} is made, by app {made.app}", "arcan validate", *_file(made))
            continue
        before = old[place][0]
        yield from _looks(place, before, made)
        yield from _type(place, before, made)
        yield from _policies(place, before, made)
        if _keys(before) != _keys(made) or before.keys != made.keys:
            what = _difference(before, made)
            yield found("ARR307", f"{_on(place)} changes: {what}", f"arcan sync {made.app}", *_file(made))
        elif before.shape != made.shape:
            what = "what is declared of its content: template, decoding, labels"
            yield found("ARR307", f"{_on(place)} changes: {what}", f"arcan sync {made.app}", *_file(made))
    for place in sorted(new):
        made = new[place][0]
        if made.deletion == "Delete" and (place not in old or old[place][0].deletion != "Delete"):
            yield found(
                "ARR212",
                f"{_on(place)} is deleted when its keys are gone (deletionPolicy: Delete)",
                "pods that need it will not start again then: take it out, or have the app's owners agree",
                *_file(made),
            )


def _on(place: SecretPlace) -> str:
    return f"Secret {place} on cluster {place.cluster}"


def _difference(before: Made, after: Made) -> str:
    old, new = dict(before.keys or {"*": _ALL}), dict(after.keys or {"*": _ALL})
    parts = [f"new entry {name}" for name in sorted(new.keys() - old.keys())]
    parts += [f"entry {name} goes" for name in sorted(old.keys() - new.keys())]
    parts += [
        f"{n} is {new[n]}, and was {old[n]}" for n in sorted(old.keys() & new.keys()) if old[n] != new[n]
    ]
    return some(parts, 6)


def _looks(place: SecretPlace, before: Made, after: Made) -> Iterator[Finding]:
    """Type, labels and annotations, which other controllers act on; who owns the Secret."""
    said = []
    if before.type != after.type:
        said.append(f"type {after.type}, and was {before.type}")
    for what, old, new in (
        ("label", before.labels, after.labels),
        ("annotation", before.annotations, after.annotations),
    ):
        said += [f"{what} {name}" for name in _set(old, new)]
    if before.creation != after.creation:
        said.append(f"creationPolicy {after.creation}, and was {before.creation}")
    if before.app != after.app:
        said.append(f"app {after.app} makes it, and app {before.app} did")
    if said:
        yield found(
            "ARR207",
            f"{_on(place)}: {some(said, 5)}",
            "other controllers act on these: have the app's owners agree",
            *_file(after),
        )


def _type(place: SecretPlace, before: Made, after: Made) -> Iterator[Finding]:
    """The API server refuses another type. Where none is declared, ESO keeps the one that is there."""
    if after.type not in (before.type, OPAQUE):
        yield found(
            "ARR124",
            f"{_on(place)}: type {after.type}, and was {before.type}: Kubernetes refuses that, so that ESO "
            "cannot write it any more",
            "declare it under another name in the app's file, beside this one; then: arcan generate overlays",
            *_file(after),
        )


def _set(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [f"{name} is set" for name in sorted(new) if old.get(name) != new[name]]


def _policies(place: SecretPlace, before: Made, after: Made) -> Iterator[Finding]:
    said = []
    if before.refresh != after.refresh:
        said.append(f"is asked for {after.refresh}, and was {before.refresh}")
    if before.consistency != after.consistency:
        said.append(f"has consistency {after.consistency}, and had {before.consistency}")
    if said:
        yield found("ARR308", f"{_on(place)} {' and '.join(said)}", "arcan generate overlays", *_file(after))


def _overlays(change: Change) -> Iterator[Finding]:
    old = {overlay.name: overlay for overlay in change.base.overlays}
    new = {overlay.name: overlay for overlay in change.head.overlays}
    path = f"{KUSTOMIZE}arcan.yaml"
    for name, overlay in sorted(new.items()):
        if name not in old:
            yield found(
                "ARR312",
                f"overlay {name} is new: environment {overlay.environment}, cluster {cluster_of(overlay)}",
                f"arcan bootstrap {name}",
                path,
            )
        elif old[name].environment != overlay.environment:
            yield found(
                "ARR208",
                f"overlay {name}: its apps get environment {overlay.environment}, and got "
                f"{old[name].environment}",
                "every app of the overlay gets other values: have the environment's owners agree",
                path,
            )
    for name in sorted(old.keys() - new.keys()):
        yield found("ARR312", f"overlay {name} is gone", f"arcan overlay remove {name}", path)


def _names(change: Change) -> Iterator[Finding]:
    """Apps, realms and environments that come or go."""
    old = {app.name for app in change.base.declared.apps}
    new = {app.name for app in change.head.declared.apps}
    for name in sorted(new - old):
        yield found("ARR312", f"app {name} is new", "arcan generate overlays", f"{APPS}{name}.yaml")
    for name in sorted(old - new):
        if (
            path := f"{APPS}{name}.yaml"
        ) not in change.head.problems:  # else it is there, and nobody can read it
            yield found("ARR312", f"app {name} is gone", f"arcan app remove {name}", path)
    for realm, environment in sorted(change.head.index.keys() - change.base.index.keys()):
        yield found(
            "ARR312",
            f"environment {environment} of realm {realm} is new",
            f"arcan who-can-read {realm} --env {environment}",
            next(iter(change.head.paths[place] for place in change.head.index[realm, environment])),
        )
