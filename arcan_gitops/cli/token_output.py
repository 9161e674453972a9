"""A new token on standard output, as itself or as the Kubernetes Secret that holds it; the rest on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from arcan_gitops.access import MintedToken
from arcan_gitops.cli.output import discard_output, say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import Namespace
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import emit

_F = TypeVar("_F", bound=Callable[..., Any])


def output_options(command: _F) -> _F:
    """`--output` and `--namespace`, the fields of `TokenPrinter`."""
    output = click.option(
        "--output",
        type=click.Choice(["token", "secret"]),
        default="token",
        show_default=True,
        help="The token alone, or the Kubernetes Secret that holds it.",
    )
    namespace = click.option(
        "--namespace",
        type=Parsed("namespace", Namespace.parse),
        help="The namespace in the manifest of the Secret.",
    )
    return output(namespace(command))


@dataclass(frozen=True, slots=True)
class TokenPrinter:
    """Prints a new token; made before the token is, so that nothing is recorded that cannot be shown."""

    output: str
    namespace: Namespace | None

    def __post_init__(self) -> None:
        if self.namespace is not None and self.output != "secret":
            raise click.UsageError("--namespace goes with --output secret")
        if sys.stdout is None:
            raise ArcanError(
                "standard output is closed: the token would be lost", hint="nothing was recorded; try again"
            )

    def print(self, minted: MintedToken, path: Path, lost: str) -> None:
        """Print a token that is recorded in `path`, before anything else is said of it.

        Raises `ArcanError` with the hint `lost` if it cannot be printed.
        """
        text = minted.text.reveal()
        try:
            click.echo(_manifest(text, self.namespace) if self.output == "secret" else f"{text}\n", nl=False)
        except (OSError, ValueError):
            discard_output()
            raise ArcanError(
                f"the token (id {minted.id}) is recorded in {path}, but could not be printed: it is lost",
                hint=lost,
            ) from None

    def say_next(self, path: Path) -> None:
        """What is left to do with the token that was printed."""
        say(f"commit {path}: a server accepts the token once it has read that file")
        if self.output == "token":
            say("this is the one time that the token is shown; put it into a Secret with the label")
            say(f"{SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}, or ESO refuses it: --output secret prints one")


def _manifest(text: str, namespace: Namespace | None) -> str:
    from arcan_gitops.overlay.opaque_secret import opaque_secret
    from arcan_gitops.overlay.settings import DEFAULTS  # slow to import, and rarely needed

    place = DEFAULTS.token_secret
    return emit([opaque_secret(place.name, namespace, {place.key: text}, labelled=True)])
