"""HTTPS on loopback under a CA of the test's: around a stand-in, or one that sends every client elsewhere."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from arcan_gitops.certificates import issue, new_ca


class TestAuthority:
    """`ca` is the file of a CA, under which a server of 127.0.0.1 has its certificate."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        made = new_ca()
        issued = issue(made.certificate, made.key, ["127.0.0.1"])
        self.ca, chain, key = (folder / name for name in ("ca.crt", "server.crt", "server.key"))
        self.ca.write_bytes(made.chain())
        chain.write_bytes(issued.chain())
        key.write_bytes(issued.private_key())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain, key)

    def wrap(self, server: ThreadingHTTPServer) -> str:
        """The address of the server, which speaks TLS from now on."""
        server.socket = self._context.wrap_socket(server.socket, server_side=True)
        return f"https://127.0.0.1:{server.server_address[1]}"

    @contextmanager
    def redirect(self, target: str) -> Iterator[str]:
        """The address of a server that sends each request to the same path of `target`, as it is (307)."""
        with redirecting(target) as server:
            yield self.wrap(server)


@contextmanager
def redirecting(target: str) -> Iterator[ThreadingHTTPServer]:
    """The same over plain HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(307)
            self.send_header("Location", target + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_LIST = handle_any

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
