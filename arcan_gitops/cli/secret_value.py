"""Where a value comes from: a prompt, standard input or a file, and never an argument."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.hidden_prompt import ask_hidden
from arcan_gitops.cli.output import say
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName, nearest
from arcan_gitops.realms.importing import MAX_VALUE_BYTES, STANDARD_INPUT

_F = TypeVar("_F", bound=Callable[..., Any])

MAX_FILE_BYTES: Final = 8 * 1024 * 1024  # of a file that holds many values


def value_options(command: _F) -> _F:
    """`--stdin`, `--from-file` and `--keep-newline`, the arguments of `read_value`."""
    command = click.option(
        "--keep-newline",
        is_flag=True,
        help="Keep the line break at the end of a one-line value too.",
    )(command)
    command = click.option(
        "--from-file", type=click.Path(path_type=Path), metavar="FILE", help="Read the value from a file."
    )(command)
    return click.option("--stdin", is_flag=True, help="Read the value from standard input.")(command)


def refuse_arguments(extra: Sequence[str]) -> None:
    """Raise `click.UsageError` for what follows the key, which is not repeated, for it may be the value."""
    if not extra:
        return
    params = click.get_current_context().command.params
    options = [name for param in params for name in param.opts if name.startswith("--")]
    meant = nearest(extra[0].partition("=")[0], options) if extra[0].startswith("--") else None
    if meant is not None:
        raise click.UsageError(f"no such option; did you mean {meant}?")
    raise click.UsageError(
        "a value is never an argument: the list of processes and the shell's history would show it. "
        "Leave it out to be asked for it, or use --stdin or --from-file. "
        "What was given is not repeated here; if it was the value, choose another one."
    )


def read_value(key: KeyName, stdin: bool, from_file: Path | None, keep_newline: bool) -> str:
    """The text of the value. Raises `ArcanError`, and `click.UsageError` where nothing says where it is."""
    if stdin and from_file is not None:
        raise click.UsageError("--stdin and --from-file exclude each other")
    if from_file is not None:
        data = read_input(from_file, MAX_VALUE_BYTES)
    elif stdin:
        data = read_input(None, MAX_VALUE_BYTES)
    elif _stdin_is_a_terminal():
        return ask_hidden(f"value of {key}")
    else:
        raise click.UsageError("no value: there is no terminal to ask at; use --stdin or --from-file FILE")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ArcanError(
            "the value is not UTF-8 text, which is all that a key can hold",
            hint="store its base64 (base64 < FILE | arcan secret set ... --stdin), and have ESO decode it: "
            "decodingStrategy: Base64",
        ) from None
    line = text.removesuffix("\n")
    if keep_newline or line == text or "\n" in line:
        return text
    say("left out the line break at the end of the value (--keep-newline keeps it)")
    return line.removesuffix("\r")


def read_input(path: Path | None, limit: int) -> bytes:
    """The bytes of a file, which may be a pipe, or (None) of standard input.

    Raises `ArcanError` for input that is too long or cannot be read, `click.UsageError` for a terminal.
    """
    name = STANDARD_INPUT if path is None else str(path)
    if path is None and _stdin_is_a_terminal():
        raise click.UsageError("standard input is a terminal, which would show what is typed")
    if path is None and sys.stdin is None:
        raise ArcanError("standard input is closed")
    try:
        if path is None:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise ArcanError(f"{name}: cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise ArcanError(f"{name}: has more than the {limit} bytes that are taken")
    return data


def read_source(file: Path) -> tuple[bytes, str]:
    """What `read_input` gives of a file that holds many values, or (`-`) of standard input; and its name."""
    path = None if str(file) == "-" else file
    return read_input(path, MAX_FILE_BYTES), STANDARD_INPUT if path is None else str(path)


def _stdin_is_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()  # None: it was closed from the start
