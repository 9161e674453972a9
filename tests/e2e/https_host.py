"""A host that answers over HTTPS on loopback, under a CA of its own."""

from __future__ import annotations

import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from arcan_gitops.certificates import issue, new_ca


class HttpsHost:
    """Port 443 of an address, which a host name leads to. Use as a context manager."""

    def __init__(self, folder: Path, host: str, address: str, handler: type[BaseHTTPRequestHandler]) -> None:
        authority = new_ca()
        self.host = host
        self.ca = folder / f"{host}.ca.crt"
        self.ca.write_bytes(authority.chain())
        issued = issue(authority.certificate, authority.key, [host])
        chain, key = folder / f"{host}.crt", folder / f"{host}.key"
        chain.write_bytes(issued.chain())
        key.write_bytes(issued.private_key())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self._server = _Server((address, 443), handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Say that it ends, as TLS wants it: Git's client takes anything else for an attack."""
        with suppress(OSError):
            request.unwrap()
        super().shutdown_request(request)


class Quiet(BaseHTTPRequestHandler):
    """HTTP/1.1, and no line for each request."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
