"""Arguments and options that the commands of `arcan realm` share."""

from __future__ import annotations

from typing import Final

import click

from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.tree import Layout

REALM: Final = Parsed("realm", RealmName.parse)
ENVIRONMENT: Final = Parsed("env", EnvironmentName.parse)

layout_option = click.option(
    "--layout",
    type=click.Choice(tuple(layout.value for layout in Layout)),
    default=Layout.DOCUMENT.value,
    show_default=True,
    help="How a new environment lies on disk: one document, or a file for each key.",
)
realm_argument = click.argument("realm", type=REALM)
optional_realm_argument = click.argument("realm", type=REALM, required=False)
one_environment_option = click.option(
    "--env", "environment", type=ENVIRONMENT, help="This environment only. [default: all]"
)
