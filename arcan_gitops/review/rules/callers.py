"""Tokens, accounts, and the clusters whose signatures count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from arcan_gitops.access import format_time
from arcan_gitops.errors import some
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.made import Made
from arcan_gitops.review.readers import Caller, Kind
from arcan_gitops.review.state import CLUSTERS

# stand for what is to come: a scope that holds them is open to it
_LATER: Final = ("an-environment-to-come", "A_KEY_TO_COME")


def callers(change: Change) -> Iterator[Finding]:
    """What each may read before and after, and what decides who it is."""
    old, new = change.callers_before, change.callers_after
    for name in sorted(new):
        if name not in old:
            yield _new(change, new[name])
        else:
            yield from _changed(change, old[name], new[name])
    for name in sorted(old.keys() - new.keys()):
        yield from _gone(change, old[name])
    yield from _ended(change)
    yield from _clusters(change)
    yield from _wide(change)


def _rule(caller: Caller) -> str:
    return "ARR203" if caller.kind is Kind.TOKEN else "ARR204"


def _places(change: Change, realm: str) -> list[tuple[str, str]]:
    """(environment, key) of all that the realm has, and what is to come."""
    found = [
        (environment, key)
        for of, environment in change.environments()
        if of == realm
        for state in (change.base, change.head)
        for key in state.keys(realm, environment)
    ]
    environments = dict.fromkeys(environment for environment, _ in found)
    return [*dict.fromkeys(found), *((each, _LATER[1]) for each in environments), _LATER]


def _shown(pairs: list[tuple[str, str]]) -> str:
    by_environment: dict[str, list[str]] = {}
    for environment, key in pairs:
        by_environment.setdefault(environment, []).append(key)
    later = by_environment.pop(_LATER[0], None)
    texts = []
    for environment, keys in by_environment.items():
        known = [key for key in keys if key != _LATER[1]]
        what = some(known, 4) if known else ""
        if _LATER[1] in keys:
            what = "all keys" if not known or len(known) > 4 else f"{what} and keys to come"
        texts.append(f"{environment}: {what}")
    if later:
        texts.append("environments to come")
    return some(texts, 6, between="; ")


def _new(change: Change, caller: Caller) -> Finding:
    reads = [pair for pair in _places(change, caller.realm) if caller.reads(*pair)]
    same = [other for other in change.callers_before.values() if _is_next(other, caller)]
    how = f"another '{caller.name}' is there" if same else "is new"
    ends = "" if caller.expires is None else f", until {format_time(caller.expires)}"
    ends = ends or ("" if caller.kind is Kind.ACCOUNT else ", and never ends")
    return found(
        _rule(caller),
        f"realm {caller.realm}: {caller} {how}: it may read {_shown(reads) or 'nothing yet'}{ends}",
        f"arcan {caller.kind} list {'--realm=' + caller.realm}",
        caller.path,
    )


def _is_next(other: Caller, caller: Caller) -> bool:
    return (other.kind, other.realm, other.name) == (caller.kind, caller.realm, caller.name)


def _changed(change: Change, old: Caller, new: Caller) -> Iterator[Finding]:
    gained = [pair for pair in _places(change, new.realm) if new.reads(*pair) and not old.reads(*pair)]
    said = []
    if gained:
        said.append(f"may read {_shown(gained)}, and might not before")
    elif new.scope.all_keys and not old.scope.all_keys:
        said.append("may read everything at once, and might not before")
    if old.expires is not None and (new.expires is None or new.expires > old.expires):
        until = "for ever" if new.expires is None else f"until {format_time(new.expires)}"
        said.append(f"lives {until}, and ended {format_time(old.expires)}")
    if new.digest != old.digest:
        said.append("has another digest: another text opens the realm by this entry")
    if old.uid is not None and new.uid != old.uid:
        said.append("is another life of the account, or any")
    for what in said:
        yield found(
            _rule(new),
            f"realm {new.realm}: {new} {what}",
            f"if that is meant, nothing; else: {change.restore(new.path)}",
            new.path,
        )
    lost = [pair for pair in _places(change, new.realm) if old.reads(*pair) and not new.reads(*pair)]
    if lost:
        yield found(
            "ARR313",
            f"realm {new.realm}: {new} may no more read {_shown(lost)}",
            "arcan generate overlays --check",
            new.path,
        )


def _used_by(caller: Caller, by: Sequence[Made]) -> list[str]:
    return [
        f"{made.place} on {made.place.cluster} (app {made.app})"
        for made in by
        if made.realm == caller.realm and made.reader == caller.name
    ]


def _gone(change: Change, caller: Caller) -> Iterator[Finding]:
    left = [other for other in change.callers_after.values() if _is_next(other, caller)]
    users = _used_by(caller, change.made_after)
    if users and not left:
        yield found(
            "ARR108",
            f"realm {caller.realm}: {caller} is taken out, and these read by it: {some(users, 5)}",
            f"{change.restore(caller.path)}; first give the apps another, then take it out",
            caller.path,
        )
    else:
        yield found(
            "ARR313",
            f"realm {caller.realm}: {caller} may read nothing any more",
            f"arcan who-can-read {caller.realm}",
            caller.path,
        )


def _ended(change: Change) -> Iterator[Finding]:
    """By name: of several tokens with one name, one that lives is enough."""
    lives = {(c.realm, c.name) for c in change.callers_after.values() if not c.ended(change.now)}
    told = set()
    for caller in sorted(change.callers_after.values()):
        name = (caller.realm, caller.name)
        if name in lives or name in told or caller.kind is not Kind.TOKEN:
            continue
        before = change.callers_before.get((caller.kind, caller.realm, caller.id))
        was_so = before is not None and before.expires == caller.expires
        users = [
            user
            for user in _used_by(caller, change.made_after)
            if not was_so or user not in _used_by(caller, change.made_before)
        ]
        if users:
            told.add(name)
            assert caller.expires is not None
            yield found(
                "ARR110",
                f"realm {caller.realm}: {caller} ended {format_time(caller.expires)}, and is read by: "
                f"{some(users, 5)}",
                f"arcan token rotate {caller.id}",
                caller.path,
            )


def _clusters(change: Change) -> Iterator[Finding]:
    old, new = change.base.clusters, change.head.clusters
    for name in sorted(new):
        path = f"{CLUSTERS}{name}.yaml"
        known = {key.thumbprint for key in old[name].keys} if name in old else set()
        more = [key.thumbprint[:12] for key in new[name].keys if key.thumbprint not in known]
        whose = [
            f"{c.name} of realm {c.realm}"
            for c in change.callers_after.values()
            if c.name.startswith(f"{name}/")
        ]
        reads = f"; it decides who is: {some(whose, 4)}" if whose else ""
        if more:
            what = "is known from now on" if name not in old else "signs with keys that are new"
            yield found(
                "ARR205",
                f"cluster {name} {what} ({some(more, 4)}){reads}",
                f"compare with the cluster's own: arcan cluster add {name}",
                path,
            )
        if name in old and new[name].issuer != old[name].issuer:
            yield found(
                "ARR205",
                f"cluster {name} has another issuer{reads}",
                f"compare with the cluster's own: arcan cluster add {name}",
                path,
            )
    for name in sorted(old.keys() - new.keys()):
        users = [c.name for c in change.callers_after.values() if c.name.startswith(f"{name}/")]
        if users:
            yield found(
                "ARR108",
                f"cluster {name} is taken out, and these accounts are of it: {some(users, 5)}",
                change.restore(f"{CLUSTERS}{name}.yaml"),
                f"{CLUSTERS}{name}.yaml",
            )


def _wide(change: Change) -> Iterator[Finding]:
    """Callers that this branch touches and that can read more than is read by them."""
    for name, caller in sorted(change.callers_after.items()):
        old = change.callers_before.get(name)
        if old is not None and old.scope == caller.scope:
            continue
        mine = [m for m in change.made_after if m.realm == caller.realm and m.reader == caller.name]
        unused = [
            (environment, key)
            for environment, key in _places(change, caller.realm)
            if caller.reads(environment, key)
            and not any(m.takes(caller.realm, environment, key) for m in mine)
        ]
        if unused:
            yield found(
                "ARR310",
                f"realm {caller.realm}: {caller} can read what no declared app reads by it: {_shown(unused)}",
                "arcan token sync --narrow",
                caller.path,
            )
