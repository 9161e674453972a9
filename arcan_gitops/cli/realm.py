"""`arcan realm`: what is there, and whether it is sound; no identity needed."""

from __future__ import annotations

from pathlib import Path

import click

from arcan_gitops.cli.options import realms_option
from arcan_gitops.errors import ArcanError, printable
from arcan_gitops.names import EnvironmentName, RealmName, did_you_mean
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.check import check as check_realms
from arcan_gitops.sops import key_names


@click.group()
def realm() -> None:
    """List and check realm files; no identity needed."""


@realm.command("list")
@realms_option
def list_realms(realms: Path) -> None:
    """List the realms and their environments."""
    tree = RealmTree(realms)
    for name in tree.realms():
        environments = ", ".join(document.environment for document in tree.documents(name))
        click.echo(f"{name}\t{environments}")


@realm.command()
@click.argument("realm")
@click.option("--env", "environment", required=True, help="The environment.")
@realms_option
def keys(realm: str, environment: str, realms: Path) -> None:
    """List the names of the keys of an environment, one a line. Values stay encrypted."""
    wanted = EnvironmentName.parse(environment)
    documents = {
        document.environment: document for document in RealmTree(realms).documents(RealmName.parse(realm))
    }
    if wanted not in documents:
        raise ArcanError(
            f"realm '{realm}' has no environment '{wanted}'", hint=did_you_mean(wanted, documents)
        )
    document = documents[wanted]
    try:
        names = key_names(document.read())
    except ArcanError as error:
        raise error.located(document.path) from None
    for name in names:
        click.echo(name)


@realm.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("realms"))
def check(path: Path) -> None:
    """Check realm files without any key: a folder of realms, one realm, or one file.

    Structure, names, recipients against .sops.yaml, values in clear, empty values, tokens files, and
    documents that were copied between realms. Whether somebody tampered takes the key: the server checks
    it when it loads.
    """
    report = check_realms(path)
    for problem in report.problems:
        click.echo(printable(problem.message))
        if problem.hint:
            click.echo(f"  hint: {printable(problem.hint)}")
    if report.without_config:
        click.echo("arcan: no .sops.yaml beside the realms: recipients were not checked", err=True)
    click.echo(f"{report.checked} file(s) checked, {len(report.problems)} problem(s)", err=True)
    if report.problems:
        raise click.exceptions.Exit(1)
