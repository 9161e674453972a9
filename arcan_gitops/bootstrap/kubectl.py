"""Wraps kubectl."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from arcan_gitops.errors import ArcanError

_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to; `out` may hold what is secret, and is in no repr."""

    status: int
    out: bytes = field(repr=False)
    error: str = field(repr=False)


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

    def answer(self, arguments: Sequence[str], environment: Mapping[str, str], data: bytes = b"") -> Answer:
        """The same for a command that may fail, with `data` as its standard input: nothing of it goes to
        standard error. Raises `ArcanError`.
        """
        done = self._completed(arguments, environment, subprocess.PIPE, subprocess.PIPE, data)
        return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))

    def _run(self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int) -> bytes | None:
        done = self._completed(arguments, environment, stdout, None)
        if done.returncode != 0:
            hint = "what kubectl said is above; try the command by itself"
            raise ArcanError(f"{_shown(arguments)} failed with status {done.returncode}", hint=hint)
        return done.stdout

    def _completed(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        stdout: int,
        stderr: int | None,
        data: bytes = b"",
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self.program, *arguments],
                input=data,
                stdout=stdout,
                stderr=stderr,
                timeout=_TIMEOUT_SECONDS,
                env=dict(environment),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ArcanError(
                f"{_shown(arguments)} took more than {_TIMEOUT_SECONDS} s",
                hint="does the cluster answer? kubectl get nodes",
            ) from None
        except OSError as error:
            raise ArcanError(f"kubectl cannot be run: {error.strerror}") from None


def _shown(arguments: Sequence[str]) -> str:
    return f"'kubectl {' '.join(arguments)}'"
