"""`arcan realm create`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from arcan_gitops.cli.identities import identity_options
from arcan_gitops.cli.imported_keys import map_option, renamed
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.realm_like import Ways, like_options, plan_keys, summary, values_like
from arcan_gitops.cli.realm_options import ENVIRONMENT, layout_option, realm_argument
from arcan_gitops.cli.secret_target import KEY, Target
from arcan_gitops.cli.secret_value import read_source, read_value, refuse_arguments, value_options
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.creating import Creation, plan_environment
from arcan_gitops.realms.generating import KINDS
from arcan_gitops.realms.importing import read_values
from arcan_gitops.realms.place import Place
from arcan_gitops.realms.sealing import Sealing
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.realms.tree import Layout


# An unknown option may be a value that starts with a dash, which click would repeat in its error.
@click.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@realm_argument
@click.option("--env", "environment", type=ENVIRONMENT, required=True, help="The environment: prod.")
@click.option("--key", type=KEY, help="The first key; its value is asked for.")
@value_options
@like_options
@click.option(
    "--import",
    "imported",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Take the keys and values of FILE instead: dotenv, JSON, YAML or the manifest of a Kubernetes "
    "Secret; - is standard input.",
)
@map_option
@layout_option
@identity_options
@realms_option
@click.pass_context
def create(
    context: click.Context,
    realm: RealmName,
    environment: EnvironmentName,
    key: KeyName | None,
    stdin: bool,
    from_file: Path | None,
    keep_newline: bool,
    like: EnvironmentName | None,
    copy: tuple[str, ...],
    generate: tuple[str, ...],
    ask: tuple[str, ...],
    imported: Path | None,
    mapped: tuple[tuple[str, KeyName], ...],
    layout: str | None,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Create an environment: a folder with a file for each key, or one document.

    Creates the realm too, if it does not exist. The creation rule in .sops.yaml that matches the path of a
    document, or key file, says for whom it is encrypted, and which values. .sops.yaml is in the folder of the
    realms or the one above it. No identity is needed.

    Where each key has a file, changes of different keys merge by themselves, and a value is set without an
    identity. A new environment has the layout of the others; that of --like, the layout of ENV. 'arcan realm
    split' and 'join' go from one layout to the other.

    An environment has at least one key: the one of --key, whose value is asked for without showing it, or
    comes from --stdin, --from-file or --generate; or the keys of --import; or those of another environment,
    with --like: each is then copied (which takes an identity), generated or asked for, as --copy, --generate
    and --ask say by name or glob, a name before a glob. No value is shown.
    """
    refuse_arguments(context.args)
    if sum(given is not None for given in (key, imported, like)) != 1:
        raise click.UsageError(
            "an environment needs a key: name the first with --key NAME, or use --import FILE or --like ENV"
        )
    if like is None:
        _refuse_globs(key, copy, generate, ask)
    if sum((like is None and bool(generate), stdin, from_file is not None)) > 1:
        raise click.UsageError("--generate, --stdin and --from-file exclude each other")
    if mapped and imported is None:
        raise click.UsageError("--map goes with --import")
    if key is None and (stdin or from_file is not None or keep_newline):
        raise click.UsageError("--stdin, --from-file and --keep-newline go with --key")
    tree = RealmTree(realms)
    warn_of_ignored(realms)
    other = None if like is None else Target(tree, realm, like, identity_file, passphrase_file)
    creation, chosen = _plan(
        tree,
        realm,
        environment,
        None if layout is None else Layout(layout),
        other,
        Ways(copy, generate, ask),
        [key] if key else [],
    )
    _tell_groups(creation.sealings(chosen or ([key] if key else [])).values())
    values: Mapping[str, Any]
    if other is not None:
        values = values_like(other, chosen)
    elif imported is not None:
        data, source = read_source(imported)
        place = Place(tree.root, realm, environment)
        values = renamed(read_values(data, source, place=place), dict(mapped), source)
    elif key is not None:
        password = KINDS["password"]
        value = password.generate(password.length) if generate else None
        values = {key: value or read_value(key, stdin, from_file, keep_newline)}
    creation.write(values)
    whom = ", ".join(_whom(creation.sealings(values).values()))
    say(f"created {creation.path}: {len(values)} key(s), for {whom}")
    for line in () if like is None else summary(chosen, like):
        say(line)
    say(f"commit it; more keys: 'arcan secret set {realm} KEY --env {environment}'")


def _refuse_globs(
    key: KeyName | None, copy: tuple[str, ...], generate: tuple[str, ...], ask: tuple[str, ...]
) -> None:
    """What goes with --like only. Raises `click.UsageError`."""
    if copy or ask or any(glob not in ("*", key) for glob in generate):
        raise click.UsageError("--copy, --ask and --generate KEY go with --like ENV")
    if generate and key is None:
        raise click.UsageError("--generate goes with --key or --like")


def _by_rule(sealings: Iterable[Sealing]) -> dict[str, Sealing]:
    return {sealing.rule.name: sealing for sealing in sealings}


def _whom(sealings: Iterable[Sealing]) -> Iterator[str]:
    for name, sealing in _by_rule(sealings).items():
        yield f"{sum(map(len, sealing.recipients.groups))} recipient(s) ({name})"


def _tell_groups(sealings: Iterable[Sealing]) -> None:
    for name, sealing in _by_rule(sealings).items():
        if (groups := len(sealing.recipients.groups)) > 1:
            say(
                f"note: {name} has {groups} key groups: to open the document takes a recipient of each of "
                f"{sealing.recipients.needed()} of them, together; where any one recipient is to be enough, "
                "list them all in one group"
            )


def _plan(
    tree: RealmTree,
    realm: RealmName,
    environment: EnvironmentName,
    layout: Layout | None,
    other: Target | None,
    ways: Ways,
    keys: Sequence[KeyName],
) -> tuple[Creation, Mapping[KeyName, str]]:
    """The environment to be, and what becomes of each key of the other. Raises all that is missing at once.

    `keys` are those of the environment to be that are known.
    """
    problems: list[ArcanError] = []
    creation: Creation | None = None
    chosen: Mapping[KeyName, str] = {}
    try:
        config = SopsConfig.required(tree.root)
        if layout is None and other is not None:
            layout = tree.environment(other.realm, other.environment).layout
        creation = plan_environment(tree, config, realm, environment, layout, keys)
    except ArcanError as error:
        problems.append(error)
    if other is not None:
        try:
            chosen = plan_keys(other, ways)
            if creation is not None:
                creation.sealings(chosen)
        except ArcanError as error:
            problems += error.problems if isinstance(error, SeveralErrors) else [error]
    if len(problems) == 1:
        raise problems[0]
    if creation is None or problems:
        raise SeveralErrors(f"{realm}/{environment} cannot be created:", problems)
    return creation, chosen
