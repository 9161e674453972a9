"""`arcan init`: a new repository."""

from __future__ import annotations

from pathlib import Path

import click

from arcan_gitops import __version__
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.scaffold import Layout, Owner, Package, layout_files, plan_files, write_files
from arcan_gitops.sops import Recipients


def _recipient(text: str) -> str:
    """The text, if something can be encrypted to it."""
    ((recipient,),) = Recipients.of([text]).groups
    return recipient


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--recipient",
    "recipients",
    type=Parsed("recipient", _recipient),
    required=True,
    multiple=True,
    help="Who can decrypt: age1..., or an SSH public key; repeatable. The server's identity is one of them.",
)
@click.option(
    "--realm",
    "realms",
    type=Parsed("name", RealmName.parse),
    multiple=True,
    default=["production"],
    show_default=True,
    help="A realm to come; repeatable.",
)
@click.option(
    "--env",
    "environments",
    type=Parsed("name", EnvironmentName.parse),
    multiple=True,
    default=["prod"],
    show_default=True,
    help="An environment of each realm, and an overlay; repeatable.",
)
@click.option(
    "--owner",
    type=Parsed("owner", Owner.parse),
    default=Owner("@example-org/platform"),
    show_default=True,
    help="Who reviews changes.",
)
@click.option(
    "--package",
    type=Parsed("requirement", Package.parse),
    default=Package(f"arcan-gitops=={__version__}"),
    show_default=True,
    help="What the checks of the repository install; by URL: 'arcan-gitops @ git+https://...@COMMIT'.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; name the files.")
def init(
    folder: Path,
    recipients: tuple[str, ...],
    realms: tuple[RealmName, ...],
    environments: tuple[EnvironmentName, ...],
    owner: Owner,
    package: Package,
    dry_run: bool,
) -> None:
    """Lay out a new repository: rules for realms, settings, checks.

    Writes .sops.yaml, kustomize/arcan.yaml, workflows, CODEOWNERS, hooks for pre-commit, and a README that
    says how to go on. No file is ever replaced: where another one is in the way, nothing is written.
    """
    layout = Layout(
        realms=tuple(dict.fromkeys(realms)),
        environments=tuple(dict.fromkeys(environments)),
        recipients=tuple(dict.fromkeys(recipients)),
        owner=owner,
        package=package,
    )
    files = layout_files(layout)
    done = plan_files(folder, files) if dry_run else write_files(folder, files)
    for path in done.present:
        say(f"{folder / path} is there already")
    for path in done.new:
        say(f"{'would write' if dry_run else 'wrote'} {folder / path}")
    if not dry_run:
        realm, environment = layout.realms[0], layout.environments[0]
        say(
            f"next: arcan realm create {realm} --env {environment} --key NAME, in {folder.resolve()};"
            f" then as {folder / 'README.md'} says"
        )
