"""A Git host over HTTPS, on loopback: what Argo CD clones, and what a push reaches.

Git's own CGI program, `git http-backend`, answers; this is the web server in front of it.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arcan_gitops.certificates import issue, new_ca


class GitHost:
    """Serves the bare repositories of a folder at `https://<host>/`. Use as a context manager."""

    def __init__(self, folder: Path, host: str, address: str) -> None:
        self.repositories = folder / "git"
        self.repositories.mkdir()
        authority = new_ca()
        self.ca = folder / "git-ca.crt"
        self.ca.write_bytes(authority.chain())
        issued = issue(authority.certificate, authority.key, [host])
        chain, key = folder / "git.crt", folder / "git.key"
        chain.write_bytes(issued.chain())
        key.write_bytes(issued.private_key())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self._server = _Server((address, 443), _handler(self.repositories))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> GitHost:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create(self, path: str) -> Path:
        """An empty bare repository, served at `/<path>`."""
        place = self.repositories / path
        subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(place)], check=True)
        return place


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Say that it ends, as TLS wants it: Git's client takes anything else for an attack."""
        with suppress(OSError):
            request.unwrap()
        super().shutdown_request(request)


def _handler(repositories: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
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
            self.send_response(int(status.split()[0]))
            for name, value in fields:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
