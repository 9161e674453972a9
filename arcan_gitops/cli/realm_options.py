"""Arguments and options that the commands of `arcan realm` share."""

from __future__ import annotations

from typing import Final

import click

from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.names import EnvironmentName, RealmName

REALM: Final = Parsed("realm", RealmName.parse)
ENVIRONMENT: Final = Parsed("env", EnvironmentName.parse)

realm_argument = click.argument("realm", type=REALM)
optional_realm_argument = click.argument("realm", type=REALM, required=False)
one_environment_option = click.option(
    "--env", "environment", type=ENVIRONMENT, help="This environment only. [default: all]"
)
