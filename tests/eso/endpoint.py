"""A real HTTPS endpoint on loopback that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "arcan.internal"


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Answer:
    """One answer; `reason` is the status line's text.

    `cut_short`: fewer bytes than promised; `hang_up`: the connection is closed after it without a word.
    """

    status: int = 200
    body: bytes = b""
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cut_short: bool = False
    hang_up: bool = False


@dataclass(frozen=True)
class Authority:
    """A throw-away CA and a server certificate of its."""

    ca: str
    certificate: Path


def make_authority(folder: Path, *, days: int = 1, host: str = HOST, address: bool = True) -> Authority:
    """An ECDSA P-256 CA; `days` below zero makes a server certificate that has expired."""
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away CA")])

    def build(subject: x509.Name, public_key: Any, until: datetime.datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=3))
            .not_valid_after(until)
        )

    ca = (
        build(issuer, ca_key.public_key(), now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName(host), x509.DNSName("localhost")]
    if address:
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    leaf = (
        build(subject, key.public_key(), now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(leaf.public_bytes(pem) + private)
    return Authority(ca.public_bytes(pem).decode("ascii"), path)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write an answer
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.connection_number = self.server.connections

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, dict(self.headers.items()), body, self.connection_number)
        self.server.asked.append(asked)
        answer = self.server.answer(asked)
        self.send_response_only(answer.status, answer.reason or None)
        length = len(answer.body) + (100 if answer.cut_short else 0)
        for name, value in {"Content-Length": str(length), **answer.headers}.items():
            self.send_header(name, value)
            if (name, value) == ("Connection", "close"):
                self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.cut_short or answer.hang_up:
            self.close_connection = True

    do_GET = do_POST = do_HEAD = do_PUT = _serve

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answer: Callable[[Asked], Answer]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.connections = 0
        self.dialled = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A dial without TLS, or a client that does not trust us: no concern of the test's output."""


class _TlsServer(_Server):
    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority.certificate)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake belongs in the connection's own thread."""
        self.dialled += 1
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class Endpoint:
    """The running server."""

    def __init__(self, server: _Server, authority: Authority | None) -> None:
        self._server = server
        self._authority = authority
        self.says(Answer(200, b'{"value":"s"}'))

    @property
    def port(self) -> int:
        """The loopback port."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect to."""
        return "127.0.0.1", self.port

    @property
    def ca(self) -> str:
        """The CA certificate, PEM."""
        assert self._authority is not None
        return self._authority.ca

    @property
    def asked(self) -> list[Asked]:
        """The requests so far."""
        return self._server.asked

    @property
    def connections(self) -> int:
        """How many connections have come as far as a request could be sent."""
        return self._server.connections

    @property
    def dialled(self) -> int:
        """How many TCP connections there were."""
        return self._server.dialled

    def says(self, answer: Answer | bytes | Callable[[Asked], Answer]) -> None:
        """The answer to everything from now on."""
        if isinstance(answer, bytes):
            answer = Answer(200, answer)
        fixed = answer
        self._server.answer = fixed if callable(fixed) else lambda _: fixed


@contextmanager
def serving(authority: Authority | None) -> Iterator[Endpoint]:
    """An endpoint over TLS, or without an authority over plain HTTP."""
    server = _Server() if authority is None else _TlsServer(authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Endpoint(server, authority)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
