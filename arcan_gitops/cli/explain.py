"""`arcan explain`."""

from __future__ import annotations

import click

from arcan_gitops.explanations import explanation, titles


@click.command()
@click.argument("rule", metavar="[ID]", required=False)
def explain(rule: str | None) -> None:
    """Print the page about a finding: what it means, an example, and what is right.

    ID is that of a finding of 'arcan review' or 'arcan lint', such as ARR103 or ARC020. Without one, lists
    them all.
    """
    if rule is not None:
        click.echo(explanation(rule), nl=False)
        return
    for name, title in titles().items():
        click.echo(f"{name}  {title}")
