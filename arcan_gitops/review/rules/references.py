"""References that do not close: keys, tokens, realms that apps name and that are not there; what vanishes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from arcan_gitops.errors import some
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.tombstones import leavings
from arcan_gitops.overlay.tree import COMMAND, is_generated_text
from arcan_gitops.review.change import Change, by_place, found
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.made import Made, SecretPlace
from arcan_gitops.review.state import APPS, KUSTOMIZE, OVERLAYS, REALMS, State


def references(change: Change) -> Iterator[Finding]:
    """Only what this branch leaves open: what was open before is no change."""
    old = {(problem, made.app, made.place) for problem, made in _open(change.base, change.made_before)}
    # that such a one is taken out, and by whom it is used, is told where callers are compared
    callers = {(str(c.kind), _caller(c.name, c.realm)) for c in change.callers_before.values()}
    apart: dict[tuple[str, str], list[Made]] = {}
    for problem, made in _open(change.head, change.made_after):
        if problem not in callers and (problem, made.app, made.place) not in old:
            apart.setdefault(problem, []).append(made)
    for (what, name), users in apart.items():
        path, _, line = users[0].where.rpartition(":")
        apps = some(list(dict.fromkeys(f"{m.app} ({m.place} on {m.place.cluster})" for m in users)), 5)
        if _was_there(change, what, name):
            yield found(
                "ARR108",
                f"{what} {name} is taken out, and is used by {apps}",
                f"take it out of the app's file first: {path}; then: arcan generate overlays",
                path,
                int(line or 0),
            )
        else:
            yield found(
                "ARR107",
                f"{what} {name} is not there, and is named by {apps}",
                f"arcan generate overlays --check; the app's file is {path}",
                path,
                int(line or 0),
            )
    yield from _vanishing(change)
    yield from _foreign(change)
    yield from _gone(change)


def _open(state: State, made: tuple[Made, ...]) -> Iterator[tuple[tuple[str, str], Made]]:
    """((what, its name), who names it)."""
    unread = {path.split("/")[1] for path in state.problems if path.startswith(REALMS)}
    known: dict[str, set[str]] = {}
    for realm, file in state.tokens.items():
        known[realm] = {token.name for token in file.tokens} | {str(a.name) for a in file.accounts}
    for each in made:
        if not each.realm or each.realm in unread:
            continue  # what cannot be read is told of the file
        where = f"{each.realm}/{each.environment}"
        if (each.realm, each.environment) not in state.index:
            yield ("environment", where), each
            continue
        if each.reader not in known.get(each.realm, set()):
            kind = "account" if "/" in each.reader else "token"
            yield (kind, _caller(each.reader, each.realm)), each
        keys = state.keys(each.realm, each.environment)
        places = state.index[each.realm, each.environment]
        if any(state.paths[place] in state.problems for place in places):
            continue
        for key in sorted(set((each.keys or {}).values())):
            if key not in keys:
                yield ("key", f"{key} of {where}"), each


def _caller(name: str, realm: str) -> str:
    return f"{name} of realm {realm}"


def _was_there(change: Change, what: str, name: str) -> bool:
    base = change.base
    word, _, of = name.partition(" of ")
    if what == "key":
        realm, _, environment = of.partition("/")
        return word in base.keys(realm, environment)
    if what == "environment":
        realm, _, environment = name.partition("/")
        return (realm, environment) in base.index
    return False


def _vanishing(change: Change) -> Iterator[Finding]:
    """Secrets that are made no longer, and no record says so."""
    old, new = by_place(change.made_before), by_place(change.made_after)
    head = change.head
    if any(path.startswith(KUSTOMIZE) for path in head.problems):
        return  # what is declared is not known
    said = list(leavings(head.declared.apps, head.declared.departures, head.settings, head.overlays))
    removed = {overlay.name for overlay in head.settings.removed}
    for place in sorted(old.keys() - new.keys()):
        made = old[place][0]
        leaving = any(
            leaving.app == made.app and leaving.overlay.name == made.overlay and _holds(leaving.place, place)
            for leaving in said
        )
        entry = any(
            app.name == made.app and any(gone.is_of(place.name, place.name) for gone in app.removed)
            for app in head.declared.apps
        )
        if leaving or entry or made.overlay in removed:
            yield found(
                "ARR307",
                f"Secret {place} on cluster {place.cluster} goes, as the files say",
                "arcan generate overlays",
                f"{APPS}{made.app}.yaml",
            )
            continue
        yield found(
            "ARR109",
            f"Secret {place} on cluster {place.cluster}, of app {made.app}, vanishes, and nothing says so",
            f"arcan app remove {made.app}; or say in its file where it was: 'left', or 'removed' at the "
            "Secret",
            f"{APPS}{made.app}.yaml",
        )


def _holds(place: object, secret: SecretPlace) -> bool:
    if isinstance(place, ManyNamespaces):
        return place.labels is not None or secret.namespace in map(str, place.names)
    return str(place) == secret.namespace


def _foreign(change: Change) -> Iterator[Finding]:
    """Files in the overlays that are not generated, new or changed."""
    for path in change.paths:
        entry = change.head.tree.files.get(path)
        if entry is None or not path.startswith(OVERLAYS):
            continue
        data = change.data(path)
        if entry.is_file and data is not None and is_generated_text(data.decode("utf-8", "replace"), COMMAND):
            continue
        yield found(
            "ARR117",
            f"{path}: nothing generated it, and Argo CD reads this folder",
            f"git rm {shlex.quote(path)}; what is wanted there belongs into an app's file, or outside "
            "of kustomize/overlays",
            path,
        )


def _gone(change: Change) -> Iterator[Finding]:
    """Environments and realms that are there no more."""
    for realm, environment in sorted(change.base.index.keys() - change.head.index.keys()):
        path = next(change.base.paths[place] for place in change.base.index[realm, environment])
        if path in change.head.problems:
            continue
        yield found(
            "ARR312",
            f"environment {environment} of realm {realm} is gone",
            f"arcan who-can-read {realm} --at {change.base.tree.commit or 'HEAD'}",
            path,
        )
