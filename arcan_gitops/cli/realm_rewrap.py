"""`arcan realm updatekeys` and `arcan realm rotate`: new wrapped keys, for whom `.sops.yaml` names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from arcan_gitops.cli.identities import held_identities, identity_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say, show
from arcan_gitops.cli.realm_options import one_environment_option, optional_realm_argument
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.errors import ArcanError, SeveralErrors, some
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.editing import OpenDocument, open_file
from arcan_gitops.realms.rewrapping import (
    NotRewrapped,
    Outcome,
    Planned,
    Rewrap,
    Rewrapped,
    UpToDate,
    plan_rotation,
    plan_update,
    rotate_all,
    update_all,
)
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.sops import Identities
from arcan_gitops.sops.data_key import short_recipient


@click.command()
@optional_realm_argument
@click.option("--all", "all_realms", is_flag=True, help="The documents of all realms.")
@one_environment_option
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would change. Needs no identity.")
@identity_options
@realms_option
def updatekeys(
    realm: RealmName | None,
    all_realms: bool,
    environment: EnvironmentName | None,
    dry_run: bool,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Wrap data keys again, for the recipients in .sops.yaml.

    The data key of each document is wrapped again for the recipients of its creation rule; values, and the
    MAC, stay as they are. A document that is up to date is not touched. Without a shamir_threshold in the
    rule, a document with key groups keeps its own.

    Where key files of an environment share a data key, and only some of them get other recipients, those get
    a new data key.

    A removed recipient still knows the data key, and has the old files: run 'arcan realm rotate', and
    change the secrets themselves.
    """
    if (realm is None) is not all_realms:
        raise click.UsageError("name a realm, or give --all for all of them")
    config, planned, problems, incomplete = _plan(RealmTree(realms), realm, environment, plan_update)
    if not dry_run and any(isinstance(each.plan, Rewrap) for each in planned):
        planned = _with(planned, held_identities(identity_file, passphrase_file))
    tally = _Tally(config.names, problems)
    outcomes = {one.documents[0].path: one for one in (() if dry_run else update_all(planned, incomplete))}
    for each in planned:
        if isinstance(each.plan, UpToDate):
            tally.up_to_date(each.opened, each.plan)
        elif dry_run:
            tally.would(each.opened, each.plan)
        elif (outcome := outcomes.get(each.opened.path)) is not None:
            tally.add(outcome, ["new data key, everything encrypted again"] if _is_new(outcome) else [])
    tally.tell_up_to_date()
    if tally.losing and not dry_run:
        say(
            f"warning: who was taken away still knows the data key of {some(tally.losing)}: run "
            "'arcan realm rotate' there, and change the secrets, for the old files stay in Git"
        )
    verb = "would change" if dry_run else "changed"
    say(f"{tally.changed} document(s) {verb}, {tally.current} up to date, {len(problems)} failed")
    _raise(problems)


@click.command()
@optional_realm_argument
@click.option("--all", "all_realms", is_flag=True, help="The documents of all realms.")
@one_environment_option
@click.option(
    "--allow-clear",
    multiple=True,
    metavar="KEY",
    help="A key that is encrypted and that the rule leaves in clear: write its value in clear. Repeatable.",
)
@identity_options
@realms_option
def rotate(
    realm: RealmName | None,
    all_realms: bool,
    environment: EnvironmentName | None,
    allow_clear: tuple[str, ...],
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Encrypt documents again, under new data keys.

    Each document gets a data key of its own, wrapped for the recipients that .sops.yaml names for it, and
    everything in it is encrypted anew, by the selection rule and mac_only_encrypted of that file. What is
    encrypted comes to stand in clear by a changed rule only where --allow-clear names it. The key files of an
    environment share a data key where exactly the same recipients, groups, threshold and rule are theirs, so
    that a server unwraps it once; files with other recipients never share one.

    The secrets themselves stay the same: where somebody left, change them too ('arcan secret generate',
    'arcan secret set'), for the old files stay in Git.
    """
    if (realm is None) is not all_realms:
        raise click.UsageError("name a realm, or give --all for all of them")
    config, planned, problems, _ = _plan(RealmTree(realms), realm, environment, plan_rotation)
    if planned:
        planned = _with(planned, held_identities(identity_file, passphrase_file))
    tally = _Tally(config.names, problems)
    for outcome in rotate_all(planned, allow_clear):
        shared = isinstance(outcome, Rewrapped) and len(outcome.documents) > 1
        tally.add(outcome, [f"{'one ' if shared else ''}new data key, everything encrypted again"])
    if tally.losing:
        say(
            f"warning: who was taken away still has the old files of {some(tally.losing)}, which stay in "
            "Git: change the secrets"
        )
    say(f"{tally.changed} document(s) rotated, {len(problems)} failed")
    _raise(problems)


class _Tally:
    """What became of the documents, told as it happens."""

    def __init__(self, names: Mapping[str, str], problems: list[ArcanError]) -> None:
        self._names, self._problems = names, problems
        self._current: dict[tuple[str, str], int] = {}  # key files, by place and note
        self.changed = self.current = 0
        self.losing: list[str] = []

    def up_to_date(self, opened: OpenDocument, plan: UpToDate) -> None:
        self.current += 1
        if opened.file.key is None:
            click.echo(f"{opened.file.name}: {_noted('up to date', plan.note)}")
        else:
            at = (opened.file.place, plan.note)
            self._current[at] = self._current.get(at, 0) + 1

    def tell_up_to_date(self) -> None:
        for (place, note), count in self._current.items():
            click.echo(f"{place}: {_noted(f'{count} key(s) up to date', note)}")

    def would(self, opened: OpenDocument, plan: Rewrap) -> None:
        _show(opened.file.name, _changes(plan, self._names, would=True))
        self.changed += 1

    def add(self, outcome: Outcome, also: Sequence[str]) -> None:
        if isinstance(outcome, NotRewrapped):
            self._problems += [outcome.error] * len(outcome.documents)
            return
        name = _name(outcome.documents)
        _show(name, [*also, *_changes(outcome.plan, self._names, would=False)])
        self.changed += len(outcome.documents)
        self.losing += [name] if outcome.plan.differs.surplus else []


def _noted(text: str, note: str) -> str:
    return f"{text}; {note}" if note else text


def _is_new(outcome: Outcome) -> bool:
    return isinstance(outcome, Rewrapped) and outcome.new


def _name(documents: Sequence[OpenDocument]) -> str:
    """`shop/prod`; of key files `shop/prod/A`, or `shop/prod (A, B and 10 more)`."""
    first = documents[0].file
    if len(documents) == 1:
        return first.name
    return f"{first.place} ({some([str(each.file.key) for each in documents])})"


def _with(planned: Sequence[Planned], identities: Identities) -> list[Planned]:
    return [replace(each, opened=replace(each.opened, identities=identities)) for each in planned]


def _plan(
    tree: RealmTree,
    realm: RealmName | None,
    environment: EnvironmentName | None,
    plan: Callable[[OpenDocument, SopsConfig], Rewrap | UpToDate],
) -> tuple[SopsConfig, list[Planned], list[ArcanError], set[str]]:
    """The rules, what is planned, what is wrong, and the places of the documents that cannot be read."""
    documents, misplaced = tree.scan_all(realm, environment)
    warn_of_ignored(tree.root)
    config = SopsConfig.required(tree.root)
    problems = list(misplaced)
    planned: list[Planned] = []
    unread: set[str] = set()
    for document in documents:
        try:
            opened = open_file(tree, document, Identities())
            planned.append(Planned(opened, plan(opened, config)))
        except ArcanError as error:
            problems.append(error)
            unread.add(document.place)
    return config, planned, problems, unread


def _changes(rewrap: Rewrap, names: Mapping[str, str], *, would: bool) -> Iterator[str]:
    """What new wrapped keys change, or would, a line each."""
    for verb, recipients in (
        ("would add" if would else "added", rewrap.differs.lacking),
        ("would take away" if would else "took away", rewrap.differs.surplus),
    ):
        for recipient in recipients:
            name = names.get(recipient)
            yield f"{verb} {short_recipient(recipient)}" + (f" ({name})" if name else "")
    if rewrap.differs.selection and not would:
        yield f"by the rule now: {rewrap.selection[0]} '{rewrap.selection[1]}'" + (
            ", mac_only_encrypted" if rewrap.mac_only else ""
        )
    groups = len(rewrap.recipients.groups)
    if groups > 1:
        yield f"{'would open' if would else 'opens'} with {rewrap.needed} of its {groups} key groups"
    elif rewrap.differs.grouping:
        yield "would have one key group" if would else "has one key group"


def _show(name: str, lines: Iterable[str]) -> None:
    for line in lines:
        show(f"{name}: {line}")


def _raise(problems: Sequence[ArcanError]) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SeveralErrors(f"{len(problems)} document(s) failed, and are as they were:", problems)
