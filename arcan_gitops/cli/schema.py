"""`arcan schema`: what editors check files by."""

from __future__ import annotations

import json

import click

from arcan_gitops.overlay import app_schema


@click.group()
def schema() -> None:
    """Print the JSON Schemas of the files that people write."""


@schema.command()
def app() -> None:
    """Print the JSON Schema of an app's file.

    Save it, and name it in the first line of each file:
    # yaml-language-server: $schema=../app.schema.json
    """
    click.echo(json.dumps(app_schema(), indent=2))
