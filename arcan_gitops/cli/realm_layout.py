"""`arcan realm split` and `arcan realm join`: one document, or a file for each key."""

from __future__ import annotations

from pathlib import Path

import click

from arcan_gitops.cli.identities import held_identities, identity_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.realm_options import ENVIRONMENT, realm_argument
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.errors import some
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree, relayout

_environment_option = click.option(
    "--env", "environment", type=ENVIRONMENT, required=True, help="The environment of the realm: prod."
)
_THEN = "commit all of it together; where overlays are generated: arcan generate overlays"


@click.command()
@realm_argument
@_environment_option
@identity_options
@realms_option
def split(
    realm: RealmName,
    environment: EnvironmentName,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Make a file for each key of an environment.

    REALMS/REALM/ENV.sops.yaml becomes the folder REALMS/REALM/ENV, in which each KEY.sops.yaml is a SOPS
    document of one key. Values, ciphertext, versions and data key stay as they are, and so does what is
    served. From then on changes of different keys merge by themselves, and a value can be set without an
    identity. The rule in .sops.yaml must match the new files.

    The files are written and read back before the document goes; run it again if it was interrupted.
    """
    tree = RealmTree(realms)
    warn_of_ignored(realms)
    done = relayout.split(tree, realm, environment, held_identities(identity_file, passphrase_file))
    say(f"split {realm}/{environment}: {done.keys} key(s), each in a file of {done.path}; {_THEN}")
    if done.drifting:
        warn(
            f"{some(done.drifting)}: not for whom the rule in .sops.yaml says, as before: "
            f"arcan realm rotate {realm} --env {environment}"
        )


@click.command()
@realm_argument
@_environment_option
@identity_options
@realms_option
def join(
    realm: RealmName,
    environment: EnvironmentName,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    realms: Path,
) -> None:
    """Make one document of the key files of an environment.

    The reverse of 'arcan realm split'. Where all files have one data key, and the recipients that .sops.yaml
    names for the document, ciphertext and versions stay; else all is encrypted anew, by that rule.
    """
    tree = RealmTree(realms)
    warn_of_ignored(realms)
    done = relayout.join(tree, realm, environment, held_identities(identity_file, passphrase_file))
    anew = "" if done.kept else ", encrypted anew under one data key"
    say(f"joined {realm}/{environment}: {done.keys} key(s) in {done.path}{anew}; {_THEN}")
