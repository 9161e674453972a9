"""`arcan keygen`: a new age identity."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from arcan_gitops.cli.output import say
from arcan_gitops.cli.private_files import new_private_file, refuse_work_tree
from arcan_gitops.sops import age


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The file for the private key; it must not exist yet, nor be inside a Git work tree.",
)
def keygen(output: Path) -> None:
    """Make an age identity, and print its recipient.

    FILE gets the private key, which opens every document that is encrypted for the recipient: mode 0600,
    in the format of age-keygen. The recipient (age1...) is public: it goes into .sops.yaml.

    \b
      arcan keygen -o ~/prod-identity.txt
    """
    refuse_work_tree(output)
    private, recipient = age.new_identity()
    now = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
    with new_private_file(output) as file:
        file.write(f"# created: {now}\n# public key: {recipient}\n{private}\n".encode("ascii"))
    click.echo(recipient)
    say(f"{output}: the private key, mode 0600: keep it out of Git, and a copy of it in a safe place")
