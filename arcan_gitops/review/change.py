"""A branch: what was, what would be, and how both came to be. What all rules look at."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from arcan_gitops.git import Entry, LoggedCommit
from arcan_gitops.review.documents import Document, Place
from arcan_gitops.review.findings import RULES, Finding
from arcan_gitops.review.history import History
from arcan_gitops.review.made import Made, SecretPlace, made_by
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.readers import Caller, Kind, callers
from arcan_gitops.review.state import State
from arcan_gitops.review.written import Written, written


@dataclass(frozen=True, slots=True)
class Changed:
    """A document of both states, or of one."""

    place: Place
    path: str
    before: Document | None
    after: Document | None


@dataclass(frozen=True, slots=True)
class Change:
    """`commits` are those of the branch, newest first; of the work tree those that are committed."""

    base: State
    head: State
    objects: Objects
    history: History
    commits: Sequence[LoggedCommit]
    now: datetime
    made_before: tuple[Made, ...] = field(default=())
    made_after: tuple[Made, ...] = field(default=())
    callers_before: Mapping[tuple[Kind, str, str], Caller] = field(default_factory=dict)
    callers_after: Mapping[tuple[Kind, str, str], Caller] = field(default_factory=dict)
    documents: tuple[Changed, ...] = ()
    written_before: tuple[Written, ...] = ()  # what nothing generated, of ESO and Argo CD
    written_after: tuple[Written, ...] = ()
    own: frozenset[str] = frozenset()  # the ids of `commits`
    paths: tuple[str, ...] = ()  # the files that differ, sorted

    @classmethod
    def of(
        cls,
        base: State,
        head: State,
        objects: Objects,
        history: History,
        commits: Sequence[LoggedCommit],
        now: datetime,
    ) -> Change:
        """With all that several rules ask for."""
        return cls(
            base=base,
            head=head,
            objects=objects,
            history=history,
            commits=commits,
            now=now,
            made_before=made_by(base),
            made_after=made_by(head),
            callers_before=callers(base),
            callers_after=callers(head),
            written_before=written(base, objects),
            written_after=written(head, objects),
            documents=tuple(_changed(base, head)),
            own=frozenset(commit.id for commit in commits),
            paths=tuple(_differing(base.tree.files, head.tree.files)),
        )

    def data(self, path: str) -> bytes | None:
        """The content of a file of `head`."""
        entry = self.head.tree.files.get(path)
        return None if entry is None else self.objects.data(entry.blob)

    @property
    def rules_changed(self) -> bool:
        """Whether the branch changes for whom documents are to be encrypted."""
        old, new = self.base, self.head
        files = (old.tree.files.get(old.config_path), new.tree.files.get(new.config_path))
        return old.config_path != new.config_path or files[0] != files[1]

    def restore(self, path: str) -> str:
        """The command that gives a file its content of the base."""
        commit = self.base.tree.commit
        return f"git checkout {commit[:12] if commit else 'HEAD'} -- {shlex.quote(path.lstrip('/'))}"

    def environments(self) -> list[tuple[str, str]]:
        """(realm, environment) of both states, sorted."""
        return sorted(self.base.index.keys() | self.head.index.keys())


def _differing(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> list[str]:
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


def _changed(base: State, head: State) -> Iterator[Changed]:
    for place in sorted(base.paths.keys() | head.paths.keys(), key=str):
        old, new = base.paths.get(place), head.paths.get(place)
        if old is not None and base.tree.files[old] == head.tree.files.get(old):
            continue
        before, after = base.documents.get(place), head.documents.get(place)
        if before is not after:
            yield Changed(place, new or old or "", before, after)


def found(rule: str, message: str, next: str, path: str = "", line: int = 0) -> Finding:
    """A finding of the rule with an id."""
    return Finding(RULES[rule], message, next, path, line)


def by_place(made: Sequence[Made]) -> dict[SecretPlace, list[Made]]:
    """The Secrets by where they are; two apps may make one."""
    places: dict[SecretPlace, list[Made]] = {}
    for each in made:
        places.setdefault(each.place, []).append(each)
    return places


def renamed(change: Change) -> dict[SecretPlace, SecretPlace]:
    """New place -> old one: a Secret of the same app, place and entries, under another name. Only where one
    alone fits.
    """
    old, new = by_place(change.made_before), by_place(change.made_after)
    gone = [(_likeness(old[place][0]), place) for place in old.keys() - new.keys()]
    come = [(_likeness(new[place][0]), place) for place in new.keys() - old.keys()]
    number = Counter(alike for alike, _ in (*gone, *come))
    were = dict(gone)
    return {place: were[alike] for alike, place in come if alike in were and number[alike] == 2}


def _likeness(made: Made) -> object:
    keys = None if made.keys is None else tuple(sorted(made.keys.items()))
    at = made.place
    return (
        made.app,
        made.overlay,
        at.cluster,
        at.namespace,
        made.realm,
        made.environment,
        made.store,
        keys,
        made.type,
    )


def where(place: Place) -> str:
    """The arguments that name a document to commands: `production --env prod`."""
    return f"{place.realm} --env {place.environment}"
