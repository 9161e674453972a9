"""New wrapped keys for documents: `updatekeys` and `rotate`, by groups of files that share a data key.

For whom is decided by `.sops.yaml` alone: nothing authenticates the recipients that a document names. A
document of an environment has a data key of its own. The key files of an environment share one where exactly
the same recipients, groups, threshold and rule are theirs, which is then unwrapped once; files with other
recipients never do, for whoever opens one of them could open all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.editing import OpenDocument
from arcan_gitops.realms.recipients import Drift, drift, metadata_of
from arcan_gitops.realms.sops_config import SopsConfig, recipient_id
from arcan_gitops.realms.writing import Change, write_all
from arcan_gitops.sops import Document, Recipients, Wrapped
from arcan_gitops.sops.metadata import DEFAULT_RULE


@dataclass(frozen=True, slots=True)
class Rewrap:
    """New wrapped keys for one document: `differs` is how its recipients are not the rule's until then.

    `needed` of the recipients' groups open it from then on, 0 for its only one. `selection` (name, argument)
    and `mac_only` are those of the rule, which only `rotate` applies; `rule` is its name.
    """

    recipients: Recipients
    needed: int
    differs: Drift
    selection: tuple[str, str]
    mac_only: bool
    rule: str = ""


@dataclass(frozen=True, slots=True)
class UpToDate:
    """There is nothing to update; `note` says what still differs from the rule, and is empty otherwise."""

    note: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One document, and what a plan makes of it."""

    opened: OpenDocument
    plan: Rewrap | UpToDate


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """Documents that were written together: the `plan` of all of them, and whether they got a `new` data key
    (more than one document: one for all).
    """

    documents: tuple[OpenDocument, ...]
    plan: Rewrap
    new: bool


@dataclass(frozen=True, slots=True)
class NotRewrapped:
    """Documents that are as they were, and why."""

    documents: tuple[OpenDocument, ...]
    error: ArcanError


Outcome = Rewrapped | NotRewrapped


def plan_update(opened: OpenDocument, config: SopsConfig) -> Rewrap | UpToDate:
    """What `updatekeys` means for a document; nothing is decrypted or written.

    Like sops's, it keeps the document's threshold where the rule names none. Raises `ArcanError`s that name
    the path: `NoRule`, `Unsupported` where the rule has key types that are not native and the document
    differs from it, and what is wrong with the document.
    """
    rule = config.rule_for(opened.file.path)
    differs = drift(metadata_of(opened.data, opened.file.path), rule)
    if differs.of_keys and (rule.shamir_threshold or not differs.threshold):
        return _plan(opened, config, rule)
    rotate = f"{differs.selection}: 'arcan realm rotate' applies that" if differs.selection else ""
    return UpToDate("; ".join(filter(None, (differs.threshold, rotate))))


def plan_rotation(opened: OpenDocument, config: SopsConfig) -> Rewrap:
    """What `rotate` means for a document: all of the rule; nothing is decrypted or written.

    Without a threshold in the rule all key groups are needed from then on. Raises as `plan_update`.
    """
    rule = config.rule_for(opened.file.path)
    plan = _plan(opened, config, rule)
    recipients = replace(plan.recipients, threshold=plan.recipients.threshold or len(rule.groups))
    return replace(plan, recipients=recipients, needed=recipients.needed())


def _plan(opened: OpenDocument, config: SopsConfig, rule: CreationRule) -> Rewrap:
    try:
        recipients = rule.recipients()
    except ArcanError as error:
        raise error.located(f"{opened.file.path}: {config.path}") from None
    metadata = metadata_of(opened.data, opened.file.path)
    return Rewrap(
        recipients,
        recipients.needed(metadata),
        drift(metadata, rule),
        rule.selection or DEFAULT_RULE,
        rule.mac_only_encrypted,
        rule.name,
    )


def rotate_all(planned: Sequence[Planned], allow_clear: Sequence[str] = ()) -> Iterator[Outcome]:
    """Encrypt documents under new data keys, for the recipients of their plans and by their rules; one data
    key to each group of key files. Those of one group are written together; a file that cannot be opened is
    told, and does not stop the others.

    A value that would come to stand in clear and is encrypted now is refused (`ClearLeaf`) unless
    `allow_clear` names its top-level key.
    """
    groups: dict[object, list[Planned]] = defaultdict(list)
    for each in planned:
        if isinstance(each.plan, Rewrap):
            groups[_group_of(each)].append(each)
    for group in groups.values():
        plan = group[0].plan
        assert isinstance(plan, Rewrap)
        wrapped = Wrapped.new(plan.recipients, plan.needed)

        def anew(document: Document, plan: Rewrap = plan, wrapped: Wrapped = wrapped) -> None:
            document.rotate(wrapped, rule=plan.selection, mac_only=plan.mac_only, allow_clear=allow_clear)

        opened, failed = _opened(group)
        yield from failed
        yield from _written(opened, plan, anew, new=True)


def _group_of(each: Planned) -> object:
    """What the files of one data key have in common; a document of an environment has nothing in common."""
    file, plan = each.opened.file, each.plan
    if file.key is None or isinstance(plan, UpToDate):
        return file.path
    return file.place, *_target(plan), plan.selection, plan.mac_only


def _target(plan: Rewrap) -> tuple[object, ...]:
    """For whom: no order of recipients counts."""
    groups = sorted(tuple(sorted(map(recipient_id, group))) for group in plan.recipients.groups)
    return tuple(groups), plan.needed, plan.rule


def update_all(planned: Sequence[Planned], incomplete: Set[str] = frozenset()) -> Iterator[Outcome]:
    """Wrap data keys for the recipients of the plans; values stay as they are. `incomplete` are the places
    (`REALM/ENVIRONMENT`) with files that are not among them, because they cannot be read.

    Where files of an environment share a data key, and not all of them get the same recipients, those that
    change get a new data key first: who is added to one of them could open the others with the old one.
    """
    by_place: dict[tuple[RealmName, EnvironmentName], list[Planned]] = defaultdict(list)
    for each in planned:
        by_place[each.opened.file.realm, each.opened.file.environment].append(each)
    for group in by_place.values():
        changing = [each for each in group if isinstance(each.plan, Rewrap)]
        if changing and changing[0].opened.file.key is None:
            yield from _update([_load(changing[0])], shared_by_others=False)
        elif changing:
            yield from _update_files(group, unknown=changing[0].opened.file.place in incomplete)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A document, or why it could not be opened."""

    planned: Planned
    document: Document | None
    error: ArcanError | None = None


def _load(each: Planned) -> _Loaded:
    try:
        return _Loaded(each, each.opened.load())
    except ArcanError as error:
        return _Loaded(each, None, error)


def _update_files(group: Sequence[Planned], *, unknown: bool) -> Iterator[Outcome]:
    """Of one environment in files; those that are up to date are opened too, for their data keys. `unknown`
    says that it has files of which nobody knows whether they share one.
    """
    loaded = [_load(each) for each in group]
    sharing: dict[bytes | None, list[_Loaded]] = defaultdict(list)
    for each in loaded:
        if each.document is not None:
            sharing[each.document.key_digest].append(each)
        elif each.error is not None:
            unknown = True
            if isinstance(each.planned.plan, Rewrap):
                yield NotRewrapped((each.planned.opened,), each.error)
    for files in sharing.values():
        changing = [each for each in files if isinstance(each.planned.plan, Rewrap)]
        targets: dict[object, list[_Loaded]] = defaultdict(list)
        for each in changing:
            assert isinstance(each.planned.plan, Rewrap)
            targets[_target(each.planned.plan)].append(each)
        # of a file that could not be opened nobody knows whether it has the same data key
        others = len(targets) > 1 or len(changing) < len(files) or (unknown and len(files) > 1)
        for same in targets.values():
            yield from _update(same, shared_by_others=others)


def _update(files: Sequence[_Loaded], *, shared_by_others: bool) -> Iterator[Outcome]:
    """Documents that share a data key, and get the same recipients."""
    first = files[0]
    plan = first.planned.plan
    assert isinstance(plan, Rewrap)
    if first.document is None:
        assert first.error is not None
        yield NotRewrapped((first.planned.opened,), first.error)
        return
    wrapped: list[Wrapped] = []

    def change(document: Document) -> None:
        if shared_by_others:
            wrapped[:] = wrapped or [Wrapped.new(plan.recipients, plan.needed)]
            document.rotate(wrapped[0])
        else:
            wrapped[:] = [document.updatekeys(wrapped[0] if wrapped else plan.recipients)]

    opened = [(each.planned.opened, each.document) for each in files if each.document is not None]
    yield from _written(opened, plan, change, new=shared_by_others)


def _opened(
    group: Sequence[Planned],
) -> tuple[list[tuple[OpenDocument, Document]], list[NotRewrapped]]:
    opened: list[tuple[OpenDocument, Document]] = []
    failed: list[NotRewrapped] = []
    for each in map(_load, group):
        if each.document is not None:
            opened.append((each.planned.opened, each.document))
        elif each.error is not None:
            failed.append(NotRewrapped((each.planned.opened,), each.error))
    return opened, failed


def _written(
    opened: Sequence[tuple[OpenDocument, Document]],
    plan: Rewrap,
    change: Callable[[Document], None],
    *,
    new: bool,
) -> Iterator[Outcome]:
    """Change documents and write them together; one that cannot be changed is told and left out."""
    changes: list[Change] = []
    done: list[OpenDocument] = []
    for each, document in opened:
        try:
            change(document)
        except ArcanError as error:
            yield NotRewrapped((each,), error.located(each.path))
            continue
        try:
            data = each.changed(document)
        except ArcanError as error:
            yield NotRewrapped((each,), error)
            continue
        if data is not None:
            changes.append(Change(each.path, each.data, data, follow=each.file.key is None))
        done.append(each)
    if not done:
        return
    try:
        write_all(changes)
    except ArcanError as error:
        yield NotRewrapped(tuple(done), error)
        return
    yield Rewrapped(tuple(done), plan, new)
