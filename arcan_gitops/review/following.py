"""What becomes of each Kubernetes Secret once a branch is merged: by what Argo CD applies, what the server
answers, and what ESO then writes.

Three facts decide. The server refuses what is broken, and goes on with its last good state of it. A pinned
Secret changes only with its manifest, which names the versions of its keys. ESO leaves a Secret as it is
while a part of it cannot be read. Measured with all three: tests/e2e/story_argocd_review.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import zip_longest
from typing import Final

from arcan_gitops.overlay.app import Consistency
from arcan_gitops.review.change import Change, by_place
from arcan_gitops.review.documents import Place, place_of
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.made import Made, SecretPlace
from arcan_gitops.review.objects import Tree
from arcan_gitops.review.rules.keys import KeyChange, What
from arcan_gitops.review.state import OVERLAYS

# of a document: the server does not load it
_REFUSED: Final = ("ARR101", "ARR102", "ARR104", "ARR105", "ARR106")
_FOREIGN: Final = "ARR215"  # refused where it is bound to its place
_NOT_OURS: Final = ("Merge", "CreateOrMerge", "Orphan")  # such a Secret outlives its ExternalSecret
_STALE: Final = "its manifest is that of before: arcan generate overlays"
_BROKEN: Final = "the server refuses its document, and goes on with that of before"

# name in the Secret -> realm, environment, key, digest of the key's ciphertext
_Entries = dict[str, tuple[str, str, str, str]]


class Fate(StrEnum):
    """What becomes of a Secret. MAY_CHANGE: its values are encrypted anew, and only the key tells whether one
    of them is another. STAYS: it would change, and something keeps it as it is.
    """

    MADE = "made"
    CHANGED = "changed"
    GONE = "gone"
    MAY_CHANGE = "may change"
    STAYS = "stays"


FOLLOWS: Final = (Fate.MADE, Fate.CHANGED, Fate.GONE)


@dataclass(frozen=True, slots=True, order=True)
class Following:
    """A Secret that the branch concerns; `why` it stays, where it does."""

    place: SecretPlace
    app: str
    fate: Fate
    why: str = ""

    def __str__(self) -> str:
        return f"{self.place} on {self.place.cluster}: {self.fate}" + (f" ({self.why})" if self.why else "")


def following(
    change: Change, changes: Sequence[KeyChange], findings: Iterable[Finding]
) -> tuple[Following, ...]:
    """All of them, by place. A Secret that nothing would change is not among them."""
    told = _Fates(change, changes, findings)
    old, new = by_place(change.made_before), by_place(change.made_after)
    found = []
    for place in sorted(old.keys() | new.keys()):
        pairs = zip_longest(_sorted(old.get(place, ())), _sorted(new.get(place, ())))
        fates = [one for one in (told.of(before, after) for before, after in pairs) if one is not None]
        if fates:
            made = (new.get(place) or old[place])[0]
            fate, why = min(fates, key=lambda one: list(Fate).index(one[0]))
            found.append(Following(place, made.app, fate, why))
    return tuple(found)


def _sorted(made: Iterable[Made]) -> list[Made]:
    return sorted(made, key=lambda each: (each.overlay, each.app))


class _Fates:
    def __init__(self, change: Change, changes: Sequence[KeyChange], findings: Iterable[Finding]) -> None:
        self._change = change
        # asked for each Secret, and as large as an environment
        self._old, self._new = cache(change.base.keys), cache(change.head.keys)
        self._served = cache(self._served_of)
        self._refused = frozenset(_refused(change, findings))
        self._manifests = _manifests(change.base.tree), _manifests(change.head.tree)
        # (realm, environment, key) -> the key whose value it has, unless somebody changed that as well
        self._anew = {
            (each.realm, each.environment, each.key): each.old or each.key
            for each in changes
            if each.what in (What.ANEW, What.RENAMED)
        }

    def of(self, before: Made | None, after: Made | None) -> tuple[Fate, str] | None:
        """The fate of one Secret, with the reason where it stays; None where nothing would change it."""
        if after is None:
            return None if before is None else self._gone(before)
        if after.creation == "None":
            return None
        applied = self._is_applied(after)
        if before is None:
            why = self._unread(after) if applied else _STALE
            return (Fate.STAYS, f"is not made: {why}") if why else (Fate.MADE, "")
        return self._changed(before, after, applied=applied)

    def _gone(self, before: Made) -> tuple[Fate, str] | None:
        if before.creation == "None":
            return None
        if not self._is_applied(before):
            return Fate.STAYS, _STALE
        if before.creation in _NOT_OURS:
            return Fate.STAYS, f"creationPolicy is {before.creation}"
        return Fate.GONE, ""

    def _changed(self, before: Made, after: Made, *, applied: bool) -> tuple[Fate, str] | None:
        old = _entries(before, self._old)
        asked, perhaps = self._same_values(after, _entries(after, self._new))
        if (before.shape, old) == (after.shape, asked) and not perhaps:
            return None
        real = after if applied else before
        there = _entries(real, self._served)
        if why := self._kept(before, real):
            return Fate.STAYS, why
        if not applied and (self._is_pinned(real) or real.refresh.startswith("OnChange")):
            return Fate.STAYS, _STALE
        new, _ = self._same_values(real, there)
        if not new and real.deletion == "Delete":
            return Fate.GONE, ""
        if (before.shape, old) != (real.shape, new):
            return Fate.CHANGED, ""
        if perhaps:
            return Fate.MAY_CHANGE, ""
        return Fate.STAYS, _STALE if there == _entries(real, self._new) else _BROKEN

    def _same_values(self, made: Made, entries: _Entries) -> tuple[_Entries, bool]:
        """The entries, with the ciphertexts of before where only the key can tell whether a value is another
        one; and whether there are such.
        """
        if made.realm == "":
            return entries, False
        before = self._old(made.realm, made.environment)
        found, perhaps = dict(entries), False
        for name, (realm, environment, key, digest) in entries.items():
            former = self._anew.get((realm, environment, key))
            if former is not None and former in before and digest != before[former]:
                found[name] = (realm, environment, former, before[former])
                perhaps = True
        return found, perhaps

    def _kept(self, before: Made, real: Made) -> str:
        """Why ESO leaves a Secret that is there as it is; empty where it does not."""
        if before.immutable:
            return "it is immutable"
        if before.type != real.type:
            return "Kubernetes keeps a Secret's type: it must be deleted first"
        if real.refresh.startswith("CreatedOnce"):
            return "refreshPolicy is CreatedOnce"
        return self._unread(real)

    def _unread(self, made: Made) -> str:
        """Why a part of what it asks for cannot be read; empty where all of it can."""
        if not made.realm:
            return ""
        realm, environment = made.realm, made.environment
        if reason := self._shut_out(made):
            return reason
        served, asked = self._served(realm, environment), self._new(realm, environment)
        if made.keys is None:
            return _BROKEN if self._is_pinned(made) and served != asked else ""
        for key in sorted(set(made.keys.values())):
            if key not in served:
                if key in asked:
                    return _BROKEN
                if made.deletion == "Retain" or not self._is_gone(made, key):
                    return f"{key} is not there"
            elif self._is_pinned(made) and served[key] != asked.get(key):
                return _BROKEN
        return ""

    def _shut_out(self, made: Made) -> str:
        """Why the server answers nothing to its store."""
        change = self._change
        known = change.callers_after if made.realm in change.head.tokens else change.callers_before
        mine = [each for each in known.values() if (each.realm, each.name) == (made.realm, made.reader)]
        able = [each for each in mine if not each.ended(change.now)]
        if not able:
            return f"{made.reads} {'has ended' if mine else 'is not there'}"
        if made.keys is None:
            if not any(c.scope.all_keys and c.scope.allows_environment(made.environment) for c in able):
                return f"{made.reads} may not read all keys"
            return ""
        for key in sorted(set(made.keys.values())):
            if not any(each.reads(made.environment, key) for each in able):
                return f"{made.reads} may not read {key}"
        return ""

    def _served_of(self, realm: str, environment: str) -> Mapping[str, str]:
        """The keys that the server has: of what it refuses, those of its last good state."""
        base, head = self._old(realm, environment), self._new(realm, environment)
        if Place(realm, environment) in self._refused:
            return base
        found = dict(head)
        for place in self._refused:
            if (place.realm, place.environment) == (realm, environment) and place.key is not None:
                found.pop(place.key, None)
                if place.key in base:
                    found[place.key] = base[place.key]
        return found

    def _is_gone(self, made: Made, key: str) -> bool:
        """Whether the server says that a key is not there (404), and not that it does not know: to a read
        that names no version, with a record where the realm has them.
        """
        if self._is_pinned(made):
            return False
        recorded = self._is_recorded(made.realm)
        return not recorded or self._change.head.removal(made.realm, made.environment, key)

    def _is_recorded(self, realm: str) -> bool:
        settings = self._change.head.realm_settings.get(realm)
        return settings is not None and settings.recorded

    def _is_pinned(self, made: Made) -> bool:
        """Whether its manifest names versions, as a read of all keys must where removals are recorded."""
        if not made.realm:
            return False
        everything = made.keys is None and self._is_recorded(made.realm)
        return everything or made.consistency == Consistency.PINNED

    def _is_applied(self, made: Made) -> bool:
        """Whether the manifests of its app are others than before. Where none are in Git, somebody makes
        them.
        """
        old, new = self._manifests
        if not old and not new:
            return True
        name = (made.overlay, made.app)
        return old.get(name) != new.get(name)


def _entries(made: Made, keys_of: Callable[[str, str], Mapping[str, str]]) -> _Entries:
    """Where each entry of a Secret comes from, by its name there; what is not there has none."""
    if not made.realm:
        return {name: ("", made.store, key, "") for name, key in (made.keys or {}).items()}
    there = keys_of(made.realm, made.environment)
    wanted = {key: key for key in there} if made.keys is None else made.keys
    return {
        name: (made.realm, made.environment, key, there[key]) for name, key in wanted.items() if key in there
    }


def _refused(change: Change, findings: Iterable[Finding]) -> Iterator[Place]:
    for finding in findings:
        place = place_of(finding.path)
        if place is None:
            continue
        if finding.rule.id in _REFUSED:
            yield place
        elif finding.rule.id == _FOREIGN:
            document = change.head.documents.get(place)
            if document is not None and document.bound:
                yield place
    for path in change.head.problems:
        place = place_of(path)
        if place is not None:
            yield place


def _manifests(tree: Tree) -> dict[tuple[str, str], dict[str, str]]:
    """(overlay, app) -> its manifests, each with the id of its content."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path in tree.below(OVERLAYS):
        parts = path.removeprefix(OVERLAYS).split("/")
        if len(parts) == 4 and parts[2] == "apps":
            app = parts[3].removesuffix(".yaml")
            found.setdefault((parts[0], app), {})[path] = tree.files[path].blob
    return found
