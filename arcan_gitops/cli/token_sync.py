"""`arcan token sync`: tokens and accounts as the declared apps need them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from arcan_gitops.access import (
    AccountRecord,
    TokenRecord,
    add,
    edit_file,
    format_time,
    mint,
    newest,
    parse_expiry,
    rescope,
)
from arcan_gitops.access.edit_accounts import add_account, rescope_account
from arcan_gitops.cli.account_files import warn_of_cluster
from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.cli.options import clusters_option, kustomize_option, realms_option
from arcan_gitops.cli.output import discard_output, say, show, warn
from arcan_gitops.cli.private_files import new_private_file, work_tree_of
from arcan_gitops.cli.project import OVERLAY
from arcan_gitops.cli.token_declared import Declared
from arcan_gitops.cli.token_files import expiry_of, now, token_files
from arcan_gitops.cli.token_output import secret_manifests
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay import TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import TokenPlace, token_places
from arcan_gitops.overlay.upkeep import Finding, State, findings, narrowed, needed_scopes, widened
from arcan_gitops.realms.tree import TOKENS_FILE, RealmTree


@dataclass(frozen=True, slots=True)
class _Values:
    """Where the texts of new tokens go."""

    folder: Path | None
    as_secrets: bool
    overlay: OverlayName | None


@click.command("sync")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 unless all is as the apps need it.")
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each new token to DIR/tokens/REALM/NAME, mode 0600: the folder VALUES of 'arcan bootstrap'.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["secret"]),
    help="Print the Secrets with the new tokens, for kubectl apply -f -.",
)
@click.option("--overlay", type=OVERLAY, metavar="NAME", help="With --format: the Secrets of one overlay.")
@click.option("--narrow", is_flag=True, help="Take from each what no app reads by it.")
@click.option("--widen", multiple=True, metavar="NAME", help="Let this token or account read what apps need.")
@clusters_option
@kustomize_option
@realms_option
def sync(
    check: bool,
    output_dir: Path | None,
    form: str | None,
    overlay: OverlayName | None,
    narrow: bool,
    widen: tuple[str, ...],
    clusters: Path,
    kustomize_dir: Path,
    realms: Path,
) -> None:
    """Bring tokens and accounts to what the declared apps read.

    Names each that is missing, too narrow, too wide or unused, and each token that apps use and that has
    ended. Makes what is missing, as narrow as it can be; narrows with --narrow, and never widens what is not
    named by --widen. Nothing that is unused goes by itself: it may be for somebody who is not declared.

    \b
      arcan token sync --output-dir /dev/shm/values
      arcan token sync --format secret --overlay prod | kubectl apply --server-side -f -
    """
    if check and (output_dir or form or narrow or widen):
        raise click.UsageError("--check changes nothing: no other option but folders goes with it")
    if overlay is not None and form is None:
        raise click.UsageError("--overlay goes with --format secret")
    tree = RealmTree(realms)
    declared = Declared.read(kustomize_dir, tree)
    needed = needed_scopes(declared.apps, declared.overlays)
    found = findings(needed, load_catalogue(realms))
    ended = _ended(tree, needed.keys())
    _require_narrow(widen, found)
    tell = show if check else say  # standard output is for Secrets otherwise
    for finding in found:
        for state in finding.states:
            tell(f"{finding.credential.realm}: {finding.credential} is {state}: {finding.says(state)}")
    for credential, record in ended:
        assert record.expires is not None  # it has ended
        ends = format_time(record.expires)
        tell(f"{credential.realm}: {credential} has ended: apps read by it, and its end was {ends}")
        say(f"replace it: arcan token rotate {shlex.quote(record.name)} --realm={credential.realm}")
    if check:
        wrong = [each for each in found if State.UNUSED not in each.states]
        say(f"{len(wrong) + len(ended)} to mend, {len(found) - len(wrong)} unused")
        if wrong or ended:
            raise click.exceptions.Exit(1)
        return
    values = _Values(output_dir, form is not None, overlay)
    changed = _create(tree, declared, found, values, clusters)
    for finding in found:
        changed = _rescope(tree, finding, narrow=narrow, widen=widen) or changed
    if not found and not ended:
        say("every token and account reads what the declared apps need, and nothing else")
    if changed:
        say("commit the tokens files: a server goes by them once it has read them")


def _ended(tree: RealmTree, used: Collection[Credential]) -> list[tuple[Credential, TokenRecord]]:
    """The tokens that apps read by, whose newest entry has ended."""
    time, found = now(), []
    for realm, _, records in token_files(tree, None):
        for name in dict.fromkeys(record.name for record in records):
            record, credential = newest(records, name), Credential(realm, name)
            if record is not None and record.expired(time) and credential in used:
                found.append((credential, record))
    return found


def _name(credential: Credential) -> str:
    return credential.token if credential.account is None else str(credential.account)


def _require_narrow(names: Sequence[str], found: Sequence[Finding]) -> None:
    narrow = {_name(each.credential) for each in found if State.NARROW in each.states}
    for name in names:
        if name not in narrow:
            raise ArcanError(
                f"--widen {name}: no token or account of that name is too narrow",
                hint="those that are: " + (", ".join(sorted(narrow)) or "none"),
            )


def _create(
    tree: RealmTree, declared: Declared, found: Sequence[Finding], values: _Values, clusters: Path
) -> bool:
    missing = [each for each in found if State.MISSING in each.states]
    tokens = [each for each in missing if each.credential.account is None]
    if tokens and values.folder is None and not values.as_secrets:
        names = ", ".join(each.credential.token for each in tokens)
        raise ArcanError(
            f"tokens are missing, and nothing says where their texts are to go: {names}",
            hint="arcan token sync --output-dir /dev/shm/values; "
            "or: arcan token sync --format secret | kubectl apply --server-side -f -",
        )
    if tokens and values.as_secrets and sys.stdout is None:
        raise ArcanError("standard output is closed: the tokens would be lost", hint="nothing was recorded")
    for each in tokens:
        places = token_places(declared.apps, declared.overlays, each.credential)
        elsewhere = {name for place in places for name in place.overlays} - {values.overlay}
        if values.folder is None and values.overlay is not None and elsewhere:
            warn(
                f"{each.credential} of realm '{each.credential.realm}' is not made: it is for overlays "
                f"{', '.join(sorted(elsewhere))} too: give --output-dir as well, or leave --overlay out"
            )
            continue
        _create_token(tree, each, places, values)
    for each in missing:
        if each.credential.account is not None:
            _create_account(tree, each, clusters)
    return bool(missing)


def _create_token(tree: RealmTree, finding: Finding, places: Sequence[TokenPlace], values: _Values) -> None:
    credential, scope = finding.credential, finding.needed
    assert scope is not None  # it is missing, so that apps need it
    path = tree.folder(credential.realm) / TOKENS_FILE
    time, minted = now(), mint()
    ends = parse_expiry(expiry_of(tree, credential.realm), time)
    record = TokenRecord(
        minted.id, credential.token, "read-only", scope.environments, scope.keys, time, ends, minted.digest
    )
    shown = [place for place in places if values.overlay is None or values.overlay in place.overlays]

    def made() -> None:
        edit_file(path, lambda data: (add(data, str(path), record), None))

    if values.folder is not None:
        file = values.folder / "tokens" / credential.realm / credential.token
        with new_private_file(file) as opened:
            opened.write(f"{minted.text.reveal()}\n".encode())
            made()
        say(f"{file}: the token, mode 0600")
        if (work_tree := work_tree_of(file)) is not None:
            warn(f"{file}: is inside the Git work tree {work_tree}: never commit it")
    else:
        made()
    if values.as_secrets:
        _print(secret_manifests(minted.text.reveal(), shown), credential, minted.id)
    say(f"{path}: recorded {credential} (id {minted.id})")


def _print(text: str, credential: Credential, token_id: str) -> None:
    try:
        click.echo(text, nl=False)
    except (OSError, ValueError):
        discard_output()
        raise ArcanError(
            f"{credential} (id {token_id}) is recorded, but could not be printed: it is lost",
            hint=f"arcan token rotate {token_id} --realm={credential.realm} --overlap=0s --format secret",
        ) from None


def _create_account(tree: RealmTree, finding: Finding, clusters: Path) -> None:
    name, scope = finding.credential.account, finding.needed
    assert name is not None
    assert scope is not None
    path = tree.folder(finding.credential.realm) / TOKENS_FILE
    record = AccountRecord(name.cluster, name.namespace, name.service_account, scope.environments, scope.keys)
    edit_file(path, lambda data: (add_account(data, str(path), record), None))
    say(f"{path}: granted {finding.credential}")
    warn_of_cluster(clusters, name)


def _rescope(tree: RealmTree, finding: Finding, *, narrow: bool, widen: Sequence[str]) -> bool:
    """Whether the scope was changed; what is not asked for is offered as a command."""
    credential, held, needed = finding.credential, finding.held, finding.needed
    if held is None or needed is None:
        return False
    name, scope = _name(credential), held
    if State.NARROW in finding.states:
        if name in widen:
            scope = widened(scope, needed)
        else:
            say(f"let {credential} read it: arcan token sync --widen {shlex.quote(name)}")
    if State.WIDE in finding.states:
        if narrow:
            scope = narrowed(scope, needed)
        else:
            say(f"take it from {credential}: arcan token sync --narrow")
    if scope == held:
        return False
    if scope.environments == () or scope.keys == ():
        say(f"{credential} is left as it is: of what apps read by it, it may read nothing")
        return False
    return _write(tree, credential, scope)


def _write(tree: RealmTree, credential: Credential, scope: TokenScope) -> bool:
    path = tree.folder(credential.realm) / TOKENS_FILE

    def token(record: TokenRecord, *, stands: bool) -> TokenRecord:
        return replace(record, environments=scope.environments, keys=scope.keys)

    def account(record: AccountRecord) -> AccountRecord:
        return replace(record, environments=scope.environments, keys=scope.keys)

    def change(data: bytes | None) -> tuple[bytes, object]:
        if credential.account is not None:
            return rescope_account(data or b"", str(path), credential.account, account)
        return rescope(data or b"", str(path), credential.token, token, now=now())

    edit_file(path, change)
    keys = "all keys" if scope.keys is None else ", ".join(scope.keys)
    say(f"{path}: {credential} reads {keys} of {', '.join(scope.environments or ['all environments'])}")
    return True
