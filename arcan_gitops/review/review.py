"""A review: two states are read, every rule looks at them, and what it comes to is said in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from arcan_gitops.errors import counted, some
from arcan_gitops.git import LoggedCommit
from arcan_gitops.review.change import Change, found
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.following import FOLLOWS, Fate, Following, following
from arcan_gitops.review.history import History
from arcan_gitops.review.objects import Objects, Tree
from arcan_gitops.review.rules.apps import apps
from arcan_gitops.review.rules.callers import callers
from arcan_gitops.review.rules.clear import clear
from arcan_gitops.review.rules.foreign import foreign
from arcan_gitops.review.rules.guards import guards
from arcan_gitops.review.rules.keys import KeyChange, What, key_changes, keys
from arcan_gitops.review.rules.realms import realms
from arcan_gitops.review.rules.recipients import recipients
from arcan_gitops.review.rules.references import references
from arcan_gitops.review.rules.sealed import sealed
from arcan_gitops.review.rules.sending import sending
from arcan_gitops.review.state import state_of

_RULES: Final[tuple[Callable[[Change], Iterator[Finding]], ...]] = (
    sealed,
    clear,
    references,
    foreign,
    recipients,
    callers,
    apps,
    sending,
    realms,
    guards,
    keys,
)


@dataclass(frozen=True, slots=True)
class Review:
    """What a branch comes to. `keys` are the keys that change, `secrets` what becomes of the
    Kubernetes Secrets that it concerns.
    """

    base: str
    head: str
    branch: str
    findings: tuple[Finding, ...]
    keys: tuple[KeyChange, ...]
    secrets: tuple[Following, ...]
    change: Change

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind is kind)

    def fails(self, fail_on: str) -> bool:
        """Whether the exit status is 1: `broken`, `gain` (those too), or `none`."""
        kinds = {"broken": (Kind.BROKEN,), "gain": (Kind.BROKEN, Kind.GAIN)}.get(fail_on, ())
        return any(finding.kind in kinds for finding in self.findings)

    @property
    def sentence(self) -> str:
        """All of it in one: `1 secret changes in production/prod; 2 Kubernetes Secrets on 3 clusters follow;
        nobody gains access`.
        """
        return "; ".join(_sentence(self))

    def with_findings(self, more: Iterable[Finding]) -> Review:
        """With what other checks found, in the order of kinds."""
        return replace(self, findings=ordered([*self.findings, *more]))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By kind, then by rule and place. What two say of one place in the same words is told by the first."""
    told: dict[tuple[Kind, str, int, str], Finding] = {}
    for finding in findings:
        told.setdefault((finding.kind, finding.path, finding.line, finding.message), finding)
    return tuple(sorted(told.values(), key=lambda f: (f.rule.id, f.path, f.line, f.message)))


def review(
    base: Tree,
    head: Tree,
    objects: Objects,
    commits: Sequence[LoggedCommit],
    reached: Sequence[str],
    branch: str,
    now: datetime,
) -> Review:
    """Compare two trees. `commits` are those of the branch, `reached` the commits whose history counts."""
    before, after = state_of(base, objects), state_of(head, objects, base)
    history = History()
    if before.tree.files != after.tree.files:
        history = History.of(objects, reached)
    change = Change.of(before, after, objects, history, commits, now)
    findings = [finding for rule in _RULES for finding in rule(change)]
    findings += _unseen(change)
    changes = key_changes(change)
    return Review(
        base=str(base),
        head=str(head),
        branch=branch,
        findings=ordered(findings),
        keys=changes,
        secrets=following(change, changes, findings),
        change=change,
    )


def _unseen(change: Change) -> Iterator[Finding]:
    if change.history.shallow:
        yield found(
            "ARR314",
            "the clone is shallow: values and MACs that come from before it are not recognised",
            "git fetch --unshallow; in a workflow: fetch-depth: 0",
        )
    if change.history.unseen:
        yield found(
            "ARR314",
            f"{change.history.unseen} older versions of documents are not here (a partial clone)",
            "git fetch --refetch --no-filter origin",
        )
    files = change.head.tree.files
    large = sorted(
        path for path in change.paths if path in files and files[path].blob in change.objects.unseen
    )
    if large:
        yield found(
            "ARR314",
            f"not looked into, for they are too large or not here: {some(large, 5)}",
            "keep such files out of this repository",
            large[0],
        )


def _sentence(review: Review) -> Iterator[str]:
    broken, gains = review.of(Kind.BROKEN), review.of(Kind.GAIN)
    if broken:
        yield f"{counted(len(broken), 'thing')} would break"
    counts = Counter(each.what for each in review.keys)
    said = []
    if changed := counts[What.CHANGED]:
        said.append(f"{counted(changed, 'secret')} {'changes' if changed == 1 else 'change'}")
    for what in (What.NEW, What.GONE, What.RENAMED, What.ANEW):
        if number := counts[what]:
            said.append(f"{number if said else counted(number, 'secret')} {what}")
    if said:
        places = list(dict.fromkeys(str(each.place) for each in review.keys))
        yield f"{', '.join(said)} in {some(places, 2)}"
    else:
        yield "no secret changes"
    fates = [each.fate for each in review.secrets]
    if follow := [each for each in review.secrets if each.fate in FOLLOWS]:
        clusters = {each.place.cluster for each in follow}
        verb = "follows" if len(follow) == 1 else "follow"
        yield f"{counted(len(follow), 'Kubernetes Secret')} on {counted(len(clusters), 'cluster')} {verb}"
    if perhaps := fates.count(Fate.MAY_CHANGE):
        yield f"{counted(perhaps, 'Kubernetes Secret')} may change, which only the key can tell"
    if stay := fates.count(Fate.STAYS):
        yield f"{counted(stay, 'Kubernetes Secret')} {'stays' if stay == 1 else 'stay'} behind"
    yield "nobody gains access" if not gains else f"{counted(len(gains), 'gain')} to agree to"
