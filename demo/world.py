"""What the demo plays with: a clone, an identity in memory, a real server on loopback."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyrage

from demo.terminal import command_line, show

ROOT: Final = Path(__file__).resolve().parents[1]
STORE_HOST: Final = "arcan.arcan.svc"  # what the generated stores of prod call the server


class World:
    """One run of the demo.

    The identity and the tokens are handed over by environment variable and standard input: neither ever
    stands on a disk or a command line.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        self.ca = folder / "data" / "tls" / "ca.crt"
        self._log = folder / "server.log"
        identity = pyrage.x25519.Identity.generate()
        self.recipient = str(identity.to_public())
        foreign = ("SOPS_", "ARCAN_", "GIT_")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "HOME": str(folder),
            "SOPS_AGE_KEY": str(identity),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        for who in ("AUTHOR", "COMMITTER"):
            self._environment |= {f"GIT_{who}_NAME": "Demo", f"GIT_{who}_EMAIL": "demo@example.invalid"}
        self._server: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._tls: ssl.SSLContext | None = None

    def run(
        self,
        *command: str,
        data: str | None = None,
        quiet: bool = False,
        also: str = "",
        folder: Path | None = None,
        without_identity: bool = False,
    ) -> str:
        """Run a command in the clone, or in a folder, show it unless `quiet`, and return its standard output.

        `also` is a second identity for this one command. Ends the demo where the command fails.
        """
        if not quiet:
            command_line(command)
        environment = dict(self._environment)
        if also:
            environment["SOPS_AGE_KEY"] += f"\n{also}"
        if without_identity:
            del environment["SOPS_AGE_KEY"]
        done = subprocess.run(
            command,
            input=data,
            cwd=folder or (self.clone if self.clone.exists() else self.folder),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(
                f"demo: {command[0]} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout

    def commit(self, message: str) -> None:
        """Commit all that changed."""
        self.run("git", "commit", "--quiet", "--all", "--message", message, quiet=True)

    def start_server(self) -> None:
        """Start `arcan serve` on a free loopback port, with a CA of its own, and show its log."""
        command = ["arcan", "serve", "--data-dir", str(self.folder / "data"), "--port", "0"]
        command += ["--binding", "required", "--drain-delay", "0.5"]
        command += ["--tls-host", STORE_HOST, "--tls-host", "localhost"]
        command_line(command, " &")
        with self._log.open("wb") as log, (self.folder / "audit.log").open("wb") as audit:
            self._server = subprocess.Popen(
                command,
                cwd=self.clone,
                env=self._environment,
                stdout=audit,
                stderr=log,
                start_new_session=True,
            )
        self.wait("the server", lambda: "serving revision" in self._log.read_text())
        show(self.log())
        self._port = int(self._log.read_text().rsplit(":", 1)[1])
        self._tls = ssl.create_default_context(cafile=str(self.ca))

    def stop_server(self) -> None:
        """SIGTERM, and wait for the end of the drain."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGTERM)
            try:
                self._server.wait(30)
            except subprocess.TimeoutExpired:
                self._server.kill()

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"127.0.0.1:{self._port}"

    def log(self, level: str = "") -> str:
        """The lines of the server's log, without their times."""
        lines = (line.split(" ", 1)[1] for line in self._log.read_text().splitlines())
        return "\n".join(line for line in lines if line.startswith(level))

    def audit(self) -> str:
        """The audit log so far."""
        return (self.folder / "audit.log").read_text()

    def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """(status, JSON body) of one request."""
        request = urllib.request.Request(f"https://localhost:{self._port}{path}")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=10) as answer:  # noqa: S310 - https
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ready(self) -> dict[str, str]:
        """What `/readyz` says."""
        body: dict[str, str] = self.get("/readyz")[1]
        return body

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; end the demo where it never does."""
        end = time.monotonic() + 20
        while not condition():
            if time.monotonic() > end or (self._server is not None and self._server.poll() is not None):
                raise SystemExit(f"demo: waited in vain for {what}:\n{self._log.read_text()}")
            time.sleep(0.05)
