"""The real `arcan serve` in a process of its own, on a free loopback port, over real TLS."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcan_gitops.access import mint
from arcan_gitops.audit.fields import FOLLOWS, SEALED
from tests.support.realm_files import RealmFiles

ARCAN = [sys.executable, "-c", "from arcan_gitops.cli import main; main()"]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        code: str = self.json["error"]["code"]
        return code


def create_token(files: RealmFiles, realm: str, name: str, *options: str) -> str:
    """A token of the realm, made by the CLI as a user makes it."""
    command = [
        *ARCAN,
        "token",
        "create",
        "--realm",
        realm,
        "--name",
        name,
        "--realms",
        str(files.root),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def decisions(text: str) -> list[dict[str, Any]]:
    """The lines of an audit log, without those that chain them."""
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if line.get("event") not in (*SEALED, FOLLOWS)]


def unknown_token() -> str:
    """A well-formed token that no realm knows."""
    return mint().text.reveal()


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has ended when the block has, however that ends: asked first, then killed."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class LiveServer:
    """One server. Use as a context manager; `get` opens a new TLS connection for each request."""

    def __init__(
        self, files: RealmFiles, folder: Path, *options: str, within: Sequence[str] = (), **environment: str
    ) -> None:
        """`within` is a command that runs the one after it: `prlimit --nofile=160`."""
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.audit_path = folder / "audit.log"
        self.log_path = folder / "server.log"
        self.ca = folder / "data" / "tls" / "ca.crt"
        self._command = [
            *within, *ARCAN, "serve", "--realms", str(files.root), "--identity-file", str(files.identity_file),
            "--data-dir", str(folder / "data"), "--port", "0", "--drain-delay", "0.5", *options,
        ]  # fmt: skip
        self._environment = {**os.environ, **environment}
        self.stdout: int | None = None  # where its standard output goes, if not into `audit_path`

    @contextmanager
    def starting(self) -> Iterator[LiveServer]:
        """The server as soon as its process runs. It has ended when the block has, however that ends."""
        with (
            self.audit_path.open("wb") as audit,
            self.log_path.open("wb") as log,
            started(
                self._command,
                stdout=audit if self.stdout is None else self.stdout,
                stderr=log,
                env=self._environment,
            ) as self.process,
        ):
            yield self

    def __enter__(self) -> LiveServer:
        with ExitStack() as stack:
            stack.enter_context(self.starting())
            self.port = int(self.wait_for_log(r"https://127\.0\.0\.1:(\d+)")[1])
            self.wait(lambda: self.get("/readyz").status == 200)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def audit(self) -> list[dict[str, Any]]:
        """Its lines, without those that chain them."""
        return decisions(self.audit_path.read_text())

    def wait_for_log(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        """The first match of the pattern in the log, once it is there."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            assert self.process.poll() is None, self.log
            match = re.search(pattern, self.log)
            found.extend([match] if match else [])
            return bool(found)

        self.wait(look, seconds)
        return found[0]

    def wait(self, condition: Any, seconds: float = 20) -> None:
        """Wait until the condition holds; a refused connection counts as not yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s in vain; the log:\n{self.log}")

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.port, context=self.tls(), timeout=10)

    def get(self, target: str, token: str | None = None, *, method: str = "GET", **headers: str) -> Answer:
        """One request on a connection of its own; `target` goes out as it is."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = self.connect()
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def reload(self) -> None:
        """SIGHUP, and wait until it has taken effect."""
        seen = self.log.count("serving revision")
        self.process.send_signal(signal.SIGHUP)
        self.wait(lambda: self.log.count("serving revision") > seen)

    def ready(self) -> dict[str, Any]:
        body: dict[str, Any] = self.get("/readyz").json
        return body
