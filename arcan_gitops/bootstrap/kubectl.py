"""Wraps kubectl."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from arcan_gitops.errors import ArcanError

_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A program that takes kubectl's arguments."""

    program: str

    @classmethod
    def find(cls) -> Self:
        """The one on PATH. Raises `ArcanError` if there is none."""
        program = shutil.which("kubectl")
        if program is None:
            raise ArcanError("kubectl is not on PATH", hint="install it, or run the command without --run")
        return cls(program)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Run one command; what it says of errors goes to standard error as it is. Raises `ArcanError`."""
        self._run(arguments, environment, subprocess.DEVNULL)

    def read(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bytes:
        """The same for a command whose output is wanted, and is shown nowhere."""
        return self._run(arguments, environment, subprocess.PIPE) or b""

    def _run(self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int) -> bytes | None:
        command = f"'kubectl {' '.join(arguments)}'"
        try:
            done = subprocess.run(
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                timeout=_TIMEOUT_SECONDS,
                env=dict(environment),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ArcanError(
                f"{command} took more than {_TIMEOUT_SECONDS} s",
                hint="does the cluster answer? kubectl get nodes",
            ) from None
        except OSError as error:
            raise ArcanError(f"kubectl cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            hint = "what kubectl said is above; try the command by itself"
            raise ArcanError(f"{command} failed with status {done.returncode}", hint=hint)
        return done.stdout
