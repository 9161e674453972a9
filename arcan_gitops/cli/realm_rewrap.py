"""`arcan realm updatekeys` and `arcan realm rotate`: new wrapped keys, for whom `.sops.yaml` names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from arcan_gitops.cli.identities import held_identities, identity_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say, show
from arcan_gitops.cli.realm_options import one_environment_option, optional_realm_argument, realm_argument
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.editing import OpenDocument, open_document
from arcan_gitops.realms.rewrapping import Rewrap, UpToDate, plan_rotation, plan_update
from arcan_gitops.realms.rewrapping import rotate as rotate_document
from arcan_gitops.realms.rewrapping import updatekeys as update_document
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.sops import Identities
from arcan_gitops.sops.data_key import short_recipient


@dataclass(frozen=True, slots=True)
class _Planned:
    """One document, and what a plan makes of it."""

    opened: OpenDocument
    plan: Rewrap | UpToDate

    @property
    def name(self) -> str:
        return f"{self.opened.file.realm}/{self.opened.file.environment}"


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

    A removed recipient still knows the data key, and has the old files: run 'arcan realm rotate', and
    change the secrets themselves.
    """
    if (realm is None) is not all_realms:
        raise click.UsageError("name a realm, or give --all for all of them")
    config, planned, problems = _plan(RealmTree(realms), realm, environment, plan_update)
    identities = Identities()
    if not dry_run and any(isinstance(each.plan, Rewrap) for each in planned):
        identities = held_identities(identity_file, passphrase_file)
    changed, losing, up_to_date = 0, [], 0
    for each in planned:
        if isinstance(each.plan, UpToDate):
            click.echo(f"{each.name}: up to date" + (f"; {each.plan.note}" if each.plan.note else ""))
            up_to_date += 1
        elif dry_run or _succeeds(update_document, each.opened, each.plan, identities, problems):
            _show(each.name, _changes(each.plan, config.names, would=dry_run))
            changed += 1
            losing += [each.name] if each.plan.differs.surplus else []
    if losing and not dry_run:
        say(
            f"warning: who was taken away still knows the data key of {', '.join(losing)}: run "
            "'arcan realm rotate' there, and change the secrets, for the old files stay in Git"
        )
    verb = "would change" if dry_run else "changed"
    say(f"{changed} document(s) {verb}, {up_to_date} up to date, {len(problems)} failed")
    _raise(problems)


@click.command()
@realm_argument
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
    realm: RealmName,
    environment: EnvironmentName | None,
    allow_clear: tuple[str, ...],
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Encrypt documents again, under new data keys.

    Each document gets a data key of its own, wrapped for the recipients that .sops.yaml names for it, and
    everything in it is encrypted anew, by the selection rule and mac_only_encrypted of that file. What is
    encrypted comes to stand in clear by a changed rule only where --allow-clear names it.

    The secrets themselves stay the same: where somebody left, change them too ('arcan secret generate',
    'arcan secret set'), for the old files stay in Git.
    """
    config, planned, problems = _plan(RealmTree(realms), realm, environment, plan_rotation)
    identities = Identities()
    if planned:
        identities = held_identities(identity_file, passphrase_file)
    anew = partial(rotate_document, allow_clear=allow_clear)
    rotated, losing = 0, []
    for each in planned:
        assert isinstance(each.plan, Rewrap)
        if _succeeds(anew, each.opened, each.plan, identities, problems):
            changes = _changes(each.plan, config.names, would=False)
            _show(each.name, ["new data key, everything encrypted again", *changes])
            rotated += 1
            losing += [each.name] if each.plan.differs.surplus else []
    if losing:
        say(
            f"warning: who was taken away still has the old files of {', '.join(losing)}, which stay in Git: "
            "change the secrets"
        )
    say(f"{rotated} document(s) rotated, {len(problems)} failed")
    _raise(problems)


def _plan(
    tree: RealmTree,
    realm: RealmName | None,
    environment: EnvironmentName | None,
    plan: Callable[[OpenDocument, SopsConfig], Rewrap | UpToDate],
) -> tuple[SopsConfig, list[_Planned], list[ArcanError]]:
    documents, misplaced = tree.scan_all(realm, environment)
    warn_of_ignored(tree.root)
    config = SopsConfig.required(tree.root)
    problems = list(misplaced)
    planned: list[_Planned] = []
    for document in documents:
        try:
            opened = open_document(tree, document.realm, document.environment, Identities())
            planned.append(_Planned(opened, plan(opened, config)))
        except ArcanError as error:
            problems.append(error)
    return config, planned, problems


def _succeeds(
    change: Callable[[OpenDocument, Rewrap], None],
    opened: OpenDocument,
    rewrap: Rewrap,
    identities: Identities,
    problems: list[ArcanError],
) -> bool:
    try:
        change(replace(opened, identities=identities), rewrap)
    except ArcanError as error:
        problems.append(error)
        return False
    return True


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
