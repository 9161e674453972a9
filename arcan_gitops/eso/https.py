"""The real transport: Go's `http.Client` as ESO configures it, over sockets.

HTTP/1.1 only, TLS 1.2 or newer, one connection that is kept for the next request, gzip decoded, redirects
followed. What differs from Go: no HTTP/2 and no proxy for a store without a CA (ESO uses both there).
Source: webhook.go `GetHTTPClient`, Go net/http; measured with ESO itself
"""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin

from arcan_gitops.eso.errors import NotSupported
from arcan_gitops.eso.network_errors import call_failed
from arcan_gitops.eso.transport import CallFailed, Client, Request, Response
from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.url import Url

_MOST_REDIRECTS: Final = 10
_USER_AGENT: Final = "Go-http-client/1.1"
# net/http's reqWriteExcludeHeader: these it writes itself, whatever the store's headers say.
_WRITTEN_BY_US: Final = frozenset({"Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer"})
_SENSITIVE: Final = frozenset({"Authorization", "Www-Authenticate", "Cookie", "Cookie2"})
_TIMED_OUT: Final = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
_TIMED_OUT_READING: Final = (
    "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
)
_TARGET: Final = re.compile(r"[!-~\x80-\U0010ffff]+")
_LONE_CONNECTION: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class NetTransport:
    """Sockets.

    `connect_to` is the address that every connection goes to, whatever host the store names (TLS still
    verifies the store's host). `patience`, in seconds, is how long to wait where a store sets no timeout:
    ESO would wait for ever.
    """

    def __init__(self, *, connect_to: tuple[str, int] | None = None, patience: float = 30.0) -> None:
        self._connect_to = connect_to
        self._patience = patience

    def dial(self, host: str, port: int, timeout: float) -> None:
        """Connect and close, without TLS. Raises `CallFailed`."""
        try:
            self.connect(host, port, time.monotonic() + timeout).close()
        except (OSError, ValueError) as error:
            raise call_failed(error, host) from None

    def client(self, ca_certificates: str | None, timeout: float | None) -> Client:
        """A client with connections of its own."""
        return _NetClient(self, _tls_context(ca_certificates), timeout or self._patience, bool(timeout))

    def connect(self, host: str, port: int, deadline: float) -> socket.socket:
        """A connected TCP socket: the first address of the host that answers.

        Raises `OSError` (its `filename` says what was dialled), `ValueError` for an invalid host, and
        `CallFailed`.
        """
        host, port = self._connect_to or (host, port)
        if port > 65535:
            raise CallFailed(f"dial tcp: address {port}: invalid port")
        problem = OSError()
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # one address at least
        for family, kind, protocol, _, place in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                connection.connect(place)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            except OSError as error:
                connection.close()
                numeric = str(place[0])
                shown = f"[{numeric}]" if family == socket.AF_INET6 else numeric
                error.filename = f"dial tcp {shown}:{port}"
                problem = error
        raise problem


def _tls_context(ca_certificates: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Go trusts any certificate of the pool, also one that is not a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if ca_certificates is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=ca_certificates)
    return context


class _Connection(http.client.HTTPConnection):
    """http.client's, with a socket of ours."""

    def __init__(
        self, transport: NetTransport, url: Url, tls: ssl.SSLContext | None, deadline: float
    ) -> None:
        super().__init__(url.host, url.dial_port)
        self._transport = transport
        self._tls = tls
        self._socket: socket.socket | None = None  # http.client drops its own before the last byte is read
        self.deadline = deadline
        self.used = False

    def connect(self) -> None:
        plain = self._transport.connect(self.host, self.port, self.deadline)
        try:
            self.sock = (
                plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self.host)
            )
        except (OSError, ValueError):
            plain.close()
            raise
        self._socket = self.sock

    def limit(self, deadline: float) -> None:
        """No operation may now take longer than until `deadline`."""
        self.deadline = deadline
        if self._socket is not None and self._socket.fileno() >= 0:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))


class _NetClient:
    def __init__(self, transport: NetTransport, tls: ssl.SSLContext, timeout: float, limited: bool) -> None:
        self._transport = transport
        self._tls = tls
        self._timeout = timeout
        self._limited = limited
        self._connections: dict[tuple[str, str, int], _Connection] = {}

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def send(self, request: Request) -> Response:
        deadline = time.monotonic() + self._timeout
        first, redirects = request.url.host, 0
        while True:
            response, location = self._exchange(request, deadline)
            if location is None:
                return response
            redirects += 1
            if redirects >= _MOST_REDIRECTS:
                raise CallFailed(f"stopped after {_MOST_REDIRECTS} redirects")
            request = _redirected(request, response.status, location, first)

    def _exchange(self, request: Request, deadline: float) -> tuple[Response, str | None]:
        """One request and its answer, and where a redirect leads."""
        url = request.url
        if url.scheme not in ("http", "https"):
            raise CallFailed(f'unsupported protocol scheme "{url.scheme}"')
        if not url.host:
            raise CallFailed("http: no Host in request URL")
        if _TARGET.fullmatch(url.target) is None:
            raise NotSupported("a space in the query of a URL")
        connection = self._connection(url, deadline)
        try:
            try:
                answer = self._ask(connection, request)
            except _LONE_CONNECTION:
                if not connection.used:
                    raise
                connection.close()  # the server had closed the idle connection: Go asks once more
                connection.used = False
                answer = self._ask(connection, request)
            connection.used = not answer.will_close
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            connection.used = False
            if isinstance(error, TimeoutError) and not getattr(error, "filename", None):
                raise CallFailed(self._overdue(_TIMED_OUT)) from None
            raise call_failed(error, url.host) from None
        return self._read(connection, answer, "Accept-Encoding" not in request.headers)

    def _connection(self, url: Url, deadline: float) -> _Connection:
        key = (url.scheme, url.host, url.dial_port)
        if key not in self._connections:
            tls = self._tls if url.scheme == "https" else None
            self._connections[key] = _Connection(self._transport, url, tls, deadline)
        connection = self._connections[key]
        connection.limit(deadline)
        return connection

    def _ask(self, connection: _Connection, request: Request) -> http.client.HTTPResponse:
        headers = dict(request.headers)
        connection.putrequest(request.method, request.url.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", request.url.host_header)
        connection.putheader("User-Agent", _wire(headers.get("User-Agent", _USER_AGENT)))
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(request.body)))
        for name in sorted(headers.keys() - _WRITTEN_BY_US):
            connection.putheader(name, _wire(headers[name]))
        if "Accept-Encoding" not in headers:
            connection.putheader("Accept-Encoding", "gzip")
        connection.endheaders(request.body or None)
        return connection.getresponse()

    def _read(
        self, connection: _Connection, answer: http.client.HTTPResponse, decode: bool
    ) -> tuple[Response, str | None]:
        try:
            body = b""
            while piece := answer.read1():
                body += piece
                connection.limit(connection.deadline)
            if answer.length:
                raise http.client.IncompleteRead(body)
            answer.close()
            if decode and answer.headers.get("Content-Encoding", "").lower() == "gzip":
                body = gzip.decompress(body)
        except TimeoutError:
            connection.close()
            raise CallFailed(self._overdue(_TIMED_OUT_READING), while_reading=True) from None
        except (OSError, http.client.HTTPException):
            connection.close()
            raise CallFailed("unexpected EOF", while_reading=True) from None
        except (EOFError, zlib.error):
            raise CallFailed("gzip: invalid header", while_reading=True) from None
        reason = answer.reason.encode("latin-1").decode("utf-8", "replace")
        location = answer.headers.get("Location") if answer.status in (301, 302, 303, 307, 308) else None
        return Response(answer.status, f"{answer.status} {reason}".rstrip(), body), location

    def _overdue(self, text: str) -> str:
        if self._limited:
            return text
        return f"no answer within {self._timeout:g}s (the store sets no timeout: ESO would wait for ever)"


def _wire(value: str) -> bytes:
    return value.strip(" \t").encode("utf-8", "surrogateescape")


def _redirected(request: Request, status: int, location: str, first_host: str) -> Request:
    """The next request of a chain: 307 and 308 keep the method, the others make it a GET.

    Credentials go on to the first host and its subdomains only (net/http `shouldCopyHeaderOnRedirect`).
    """
    try:
        url = go_url.parse(urljoin(request.url.text, location))
    except GoError as error:
        raise CallFailed(f"failed to parse Location header: {error}") from None
    headers: Mapping[str, str] = request.headers
    if url.host != first_host and not url.host.endswith(f".{first_host}"):
        headers = {name: value for name, value in headers.items() if name not in _SENSITIVE}
    if status in (307, 308):
        return Request(request.method, url, headers, request.body)
    method = request.method if request.method in ("GET", "HEAD") else "GET"
    return Request(method, url, headers)
