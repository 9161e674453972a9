"""The options for what is not read natively: the getsops binary, and what it may open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.environment import home, take
from arcan_gitops.errors import ArcanError
from arcan_gitops.getsops import AllowList, Binary, Fallback, environment_for
from arcan_gitops.getsops.key_types import KEY_TYPES, NETWORK_VARIABLES

_F = TypeVar("_F", bound=Callable[..., Any])

_NOT_CONFIDENTIAL: Final = frozenset((*NETWORK_VARIABLES, *KEY_TYPES["pgp"].variables))


def sops_binary_options(command: _F) -> _F:
    """`--sops-binary`, `--allow-key-type` and `--allow-key-address`, for `document_opener`."""
    for option in (
        click.option(
            "--allow-key-address",
            multiple=True,
            envvar="ARCAN_ALLOW_KEY_ADDRESS",
            metavar="ADDRESS",
            help="An address it may contact: https://HOST:PORT of a vault; the ARN or ID of a key, or the "
            "beginning of one, up to a ':' or '/'. Repeatable.",
        ),
        click.option(
            "--allow-key-type",
            multiple=True,
            envvar="ARCAN_ALLOW_KEY_TYPE",
            type=click.Choice(list(KEY_TYPES)),
            metavar="TYPE",
            help=f"A key type that it may open: {', '.join(KEY_TYPES)}. Repeatable.",
        ),
        click.option(
            "--sops-binary",
            envvar="ARCAN_SOPS_BINARY",
            metavar="PATH",
            help="The sops program, for documents that are not read natively. Default: these are refused.",
        ),
    ):
        command = option(command)
    return command


def document_opener(
    sops_binary: str | None, allow_key_type: tuple[str, ...], allow_key_address: tuple[str, ...]
) -> Fallback:
    """What opens documents, by the options. Its `load` is like `arcan_gitops.sops.load`, and says which
    options a document would need.

    The confidential variables that the allowed key types need are taken out of the environment. Raises
    `click.UsageError`, and `ArcanError`, also where there is no such program.
    """
    allowed = AllowList.parse(allow_key_type, allow_key_address)
    if sops_binary is None:
        if allow_key_type or allow_key_address:
            raise click.UsageError("--allow-key-type and --allow-key-address need --sops-binary")
        return Fallback()
    program = shutil.which(sops_binary)
    if program is None:
        raise ArcanError(
            f"--sops-binary: {sops_binary}: there is no such program",
            hint="give the path of the sops program; https://github.com/getsops/sops has it",
        )
    variables = environment_for(allowed.types, os.environ, home())
    for name in variables.keys() - _NOT_CONFIDENTIAL:
        take(name)
    return Fallback(Binary(Path(program).absolute(), variables), allowed)
