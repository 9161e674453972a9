"""`arcan realm create`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from arcan_gitops.cli.imported_keys import map_option, renamed
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.realm_options import ENVIRONMENT, realm_argument
from arcan_gitops.cli.secret_target import KEY
from arcan_gitops.cli.secret_value import read_source, read_value, refuse_arguments, value_options
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.creating import plan_document
from arcan_gitops.realms.generating import KINDS
from arcan_gitops.realms.importing import read_values
from arcan_gitops.realms.place import Place
from arcan_gitops.realms.sops_config import SopsConfig


# An unknown option may be a value that starts with a dash, which click would repeat in its error.
@click.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@realm_argument
@click.option("--env", "environment", type=ENVIRONMENT, required=True, help="The environment: prod.")
@click.option("--key", type=KEY, help="The first key; its value is asked for.")
@value_options
@click.option("--generate", is_flag=True, help="Give the key a random password.")
@click.option(
    "--import",
    "imported",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Take the keys and values of FILE instead: dotenv, JSON, YAML or the manifest of a Kubernetes "
    "Secret; - is standard input.",
)
@map_option
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
    generate: bool,
    imported: Path | None,
    mapped: tuple[tuple[str, KeyName], ...],
    realms: Path,
) -> None:
    """Create the document of an environment.

    Creates the realm too, if it does not exist. The creation rule in .sops.yaml that matches the document's
    path says for whom it is encrypted, and which values. .sops.yaml is in the folder of the realms or the
    one above it. No identity is needed.

    A document has at least one key: the one of --key, whose value is asked for without showing it, or comes
    from --stdin, --from-file or --generate; or the keys of --import.
    """
    refuse_arguments(context.args)
    if (key is None) is (imported is None):
        raise click.UsageError("a document needs a key: name the first with --key NAME, or use --import FILE")
    if sum((generate, stdin, from_file is not None)) > 1:
        raise click.UsageError("--generate, --stdin and --from-file exclude each other")
    if mapped and imported is None:
        raise click.UsageError("--map goes with --import")
    if key is None and (generate or stdin or from_file is not None or keep_newline):
        raise click.UsageError("--generate, --stdin, --from-file and --keep-newline go with --key")
    tree = RealmTree(realms)
    warn_of_ignored(realms)
    creation = plan_document(tree, SopsConfig.required(tree.root), realm, environment)
    if (groups := len(creation.recipients.groups)) > 1:
        say(
            f"note: {creation.rule.name} has {groups} key groups: to open the document takes a recipient of "
            f"each of {creation.recipients.needed()} of them, together; where any one recipient is to be "
            "enough, list them all in one group"
        )
    values: Mapping[str, Any]
    if imported is not None:
        data, source = read_source(imported)
        place = Place(tree.root, realm, environment)
        values = renamed(read_values(data, source, place=place), dict(mapped), source)
    elif key is not None:
        password = KINDS["password"]
        value = password.generate(password.length) if generate else None
        values = {key: value or read_value(key, stdin, from_file, keep_newline)}
    creation.write(values)
    recipients = sum(map(len, creation.recipients.groups))
    say(
        f"created {creation.path}: {len(values)} key(s), for {recipients} recipient(s) ({creation.rule.name})"
    )
    say(f"commit it; more keys: 'arcan secret set {realm} KEY --env {environment}'")
