"""Arguments and options that the commands of `arcan realm` share."""

from __future__ import annotations

from typing import Final

import click

from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.tree import Layout

REALM: Final = Parsed("realm", RealmName.parse)
ENVIRONMENT: Final = Parsed("env", EnvironmentName.parse)

_LAYOUT = click.Choice(tuple(layout.value for layout in (Layout.FILES, Layout.DOCUMENT)))
layout_option = click.option(
    "--layout",
    type=_LAYOUT,
    help="How a new environment lies on disk: a file for each key, or one document.  [default: as the others "
    "of the realm, else of the repository; the first: files, where a rule of .sops.yaml is for them]",
)
layout_of_repository_option = click.option(
    "--layout",
    type=_LAYOUT,
    default=Layout.FILES.value,
    show_default=True,
    help="How the first environment lies on disk, which later ones follow: a file for each key, or one "
    "document.",
)
realm_argument = click.argument("realm", type=REALM)
optional_realm_argument = click.argument("realm", type=REALM, required=False)
one_environment_option = click.option(
    "--env", "environment", type=ENVIRONMENT, help="This environment only. [default: all]"
)
