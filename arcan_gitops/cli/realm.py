"""`arcan realm`: the documents of realms as files: what is there, for whom, and whether it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from arcan_gitops.cli.options import clusters_option, realms_option
from arcan_gitops.cli.output import say, say_hint, show_finding, warn
from arcan_gitops.cli.realm_bind import bind
from arcan_gitops.cli.realm_create import create
from arcan_gitops.cli.realm_layout import join, split
from arcan_gitops.cli.realm_recipients import recipients
from arcan_gitops.cli.realm_revision import revision
from arcan_gitops.cli.realm_rewrap import rotate, updatekeys
from arcan_gitops.cli.realm_verify import verify
from arcan_gitops.cli.review_realms import since_base
from arcan_gitops.cli.root import REALMS, at_root
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms import DocumentFile, RealmTree
from arcan_gitops.realms.check import check as check_realms


@click.group()
def realm() -> None:
    """Create, list, check and re-encrypt the documents of realms.

    An environment is one document, REALMS/REALM/ENV.sops.yaml, or a folder with a document for each key,
    REALMS/REALM/ENV/KEY.sops.yaml. The file .sops.yaml, in the folder of the realms or the one
    above it, says for whom it is encrypted. 'arcan secret' changes what is in a document.
    """


@realm.command("list")
@realms_option
def list_realms(realms: Path) -> None:
    """List the realms and their environments; of key files, how many there are."""
    tree = RealmTree(realms)
    documents, misplaced = tree.scan_all()
    for name in tree.scan()[0]:
        environments: dict[str, list[DocumentFile]] = {}
        for each in documents:
            if each.realm == name:
                environments.setdefault(each.environment, []).append(each)
        click.echo(f"{name}\t{', '.join(_shown(env, files) for env, files in environments.items())}")
    for problem in misplaced:
        say(problem.message)
        say_hint(problem)
    if misplaced:
        raise click.exceptions.Exit(1)


def _shown(environment: str, files: Sequence[DocumentFile]) -> str:
    return environment if files[0].key is None else f"{environment} ({len(files)} key files)"


@realm.command()
@click.argument("path", type=click.Path(path_type=Path), default=partial(at_root, REALMS))
@click.option(
    "--base",
    metavar="REF",
    help="A commit of Git: say also what 'arcan review' finds in the realms since the working tree left it.",
)
@clusters_option
def check(path: Path, base: str | None, clusters: Path) -> None:
    """Check realm files without any key.

    PATH is a folder of realms (default: realms), one realm, a folder of key files, or one file.

    Checks structure, names, recipients (compared with .sops.yaml), values in clear, empty values, tokens
    files, and documents that were copied; of all realms also the files of clusters that their accounts name.
    Tampering can only be found with a key: by 'arcan
    realm verify', and by the server when it loads.
    """
    warn_of_ignored(path)
    report = check_realms(path, clusters)
    for problem in report.problems:
        show_finding(problem)
    for warning in report.warnings:
        warn(warning.message)
        say_hint(warning)
    if report.without_config:
        say("no .sops.yaml beside the realms: recipients were not checked")
    since = () if base is None else since_base(base)
    for finding in since:
        show_finding(ArcanError(f"{finding.kind}: {finding.message} ({finding.rule.id})", hint=finding.next))
    broken = sum(finding.kind == "broken" for finding in since)
    click.echo(f"{report.checked} file(s) checked, {len(report.problems) + broken} problem(s)", err=True)
    if report.problems or broken:
        raise click.exceptions.Exit(1)


for command in (create, bind, split, join, rotate, updatekeys, recipients, revision, verify):
    realm.add_command(command)
