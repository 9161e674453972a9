"""References that do not close: keys, tokens, realms that apps name and that are not there; what vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from arcan_gitops.errors import some
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.tombstones import leavings
from arcan_gitops.review.change import Change, by_place, found, renamed
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.made import Made, SecretPlace
from arcan_gitops.review.open_asks import open_asks
from arcan_gitops.review.state import APPS, REALMS, State
from arcan_gitops.review.written import Written, stores


@dataclass(frozen=True, slots=True)
class _User:
    """Who names something: an app, for one of its Secrets, or a manifest that somebody wrote. `where` is
    `file:line`.
    """

    shown: str
    where: str
    is_app: bool = True

    @classmethod
    def of(cls, made: Made) -> Self:
        return cls(f"{made.app} ({made.place} on {made.place.cluster})", made.where)


_Problem = tuple[str, str]  # what is not there: its noun, and its name


def references(change: Change) -> Iterator[Finding]:
    """Only what this branch leaves open: what was open before is no change."""
    old = {
        (problem, user.shown)
        for problem, user in _all(change, change.base, change.made_before, change.written_before)
    }
    # that such a one is taken out, and by whom it is used, is told where callers are compared
    callers = {(str(c.kind), _caller(c.name, c.realm)) for c in change.callers_before.values()}
    apart: dict[_Problem, list[_User]] = {}
    for problem, user in _all(change, change.head, change.made_after, change.written_after):
        if problem not in callers and (problem, user.shown) not in old:
            apart.setdefault(problem, []).append(user)
    for (what, name), users in apart.items():
        path, _, line = users[0].where.rpartition(":")
        who = some(list(dict.fromkeys(user.shown for user in users)), 5)
        place = f"the app's file first: {path}; then: arcan generate overlays" if users[0].is_app else path
        if _was_there(change, what, name):
            message = f"{what} {name} is taken out, and is used by {who}"
            yield found("ARR108", message, f"take it out of {place}", path, int(line or 0))
        else:
            hint = f"arcan generate overlays --check; the app's file is {path}"
            if not users[0].is_app:
                hint = f"correct it in {path}, or make what it names"
            message = f"{what} {name} is not there, and is named by {who}"
            yield found("ARR107", message, hint, path, int(line or 0))
    yield from _vanishing(change)
    yield from _gone(change)


def _all(
    change: Change, state: State, made: tuple[Made, ...], by_hand: tuple[Written, ...]
) -> Iterator[tuple[_Problem, _User]]:
    for problem, each in _open(state, made):
        yield problem, _User.of(each)
    stores_before = stores(change.base, change.objects, change.written_before)
    for problem, one in open_asks(state, stores_before, by_hand, change.objects):
        yield problem, _User(f"{one} ({one.path})", f"{one.path}:", is_app=False)


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
    if what == "store":
        return name in {
            f"{one.kind} {one.name}" for one in stores(base, change.objects, change.written_before)
        }
    return False


def _vanishing(change: Change) -> Iterator[Finding]:
    """Secrets that are made no longer, and no record says so."""
    old, new = by_place(change.made_before), by_place(change.made_after)
    head = change.head
    said = list(leavings(head.declared.apps, head.declared.departures, head.settings, head.overlays))
    removed = {overlay.name for overlay in head.settings.removed}
    names = {was: now for now, was in renamed(change).items()}
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
        now = names.get(place)
        if leaving or entry or made.overlay in removed:
            if now is not None:
                continue  # which is told of the new name
            yield found(
                "ARR307",
                f"Secret {place} on cluster {place.cluster} goes, as the files say",
                "arcan generate overlays",
                f"{APPS}{made.app}.yaml",
            )
            continue
        instead = "" if now is None else f": it is called {now.name} now, and no pod that mounts it follows"
        yield found(
            "ARR109",
            f"Secret {place} on cluster {place.cluster}, of app {made.app}, vanishes, and nothing says "
            f"so{instead}",
            f"arcan app remove {made.app}; or say in its file where it was: 'left', or 'removed' at the "
            "Secret",
            f"{APPS}{made.app}.yaml",
        )


def _holds(place: object, secret: SecretPlace) -> bool:
    if isinstance(place, ManyNamespaces):
        return place.labels is not None or secret.namespace in map(str, place.names)
    return str(place) == secret.namespace


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
