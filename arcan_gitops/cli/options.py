"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

kustomize_option = click.option(
    "--kustomize-dir",
    type=click.Path(path_type=Path),
    default=Path("kustomize"),
    show_default=True,
    help="Folder of arcan.yaml and apps/.",
)

realms_option = click.option(
    "--realms",
    type=click.Path(path_type=Path),
    default=Path("realms"),
    show_default=True,
    envvar="ARCAN_REALMS",
    help="Folder of the realms.",
)
