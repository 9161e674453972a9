"""`arcan init`: a new repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from arcan_gitops.cli.committed import repository_of
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.realm_options import layout_of_repository_option
from arcan_gitops.names import EnvironmentName, RealmName, did_you_mean
from arcan_gitops.overlay.argocd.settings import Repository
from arcan_gitops.scaffold import Layout, Owner, Package, lacks, layout_files, plan_files, write_files
from arcan_gitops.sops import Recipients

_Recipient = tuple[EnvironmentName | None, str]


def _recipient(text: str) -> str:
    """The text, if something can be encrypted to it."""
    ((recipient,),) = Recipients.of([text]).groups
    return recipient


def _of_environment(text: str) -> _Recipient:
    """`ENV=age1...`, or a recipient of every environment."""
    name, equals, recipient = text.partition("=")
    if not equals or " " in name:  # an SSH key may have a '=' too
        return None, _recipient(text)
    return EnvironmentName.parse(name), _recipient(recipient)


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--recipient",
    "recipients",
    type=Parsed("[ENV=]recipient", _of_environment),
    multiple=True,
    help="Who can decrypt an environment, its server first: prod=age1..., or an SSH public key; without "
    "ENV= all of them. Repeatable; each environment needs one.",
)
@click.option(
    "--break-glass",
    type=Parsed("recipient", _recipient),
    multiple=True,
    help="Who can decrypt all of it when a server's identity is lost; its identity is kept offline. Needed.",
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
    type=Parsed("package", Package.parse),
    help="What the checks install: a wheel (PATH.whl), one by its hash (https://.../NAME.whl#sha256=HASH), "
    "or git+https://HOST/PATH@COMMIT.  [default: a copy of this arcan, in vendor/]",
)
@click.option(
    "--repository",
    type=Parsed("url", Repository.parse),
    help="Where Argo CD clones this repository from.  [default: Git's remote origin, where there is one]",
)
@layout_of_repository_option
@click.option("--keep", is_flag=True, help="Leave other files that are there already as they are.")
@click.option("--dry-run", is_flag=True, help="Write nothing; name the files.")
def init(
    folder: Path,
    recipients: tuple[_Recipient, ...],
    break_glass: tuple[str, ...],
    realms: tuple[RealmName, ...],
    environments: tuple[EnvironmentName, ...],
    owner: Owner,
    package: Package | None,
    repository: Repository | None,
    layout: str,
    keep: bool,
    dry_run: bool,
) -> None:
    """Lay out a new repository: rules for realms, settings, checks.

    Writes .sops.yaml, kustomize/arcan.yaml, workflows, CODEOWNERS, hooks for pre-commit, what the checks
    install, and a README that says how to go on. No file is ever replaced, and no private key is made: the
    identities are made before, outside of every repository.

    \b
      arcan init my-secrets --recipient prod="$(arcan keygen -o ~/arcan/prod.txt)" \\
        --break-glass "$(arcan keygen -o ~/arcan/break-glass.txt)"
    """
    chosen = Package.own() if package is None else package
    plan = Layout(
        realms=tuple(dict.fromkeys(realms)),
        recipients=_by_environment(tuple(dict.fromkeys(environments)), recipients, break_glass),
        break_glass=tuple(dict.fromkeys(break_glass)),
        owner=owner,
        package=chosen,
        repository=repository or repository_of(folder),
        in_files=layout == "files",
    )
    for warning in chosen.warnings:
        warn(warning)
    files = layout_files(plan)
    done = plan_files(folder, files, keep=keep) if dry_run else write_files(folder, files, keep=keep)
    for path in done.present:
        say(f"{folder / path} is there already")
    for path in done.new:
        say(f"{'would write' if dry_run else 'wrote'} {folder / path}")
    for line in lacks(folder, done.kept):
        say(line)
    if not dry_run:
        realm, environment = plan.realms[0], plan.environments[0]
        say(
            "each environment is encrypted for its own recipients, whose identity opens no other, and for "
            "the break-glass one, which opens all: keep that identity offline, for the day a server's is lost"
        )
        say(
            f"next: as {folder / 'README.md'} says, in {folder.resolve()};"
            f" the first secret: arcan realm create {realm} --env {environment} --key NAME"
            f"{'' if plan.in_files else ' --layout document'}"
        )


def _by_environment(
    environments: tuple[EnvironmentName, ...],
    recipients: tuple[_Recipient, ...],
    break_glass: tuple[str, ...],
) -> Mapping[EnvironmentName, tuple[str, ...]]:
    """The recipients of each environment but the break-glass ones. Raises `click.UsageError`."""
    found: dict[EnvironmentName, tuple[str, ...]] = {}
    for environment, _ in recipients:
        if environment is not None and environment not in environments:
            raise click.UsageError(
                f"--recipient {environment}=...: there is no environment '{environment}' (--env); "
                f"{did_you_mean(environment, environments)}"
            )
    for environment in environments:
        found[environment] = tuple(
            dict.fromkeys(text for given, text in recipients if given in (None, environment))
        )
    _refuse_missing([environment for environment, mine in found.items() if not mine], not break_glass)
    for environment, mine in found.items():
        if set(mine) & set(break_glass):
            raise click.UsageError(
                f"the break-glass recipient is one of environment '{environment}' too: its server would hold "
                "the identity that opens everything; make another one, and keep it offline"
            )
    return found


def _refuse_missing(environments: Sequence[EnvironmentName], no_break_glass: bool) -> None:
    """Raise `click.UsageError` with what is missing, why it is needed, and the options that make it."""
    why, options = [], []
    for environment in environments:
        why.append(
            f"environment '{environment}' has no recipient: its server needs an identity that opens this "
            "environment and no other, so that a cluster that is taken gives away its own secrets only"
        )
        options.append(f'--recipient {environment}="$(arcan keygen -o ~/arcan/{environment}.txt)"')
    if no_break_glass:
        why.append(
            "there is no break-glass recipient: when the one copy of a server's identity is lost, nothing "
            "opens its secrets any more; a second identity, kept offline, opens all of them"
        )
        options.append('--break-glass "$(arcan keygen -o ~/arcan/break-glass.txt)"')
    if why:
        raise click.UsageError(
            f"{'. And '.join(why)}. These options make identities outside of the repository: "
            + " ".join(options)
        )
