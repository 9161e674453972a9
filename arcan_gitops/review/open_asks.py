"""What ExternalSecrets that people wrote ask for, and what is not there of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from arcan_gitops.review.objects import Objects
from arcan_gitops.review.state import REALMS, State
from arcan_gitops.review.written import Ask, Written, asks, fits, stores, target

_ASKING: Final = ("ExternalSecret", "ClusterExternalSecret")
_OURS: Final = "arcan"  # how the names of our own stores begin


def open_asks(
    state: State, stores_before: Sequence[Written], found: tuple[Written, ...], objects: Objects
) -> Iterator[tuple[tuple[str, str], Written]]:
    """((what, its name), the ExternalSecret), of those that were `found`. A store that asks several
    environments, as those of overlays do together, closes a reference with any of them.

    A store that is nowhere in the repository may be somebody else's: it counts where the base had it, where
    it is called like ours, or where the repository makes stores of this kind.
    """
    asking = [one for one in found if one.kind in _ASKING]
    if not asking:
        return
    known = stores(state, objects, found)
    by_name: dict[tuple[str, str], list[Written]] = {}
    for store in known:
        by_name.setdefault((store.kind, store.name), []).append(store)
    kinds = {store.kind for store in (*known, *stores_before)}
    for one in asking:
        for ask in dict.fromkeys(asks(one)):
            fitting = [store for store in by_name.get((ask.store_kind, ask.store), ()) if fits(store, one)]
            if fitting:
                problem = _missing(state, fitting, ask)
                if problem is not None:
                    yield problem, one
            elif ask.store_kind in kinds or ask.store.startswith(_OURS):
                yield ("store", f"{ask.store_kind} {ask.store}"), one


def _missing(state: State, fitting: Sequence[Written], ask: Ask) -> tuple[str, str] | None:
    """What none of the stores gets an answer for; None where one does, or is not ours."""
    unread = {path.split("/")[1] for path in state.problems if path.startswith(REALMS)}
    missing: list[tuple[str, str]] = []
    for store in fitting:
        asked = target(store, ask)
        if asked is None or asked.realm in unread:
            return None
        where = f"{asked.realm}/{asked.environment}"
        if (asked.realm, asked.environment) not in state.index:
            missing.append(("environment", where))
        elif asked.key and asked.key not in state.keys(asked.realm, asked.environment):
            missing.append(("key", f"{asked.key} of {where}"))
        else:
            return None
    return missing[-1]
