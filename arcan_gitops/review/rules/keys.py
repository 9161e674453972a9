"""The keys of realms: new, gone, renamed, changed; what uses them; how old they were."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from arcan_gitops.errors import some
from arcan_gitops.review.change import Change, Changed, found
from arcan_gitops.review.documents import Place
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.history import is_rekeyed
from arcan_gitops.review.made import Made


class What(StrEnum):
    """What became of a key."""

    NEW = "new"
    GONE = "gone"
    RENAMED = "renamed"
    CHANGED = "changed"
    ANEW = "encrypted anew"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key of one environment. `old` is its former name; `since` when the former value was written (Unix
    seconds, 0 where that is not known); `same_in` are the environments in which it stays as it is.
    """

    realm: str
    environment: str
    key: str
    what: What
    path: str
    old: str = ""
    since: int = 0
    same_in: tuple[str, ...] = ()
    secrets: tuple[Made, ...] = ()

    @property
    def place(self) -> Place:
        """Its environment."""
        return Place(self.realm, self.environment)


def key_changes(change: Change) -> tuple[KeyChange, ...]:
    """All of them, in the order of their documents."""
    return tuple(one for parts in _by_environment(change) for one in _of(change, parts))


def _by_environment(change: Change) -> list[list[Changed]]:
    """The documents that differ and can be read."""
    touched: dict[tuple[str, str], list[Changed]] = {}
    for each in change.documents:
        if each.path not in change.head.problems:
            touched.setdefault((each.place.realm, each.place.environment), []).append(each)
    return list(touched.values())


def _of(change: Change, parts: Sequence[Changed]) -> Iterator[KeyChange]:
    realm, environment = parts[0].place.realm, parts[0].place.environment
    old, new = change.base.keys(realm, environment), change.head.keys(realm, environment)
    anew = {key for each in _rotated(change, parts) if each.after is not None for key in each.after.keys}
    files = {
        key: each.path for each in parts for d in (each.before, each.after) if d is not None for key in d.keys
    }
    gone, made = [key for key in old if key not in new], [key for key in new if key not in old]
    renamed = _renamed(old, new, gone, made)
    for key in [*new, *(key for key in gone if key not in renamed.values())]:
        if old.get(key) == new.get(key):
            continue
        what = What.GONE if key not in new else What.CHANGED if key in old else What.NEW
        if key in renamed:
            what = What.RENAMED
        elif what is What.CHANGED and key in anew:
            what = What.ANEW
        path = files.get(key, parts[0].path)
        yield KeyChange(
            realm,
            environment,
            key,
            what,
            path,
            renamed.get(key, ""),
            _since(change, path, renamed.get(key, key), old) if key in old or key in renamed else 0,
            tuple(_same_in(change, realm, environment, key)),
            tuple(_users(change, realm, environment, key)),
        )


def _rotated(change: Change, parts: Sequence[Changed]) -> list[Changed]:
    """The documents of one environment that have a new data key, with every value encrypted anew. Of files of
    one key those that share it: one alone is what anybody makes who sets a value.
    """
    rekeyed = [
        (each, each.after.wrapped)
        for each in parts
        if each.before is not None and each.after is not None and is_rekeyed(each.before, each.after)
    ]
    if all(each.place.key is None for each, _ in rekeyed):
        return [each for each, _ in rekeyed]
    place = rekeyed[0][0].place
    known = {text for d in change.base.of(place.realm, place.environment).values() for text in d.wrapped}
    shared = Counter(text for _, wrapped in rekeyed for text in wrapped - known)
    return [
        each
        for each, wrapped in rekeyed
        if each.place.key is None or any(shared[text] > 1 for text in wrapped)
    ]


def _renamed(
    old: Mapping[str, str], new: Mapping[str, str], gone: Sequence[str], made: Sequence[str]
) -> dict[str, str]:
    """New name -> old one, where as many keys are new as are gone between the same neighbours."""
    were = _between(old, set(gone))
    found: dict[str, str] = {}
    for neighbours, names in _between(new, set(made)).items():
        others = were.get(neighbours, [])
        if len(others) == len(names):
            found.update(zip(names, others, strict=True))
    return found


def _between(keys: Iterable[str], apart: Set[str]) -> dict[tuple[str, str], list[str]]:
    """The keys that are `apart`, by the ones that stay before and after them."""
    found: dict[tuple[str, str], list[str]] = {}
    before, run = "", list[str]()
    for key in [*keys, ""]:
        if key in apart:
            run.append(key)
            continue
        if run:
            found[before, key] = run
        before, run = key, []
    return found


def _since(change: Change, path: str, key: str, old: Mapping[str, str]) -> int:
    """When the value of the base was written: the oldest version in a row that has its ciphertext."""
    since = 0
    for version, then in change.history.documents(path, change.objects):
        if version.commit.id in change.own:
            continue
        if then.keys.get(key) != old[key]:
            break
        since = version.commit.time
    return since


def _same_in(change: Change, realm: str, environment: str, key: str) -> Iterator[str]:
    for other in change.head.environments(realm):
        digest = change.head.keys(realm, other).get(key)
        if other != environment and digest is not None and change.base.keys(realm, other).get(key) == digest:
            yield other


def _users(change: Change, realm: str, environment: str, key: str) -> Iterator[Made]:
    after = [made for made in change.made_after if made.takes(realm, environment, key)]
    yield from after or (made for made in change.made_before if made.takes(realm, environment, key))


def keys(change: Change) -> Iterator[Finding]:
    """Notes of each kind of change, and what breaks by one."""
    changes = key_changes(change)
    for what, rule, says in (
        (What.NEW, "ARR301", "new"),
        (What.GONE, "ARR302", "gone"),
        (What.CHANGED, "ARR304", "changed"),
    ):
        for place, mine in _by_place(changes, what).items():
            names = some([each.key for each in mine], 8)
            next_ = f"arcan who-can-read {place.realm} {shlex.quote(mine[0].key)} --env {place.environment}"
            if what is What.GONE:
                next_ = (
                    f"arcan generate overlays --check; why: realms/{place.realm}/removed/{place.environment}/"
                )
            yield found(rule, f"{place}: {says}: {names}", next_, mine[0].path)
    for each in changes:
        yield from _one(change, each)
    for parts in _by_environment(change):
        files = [each for each in _rotated(change, parts) if each.place.key is not None]
        if files:
            place = Place(files[0].place.realm, files[0].place.environment)
            yield found(
                "ARR216",
                f"{place}: {len(files)} files have a new data key, and their values are encrypted anew: only "
                "the key can tell a rotation from values that somebody made up",
                "with the key: arcan gate",
                files[0].path,
            )
        told = {each.path for each in files}
        for each_document in parts:
            if each_document.path not in told:
                yield from _own_key(change, each_document)


def _by_place(changes: Sequence[KeyChange], what: What) -> dict[Place, list[KeyChange]]:
    found: dict[Place, list[KeyChange]] = {}
    for each in changes:
        if each.what is what:
            found.setdefault(each.place, []).append(each)
    return found


def _one(change: Change, each: KeyChange) -> Iterator[Finding]:
    place, key = each.place, each.key
    if each.what is What.RENAMED:
        yield found(
            "ARR303",
            f"{place}: {each.old} is called {key} now",
            "have the apps name it so; then: arcan generate overlays",
            each.path,
        )
    if each.what is What.GONE:
        settings = change.head.realm_settings.get(place.realm)
        recorded = settings is not None and settings.recorded
        if recorded and not change.head.removal(place.realm, place.environment, key):
            yield found(
                "ARR122",
                f"{place}: {key} is gone, and no record says that it was meant: the server refuses it (409, "
                "or 503 where a manifest names a version), and no Secret that holds it syncs",
                f"{change.restore(each.path)} && arcan secret unset {place.realm} {shlex.quote(key)} --env "
                f"{place.environment}",
                each.path,
            )
    if each.what in (What.CHANGED, What.ANEW):
        age = ""
        if each.since:
            days = (change.now - datetime.fromtimestamp(each.since, UTC)).days
            age = f"the value of before was {max(0, days)} day(s) old"
        same = f"unchanged in {some(list(each.same_in))}" if each.same_in else ""
        if age or same:
            yield found(
                "ARR311",
                f"{place} {key}: {' and '.join(filter(None, [age, same]))}",
                f"arcan secret list {place.realm} --env {place.environment}",
                each.path,
            )
    if each.what is What.NEW and not each.secrets:
        yield found(
            "ARR309",
            f"{place}: no declared app uses {key}",
            f"name it in an app of kustomize/apps, or: arcan secret unset {place.realm} {shlex.quote(key)} "
            f"--env {place.environment}",
            each.path,
        )


def _own_key(change: Change, each: Changed) -> Iterator[Finding]:
    """A file of one key with a data key of its own: made without being able to read anything."""
    before, after = each.before, each.after
    if each.place.key is None or after is None or (before is not None and before.sealed == after.sealed):
        return
    if before is not None and not is_rekeyed(before, after):
        return
    by = _made_by(change, each.path)
    yield found(
        "ARR306",
        f"{each.place}: has a data key of its own{by}: nobody who can read has vouched for this value",
        f"with the key: arcan secret get {each.place.realm} {each.place.key} --env {each.place.environment}",
        each.path,
    )


def _made_by(change: Change, path: str) -> str:
    name = f"{change.objects.git.folder}{path}"
    for commit in change.commits:
        if name in commit.files:
            signed = "signed" if change.objects.git.is_signed(commit.id) else "not signed"
            return f" (commit {commit.id[:12]} by {commit.committer}, {signed})"
    return ""
