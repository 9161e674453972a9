"""Options that several commands share. The default folders are those of the repository, see `root`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from arcan_gitops.cli.root import KUSTOMIZE, REALMS, at_root

kustomize_option = click.option(
    "--kustomize-dir",
    type=click.Path(path_type=Path),
    default=partial(at_root, KUSTOMIZE),
    help="Folder of arcan.yaml and apps/.  [default: kustomize]",
)

realms_option = click.option(
    "--realms",
    type=click.Path(path_type=Path),
    default=partial(at_root, REALMS),
    envvar="ARCAN_REALMS",
    help="Folder of the realms.  [default: realms]",
)
