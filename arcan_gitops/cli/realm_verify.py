"""`arcan realm verify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from arcan_gitops.cli.identities import NoIdentity, given_identities, held_identities, identity_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say, say_hint, show, show_finding
from arcan_gitops.cli.realm_options import one_environment_option, optional_realm_argument
from arcan_gitops.cli.sops_binary import document_opener, sops_binary_options
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.verifying import Verdict, Verified, without_copies
from arcan_gitops.realms.verifying import verify as verify_documents
from arcan_gitops.sops import Identities, NoMatchingIdentity


@click.command()
@optional_realm_argument
@one_environment_option
@click.option("--require-mac", is_flag=True, help="Fail where the MAC of a document could not be checked.")
@click.option("--require-binding", is_flag=True, help="Fail where a document is bound to no place.")
@click.option(
    "--all-must-open",
    is_flag=True,
    help="Fail where a document, or an entry in it for one of them, does not open with the identities of "
    "--identity-file alone.",
)
@identity_options
@sops_binary_options
@realms_option
def verify(
    realm: RealmName | None,
    environment: EnvironmentName | None,
    require_mac: bool,
    require_binding: bool,
    all_must_open: bool,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    sops_binary: str | None,
    allow_key_type: tuple[str, ...],
    allow_key_address: tuple[str, ...],
    realms: Path,
) -> None:
    """Check that nobody tampered with the documents.

    Structure takes no key. With an identity, each document that it opens is decrypted in memory and its MAC
    is checked, as the server does; no value is shown. The exit status is 1 if a document fails; a document
    that no identity opens is reported, and fails only with --require-mac. A document that is bound to
    another place than it stands at, and a copy of one that is bound to its place, fail.

    --all-must-open is the drill for an identity that is kept for a bad day: whoever changes a file without a
    key can leave garbage in the entry of one recipient, which nobody else would notice. It looks at no other
    identity than those of --identity-file.

    'arcan realm check' needs no key; it compares the files with each other and with .sops.yaml, and is for
    pull requests. This command is for people who have a key.
    """
    if all_must_open and not identity_file:
        raise click.UsageError("--all-must-open is about the identities of --identity-file: name one")
    tree = RealmTree(realms)
    documents, misplaced = tree.scan_all(realm, environment)
    opener = document_opener(sops_binary, allow_key_type, allow_key_address)
    identities, missing = (
        (given_identities(identity_file, passphrase_file), None)
        if all_must_open
        else _held(identity_file, passphrase_file, required=opener.binary is None)
    )
    verified = verify_documents(
        tree,
        documents,
        identities,
        opener.load,
        require_binding=require_binding,
        all_must_open=all_must_open,
    )
    found, told = without_copies(tuple(verified))
    verified_keys = Counter(
        each.document.place
        for each in found
        if each.document.key is not None and each.verdict is Verdict.VERIFIED
    )
    shown = [each for each in found if each.document.key is None or each.verdict is not Verdict.VERIFIED]
    width = max((len(name) for name in (*verified_keys, *(each.document.name for each in shown))), default=0)
    for place, many in verified_keys.items():
        click.echo(f"{place.ljust(width)}  {many} key files verified")
    for each in shown:
        click.echo(f"{each.document.name.ljust(width)}  {each.verdict.value}")
        if each.reason is not None:
            if isinstance(each.reason, NoMatchingIdentity):  # its hint is printed once, at the end
                show(f"  {each.reason.message}")
            else:
                show_finding(each.reason, indent="  ")
    for warning in told:
        say(f"warning: {warning}")
    for problem in misplaced:
        show_finding(problem)
    count = {verdict: sum(each.verdict is verdict for each in found) for verdict in Verdict}
    failed = count[Verdict.FAILED] + len(misplaced)
    say(f"{count[Verdict.VERIFIED]} verified, {count[Verdict.UNOPENED]} not opened, {failed} failed")
    _tell_unbound(found)
    if missing is not None:
        say(f"no MAC was checked, so that tampering would not show: {missing.message}")
        say_hint(missing)
    elif count[Verdict.UNOPENED]:
        say("the MAC of what was not opened was not checked: give an identity that opens it")
    if failed or (require_mac and count[Verdict.UNOPENED]):
        raise click.exceptions.Exit(1)


def _held(
    identity_file: tuple[Path, ...], passphrase_file: Path | None, *, required: bool
) -> tuple[Identities | None, NoIdentity | None]:
    """The private keys, or why there is none."""
    try:
        return held_identities(identity_file, passphrase_file, required=required), None
    except NoIdentity as error:
        return None, error


def _tell_unbound(found: Sequence[Verified]) -> None:
    unbound = sum(each.seal is not None and not each.seal.bound for each in found)
    if unbound:
        say(f"{unbound} bound to no place, so that a copy elsewhere would not show: 'arcan realm bind' binds")
