"""A real OpenBao, in development mode, on loopback: in memory, unsealed, with a key-value engine at `secret`."""

from __future__ import annotations

import http.client
import json
import secrets
from pathlib import Path
from typing import Any

from tests.e2e.process import Process, free_ports
from tests.e2e.programs import Programs


class OpenBao:
    """Use as a context manager."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        (self._port,) = free_ports(1)
        self.token = secrets.token_urlsafe(32)
        home = folder / "openbao"
        home.mkdir(mode=0o700)
        self._process = Process(
            [str(programs["bao"]), "server", "-dev", "-dev-no-store-token",
             f"-dev-listen-address=127.0.0.1:{self._port}"],
            {"HOME": str(home), "PATH": "/usr/bin:/bin", "BAO_DEV_ROOT_TOKEN_ID": self.token},
            folder / "openbao.log",
        )  # fmt: skip

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> OpenBao:
        self._process.start()
        try:
            self._process.wait_until(
                "OpenBao has its key-value engine", lambda: self._request("GET", "secret/config")[0] == 200
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def _request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, f"/v1/{path}", json.dumps(body), {"X-Vault-Token": self.token})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call that must succeed."""
        status, data = self._request(method, path, body)
        assert status in (200, 204), f"{method} {path}: {status} {data.decode(errors='replace')}"
        return json.loads(data) if data else None
