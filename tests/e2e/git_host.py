"""A Git host over HTTPS, on loopback: what Argo CD clones, and what a push reaches.

Git's own CGI program, `git http-backend`, answers; this is the web server in front of it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.https_host import HttpsHost, Quiet


class GitHost(HttpsHost):
    """Serves the bare repositories of a folder at `https://<host>/`."""

    def __init__(self, folder: Path, host: str, address: str) -> None:
        self.repositories = folder / "git"
        self.repositories.mkdir()
        super().__init__(folder, host, address, _handler(self.repositories))

    def create(self, path: str) -> Path:
        """An empty bare repository, served at `/<path>`."""
        place = self.repositories / path
        subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(place)], check=True)
        return place


def _handler(repositories: Path) -> type[Quiet]:
    class Handler(Quiet):
        def _ask_git(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(repositories),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(length),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_ADDR": self.client_address[0],
            }
            done = subprocess.run(
                ["git", "http-backend"],
                input=self.rfile.read(length),
                env=environment,
                check=False,
                capture_output=True,
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
            status = next((value for name, value in fields if name == "Status"), "200 OK")
            headers = [(name, value) for name, value in fields if name != "Status"]
            self.answer(int(status.split()[0]), body, *headers)

        do_GET = do_POST = _ask_git

    return Handler
