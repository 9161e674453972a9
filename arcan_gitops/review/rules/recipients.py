"""Who can open documents: recipients that come, that leave, that nobody but they are."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.errors import ArcanError, some
from arcan_gitops.realms.recipients import Drift, key_drift_of
from arcan_gitops.realms.sops_config import SopsConfig, recipient_id
from arcan_gitops.review.change import Change, Changed, found, where
from arcan_gitops.review.documents import Document, Place
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.history import is_rekeyed
from arcan_gitops.review.readers import name_of
from arcan_gitops.review.state import State


def recipients(change: Change) -> Iterator[Finding]:
    """Of the documents that differ, and of the rules for all."""
    for each in change.documents:
        if each.after is None:
            continue
        if each.before is None:
            yield from _new(change, each, each.after)
        else:
            yield from _changed(change, each, each.before, each.after)
    yield from _rules(change)
    yield from _drift(change)


def _named(change: Change, names: list[str]) -> str:
    return some([name_of(name, change.base, change.head) for name in names])


def _new(change: Change, each: Changed, after: Document) -> Iterator[Finding]:
    """A document that is new: those count who open nothing yet."""
    sibling = change.base.of(each.place.realm, each.place.environment)
    others = sibling or change.base.documents
    mine = {name for document in others.values() for name in document.recipients}
    if gained := [name for name in after.recipients if name not in mine]:
        yield found(
            "ARR201",
            f"{each.place}: {_named(change, gained)} can open this new document, and opened none like "
            "it before",
            f"arcan who-can-read {each.place.realm} --env {each.place.environment}",
            each.path,
        )
    if len(after.recipients) == 1:
        yield _alone(change, each)


def _alone(change: Change, each: Changed) -> Finding:
    hint = "name a break-glass recipient in .sops.yaml, and: arcan realm updatekeys " + where(each.place)
    if change.rules_changed:  # this branch's rule may name whom nobody has agreed to
        hint = (
            "first have the owners agree to the rule, which this branch changes, with a break-glass recipient"
        )
    return found(
        "ARR111",
        f"{each.place}: has one recipient: when that identity is lost, nothing opens it",
        hint,
        each.path,
    )


def _changed(change: Change, each: Changed, before: Document, after: Document) -> Iterator[Finding]:
    gained = [name for name in after.recipients if name not in before.recipients]
    left = [name for name in before.recipients if name not in after.recipients]
    if gained:
        yield found(
            "ARR201",
            f"{each.place}: {_named(change, gained)} can open all of it: {some(list(after.keys))}",
            f"if that is meant, nothing; else: {change.restore(each.path)}",
            each.path,
        )
    fewer = after.needed < before.needed or (before.needed > 1 and len(after.groups) != len(before.groups))
    if fewer:
        yield found(
            "ARR201",
            f"{each.place}: {after.needed} key group(s) open it now, where {before.needed} had to",
            f"if that is meant, nothing; else: {change.restore(each.path)}",
            each.path,
        )
    if left and not is_rekeyed(before, after):
        yield found(
            "ARR116",
            f"{each.place}: {_named(change, left)} left, and the data key is the one that they know: "
            "what they "
            "have of it opens every value that is written from now on",
            f"arcan realm rotate {where(each.place)}; then change the values themselves",
            each.path,
        )
    elif left:
        yield found(
            "ARR313",
            f"{each.place}: {_named(change, left)} can open it no more, and may know the values of before",
            f"arcan who-can-read {each.place.realm} --env {each.place.environment}",
            each.path,
        )
    if len(after.recipients) == 1 < len(before.recipients):
        yield _alone(change, each)
    if not gained and not left and before.wrapped != after.wrapped and before.sealed == after.sealed:
        yield found(
            "ARR305",
            f"{each.place}: its data key is only wrapped anew, for the same recipients",
            f"arcan realm recipients {each.place.realm}",
            each.path,
        )


def _rules(change: Change) -> Iterator[Finding]:
    """What `.sops.yaml` says of each document, before and after; and names in it that are new."""
    if not change.rules_changed:
        return
    path = change.head.config_path or change.base.config_path
    if not change.head.config_path:
        yield found(
            "ARR202",
            f"{path} is gone: nothing says any more for whom documents are encrypted",
            change.restore(path),
            path,
        )
        return
    gained: dict[str, list[str]] = {}
    for place in sorted(change.head.paths.keys() | change.base.paths.keys(), key=str):
        file = change.head.paths.get(place) or change.base.paths[place]
        old, new = _wanted(change.base, file), _wanted(change.head, file)
        for name in new or () if old is not None or place in change.base.paths else ():
            if name not in (old or ()):
                gained.setdefault(name, []).append(str(Place(place.realm, place.environment)))
    for name, places in gained.items():
        yield found(
            "ARR202",
            f"{path}: {_named(change, [name])} is named for {some(list(dict.fromkeys(places)))}, "
            "and was not before",
            "its owners decide; what is written by this rule from now on opens to them",
            path,
        )
    known = _all(change.base.config)
    strangers = [name for name in _all(change.head.config) if name not in known and name not in gained]
    if strangers:
        yield found(
            "ARR202",
            f"{path}: {_named(change, strangers)} is named, and no rule named them before",
            "its owners decide; no document is encrypted for them yet",
            path,
        )


def _wanted(state: State, path: str) -> tuple[str, ...] | None:
    try:
        rule = state.rule_for(path)
    except ArcanError:
        return None
    return None if rule is None else tuple(map(recipient_id, rule.age))


def _all(config: SopsConfig | None) -> list[str]:
    rules = config.rules if config is not None else ()
    return list(dict.fromkeys(recipient_id(name) for rule in rules for name in rule.age))


def _drift(change: Change) -> Iterator[Finding]:
    """Documents that are not as their rule: only where this branch made them so."""
    differing = {each.place for each in change.documents}
    places = change.head.paths if change.rules_changed else differing & change.head.paths.keys()
    for place in sorted(places, key=str):
        document, path = change.head.documents.get(place), change.head.paths[place]
        if document is None:
            continue
        differs = _differs(change.head, path, document)
        before = change.base.documents.get(place)
        if not differs or (before is not None and _differs(change.base, path, before) == differs):
            continue
        if change.rules_changed:
            hint = (
                "first have the owners agree to the rule, which this branch changes; "
                "or take that change back: " + change.restore(change.base.config_path)
            )
        else:
            hint = f"arcan realm updatekeys {where(place)}"
        yield found("ARR118", f"{place}: {_told(change, differs)}", hint, path)


def _told(change: Change, differs: Drift | str) -> str:
    if isinstance(differs, str):
        return differs
    parts = [f"lacks {_named(change, list(differs.lacking))}"] if differs.lacking else []
    parts += (
        [f"has {_named(change, list(differs.surplus))}, whom the rule does not name"]
        if differs.surplus
        else []
    )
    return "; ".join([*parts, *filter(None, [differs.grouping, differs.threshold])])


def _differs(state: State, path: str, document: Document) -> Drift | str | None:
    if state.config is None:
        return None
    try:
        rule = state.rule_for(path)
    except ArcanError:
        return None  # that is a problem of the file of rules, and told so
    if rule is None:
        return f"no rule of {state.config_path} is for it"
    return key_drift_of(document.groups, document.needed, rule) or None
