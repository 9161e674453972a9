"""What Prometheus reads, on a port of its own: a network policy lets the scraper in to this and no further.

All of it is what the main process knows: gauges, so that no request has anything to count. Names of realms,
environments and tokens stand in Git; nothing here is secret.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final

from arcan_gitops import __version__
from arcan_gitops.access.record import newest
from arcan_gitops.realms import Snapshot
from arcan_gitops.server.board import Board
from arcan_gitops.server.gauges import Field, Gauges
from arcan_gitops.server.tls import Certificate

INFO: Final = "arcan_info"
RELOAD_FAILED: Final = "arcan_reload_failed"
KEYS: Final = "arcan_keys"
TOKEN_EXPIRY: Final = "arcan_token_expiry_timestamp_seconds"
AUDIT_FAILING: Final = "arcan_audit_failing"
CERTIFICATE_EXPIRY: Final = "arcan_certificate_expiry_timestamp_seconds"

# Every metric there is, all of them gauges, with what Prometheus shows as its help.
METRICS: Final = {
    INFO: "1; the version of the server, and the revision that it answers from.",
    RELOAD_FAILED: "1 where the last reload left a realm at its last good state, else 0.",
    KEYS: "How many keys an environment has.",
    TOKEN_EXPIRY: "When a token ends, in Unix time; of a rotated token, the new one. Without an end: none.",
    AUDIT_FAILING: "1 while the audit log cannot be written, so that every read is answered 503, else 0.",
    CERTIFICATE_EXPIRY: "When the certificate that is served ends, in Unix time.",
}

_PATH: Final = "/metrics"
_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = 5.0  # for each step of a connection; they are served one after the other


def exposition(
    snapshot: Snapshot, certificate: Certificate, *, reload_failed: bool, audit_failing: bool
) -> str:
    """All metrics in Prometheus's text format 0.0.4."""
    samples = {
        INFO: [(f'{{version="{__version__}",revision="{snapshot.revision}"}}', 1.0)],
        RELOAD_FAILED: [("", float(reload_failed))],
        KEYS: list(_keys(snapshot)),
        TOKEN_EXPIRY: list(_token_expiries(snapshot)),
        AUDIT_FAILING: [("", float(audit_failing))],
        CERTIFICATE_EXPIRY: [("", certificate.expires.timestamp())],
    }
    lines: list[str] = []
    for name, text in METRICS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += [f"{name}{labels} {value:.0f}" for labels, value in samples[name]]
    return "\n".join(lines) + "\n"


def _keys(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    for realm, environments in sorted(snapshot.environments.items()):
        for environment, loaded in sorted(environments.items()):
            yield f'{{realm="{realm}",environment="{environment}"}}', len(loaded.values)


def _token_expiries(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    """Names are of a grammar that needs no escapes."""
    for realm, tokens in sorted(snapshot.tokens.items()):
        for name in sorted({record.name for record in tokens.records}):
            record = newest(tokens.records, name)
            if record is not None and record.expires is not None:
                yield f'{{realm="{realm}",token="{name}"}}', record.expires.timestamp()


class MetricsServer(HTTPServer):
    """Answers `GET /metrics` over TLS, on a thread of the main process."""

    def __init__(
        self, listener: socket.socket, certificate: Certificate, board: Board, gauges: Gauges
    ) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        listener.setblocking(True)
        self.socket = listener
        self._certificate = certificate
        self._board = board
        self._gauges = gauges
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._tls.load_cert_chain(certificate.cert, certificate.key, password="")

    def start(self) -> None:
        """Start answering; the thread ends with the process."""
        threading.Thread(target=self.serve_forever, name="arcan-metrics", daemon=True).start()

    def text(self) -> bytes:
        """The metrics as of now."""
        snapshot, failed = self._board.held, self._board.reload_failed()
        stalled = any(row[Field.AUDIT_FAILING] for row in self._gauges.taken())
        return exposition(snapshot, self._certificate, reload_failed=failed, audit_failing=stalled).encode()

    def finish_request(self, request: object, client_address: object) -> None:
        """One connection: the handshake, and one request."""
        assert isinstance(request, socket.socket)
        request.settimeout(_SECONDS)
        with self._tls.wrap_socket(request, server_side=True) as secure:
            _Handler(secure, client_address, self)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up, or that does not trust the certificate, is no event of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    server_version = "arcan"
    sys_version = ""

    def do_GET(self) -> None:
        """The metrics; and never 404, which ESO takes for "deleted" where a store names this port."""
        found = self.path.partition("?")[0] == _PATH
        body = self.server.text() if found else b"this port answers GET /metrics\n"
        self.send_response(200 if found else 400)
        self.send_header("Content-Type", _CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a scrape is not worth a line."""
