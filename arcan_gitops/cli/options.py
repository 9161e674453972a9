"""Options that several commands share. The default folders are those of the repository, see `root`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.output import warn
from arcan_gitops.cli.root import CLUSTERS, KUSTOMIZE, REALMS, at_root

_F = TypeVar("_F", bound=Callable[..., Any])
_JSON: Final = "--json"

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

clusters_option = click.option(
    "--clusters",
    type=click.Path(path_type=Path),
    default=partial(at_root, CLUSTERS),
    envvar="ARCAN_CLUSTERS",
    help="Folder of the clusters' keys.  [default: clusters]",
)


def format_option(
    formats: Iterable[str], *, help: str | None = None, default: str = "text", old: str | None = "--output"
) -> Callable[[_F], _F]:
    """`--format`, which the command gets as `style`.

    `old` is how it was spelled once, if it was: it is hidden, and still works, with a warning. `--json` is a
    flag.
    """
    choice = click.Choice(tuple(formats))
    flag: Any = {"is_flag": True} if old == _JSON else {"type": choice}

    def take_old(context: click.Context, _: click.Parameter, value: str | bool | None) -> None:
        if not value:
            return
        name = "json" if value is True else str(value)
        warn(f"{old} is now called --format: write --format {name}")
        context.default_map = {**(context.default_map or {}), "style": name}

    def add(command: _F) -> _F:
        shown = click.option("--format", "style", type=choice, default=default, show_default=True, help=help)
        if old is None:
            return shown(command)
        hidden = click.option(
            old, "old_format", **flag, hidden=True, expose_value=False, is_eager=True, callback=take_old
        )
        return shown(hidden(command))

    return add
