"""The getsops binary: one document in, its values out, and nothing of what it prints in any message.

It gets the document on standard input, an empty directory to work in and as its home, an environment of few
variables, and so many seconds and bytes of output; only its exit status is reported.
Source of the exit statuses: getsops/sops cmd/sops/codes/codes.go.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from arcan_gitops.sops import NoMatchingIdentity, SopsError, Tampered

_NO_CONFIG: Final = ("--config", os.devnull)
_OLDEST: Final = (3, 9, 0)  # the first with the subcommand `decrypt`
_CHUNK: Final = 65_536
_BY_HAND: Final = "'sops decrypt FILE' says more, run by hand where the credentials are"


class BinaryFailed(SopsError):
    """The binary cannot be run, or did not answer as it should."""


@dataclass(frozen=True, slots=True)
class Binary:
    """One getsops binary and how it is run."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # and no other variables
    timeout: float = 30.0  # seconds for one document
    max_output: int = 64 * 1024 * 1024  # bytes

    def version(self) -> str:
        """`3.11.0`: what the binary says it is; no network is used. Raises `BinaryFailed`."""
        return _dotted(self._version())

    def require(self, oldest: tuple[int, int, int], purpose: str) -> None:
        """Raise `BinaryFailed` where the binary is older than what is needed for a purpose."""
        found = self._version()
        if found < oldest:
            raise BinaryFailed(
                f"{self.path}: is sops {_dotted(found)}, and {purpose} needs {_dotted(oldest)} or newer",
                hint="give a newer sops with --sops-binary; https://github.com/getsops/sops has it",
            )

    def _version(self) -> tuple[int, int, int]:
        status, output = self._run(["--disable-version-check", "--version"], b"", {})
        match = re.match(rb"sops v?([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})\b", output)
        if status != 0 or match is None:
            raise BinaryFailed(
                f"{self.path}: not the getsops binary: it does not tell a version",
                hint="give the program 'sops' of github.com/getsops/sops with --sops-binary",
            )
        found = (int(match[1]), int(match[2]), int(match[3]))
        if found < _OLDEST:
            raise BinaryFailed(
                f"{self.path}: is sops {_dotted(found)}, and {_dotted(_OLDEST)} or newer is needed"
            )
        return found

    def decrypt(self, document: bytes, secrets: Mapping[str, str]) -> bytes:
        """The values of a document, which is YAML, as JSON; `secrets` are variables for this call.

        Raises `Tampered`, `NoMatchingIdentity` where no key of the document opens, and `BinaryFailed`.
        """
        arguments = [*_NO_CONFIG, "decrypt", "--input-type", "yaml", "--output-type", "json", "/dev/stdin"]
        status, output = self._run(arguments, document, secrets)
        if status == 0:
            return output
        told = f"the getsops binary refused it, exit status {status}"
        if status in (24, 25):
            raise Tampered(f"{told}: a value or the MAC does not authenticate")
        if status in (51, 52):
            raise Tampered(f"{told}: the MAC does not match, or is missing")
        if status == 128:
            raise NoMatchingIdentity(f"{told}: none of its keys gives the data key", hint=_BY_HAND)
        raise BinaryFailed(told, hint=_BY_HAND)

    def _run(self, arguments: list[str], data: bytes, secrets: Mapping[str, str]) -> tuple[int, bytes]:
        """(exit status, standard output); what it says on standard error is for nobody."""
        try:
            with tempfile.TemporaryDirectory(prefix="arcan-sops-") as empty:
                environment = {
                    "SOPS_DISABLE_VERSION_CHECK": "1",
                    **self.environment,
                    **secrets,
                    "HOME": empty,
                    "XDG_CONFIG_HOME": empty,
                }
                process = subprocess.Popen(
                    [str(self.path), *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd=empty,
                    env=environment,
                    start_new_session=True,
                )
                try:
                    return self._exchange(process, data)
                finally:
                    _end(process)
        except OSError as error:
            raise BinaryFailed(
                f"{self.path}: cannot be run: {error.strerror}", hint="name the program with --sops-binary"
            ) from None

    def _exchange(self, process: subprocess.Popen[bytes], data: bytes) -> tuple[int, bytes]:
        """Write and read at once, for either side may fill a pipe before it looks at the other one."""
        assert process.stdin is not None
        assert process.stdout is not None
        end = time.monotonic() + self.timeout
        left, output = memoryview(data), bytearray()
        with selectors.DefaultSelector() as waiting:
            for pipe, event in (
                (process.stdin, selectors.EVENT_WRITE),
                (process.stdout, selectors.EVENT_READ),
            ):
                os.set_blocking(pipe.fileno(), False)
                waiting.register(pipe, event)
            while waiting.get_map():
                for key, _ in waiting.select(max(0.0, end - time.monotonic())):
                    if key.fileobj is process.stdout:
                        chunk = os.read(key.fd, _CHUNK)
                        output += chunk
                        if len(output) > self.max_output:
                            raise BinaryFailed(
                                f"the getsops binary printed more than {self.max_output} bytes"
                            )
                        if not chunk:
                            waiting.unregister(process.stdout)
                    else:
                        left = _written(process.stdin, left)
                        if not left:
                            waiting.unregister(process.stdin)
                            with contextlib.suppress(BrokenPipeError):
                                process.stdin.close()
                if time.monotonic() >= end:
                    raise self._late()
        try:
            return process.wait(max(0.0, end - time.monotonic())), bytes(output)
        except subprocess.TimeoutExpired:
            raise self._late() from None

    def _late(self) -> BinaryFailed:
        return BinaryFailed(
            f"the getsops binary gave no answer within {self.timeout:g} s",
            hint="perhaps what it contacts for the key does not answer; " + _BY_HAND,
        )


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))


def _written(pipe: IO[bytes], data: memoryview) -> memoryview:
    """What is left to write; nothing once nobody reads."""
    try:
        return data[os.write(pipe.fileno(), data[:_CHUNK]) :] if data else data
    except BrokenPipeError:
        return data[:0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop the binary and what it started, if they still run, and close the pipes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
