"""A command that prints private keys: SOPS_AGE_KEY_CMD and SOPS_AGE_SSH_PRIVATE_KEY_CMD."""

from __future__ import annotations

import shlex
import subprocess
from typing import Final

from arcan_gitops.errors import ArcanError

_TIMEOUT_SECONDS: Final = 60  # somebody may have to touch a security key


class CommandFailed(ArcanError):
    """The command did not print keys. Nothing that it printed is in the message."""


def output_of(command: str, name: str, timeout: float = _TIMEOUT_SECONDS) -> bytes:
    """What the command prints. It is split as a shell would, and run without one, in our environment.

    `name` is the variable that holds it. Source: getsops/sops age/keysource.go (SopsAgeKeyCmdEnv).
    Raises `CommandFailed`.
    """
    hint = "run the command by hand: it must print the private key on standard output"
    try:
        words = shlex.split(command)
    except ValueError:
        raise CommandFailed(f"{name}: a quote that is not closed", hint=hint) from None
    if not words:
        raise CommandFailed(f"{name}: no command", hint=hint)
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{name}: no answer after {timeout:g} s", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "not a program"
        raise CommandFailed(f"{name}: cannot be run: {reason}", hint=hint) from None
    if done.returncode != 0:
        raise CommandFailed(f"{name}: ended with exit status {done.returncode}", hint=hint)
    return done.stdout
