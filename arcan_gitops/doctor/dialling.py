"""One connection, step by step: DNS, TCP, TLS. No request is sent, and nothing that is secret.

The certificates are read whether or not they can be trusted: `chain.judge` says what is wrong with them.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cryptography import x509

TIMEOUT: Final = 10.0


class Step(StrEnum):
    """How far a connection came: the step that failed, or `DONE`."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of a connection to `host`:`port`.

    `problem`: why `step` failed. `shown`: the server's certificates, the leaf first. `is_public`: whether the
    roots of this machine trust them for `host`.
    """

    host: str
    port: int
    step: Step
    problem: str = ""
    addresses: tuple[str, ...] = ()
    shown: tuple[x509.Certificate, ...] = ()
    is_public: bool = False


def reach(
    host: str, port: int, connect_to: tuple[str, int] | None = None, timeout: float = TIMEOUT
) -> Reached:
    """Connect to `host` (or, for `host`, to the address `connect_to`), and look at its certificates."""
    place = dialled, dialled_port = connect_to or (host, port)
    try:
        found = socket.getaddrinfo(dialled, dialled_port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Reached(host, port, Step.DNS, f"{dialled} does not resolve")
    addresses = tuple(dict.fromkeys(str(place[0]) for *_, place in found))
    try:
        with socket.create_connection(place, timeout) as plain:
            shown = _shown(plain, host)
    except ssl.SSLError as error:
        return Reached(host, port, Step.TLS, _tls_problem(error), addresses)
    except OSError as error:
        step = Step.TLS if isinstance(error, _Broken) else Step.TCP
        return Reached(host, port, step, _socket_problem(error), addresses)
    is_public = _is_public(host, place, timeout)
    return Reached(host, port, Step.DONE, "", addresses, shown, is_public)


class _Broken(OSError):
    """The connection broke after it was made."""


def _shown(plain: socket.socket, host: str) -> tuple[x509.Certificate, ...]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # to read what is wrong; nothing is sent over this connection
    try:
        with context.wrap_socket(plain, server_hostname=host) as secured:
            return tuple(map(x509.load_der_x509_certificate, _chain(secured)))
    except ssl.SSLError:
        raise
    except (OSError, ValueError) as error:
        raise _Broken(getattr(error, "errno", None), str(error)) from None


def _chain(secured: ssl.SSLSocket) -> list[bytes]:
    public: Any = getattr(secured, "get_unverified_chain", None)  # since Python 3.13
    if public is not None:
        return list(public() or ())
    inner: Any = secured._sslobj  # type: ignore[attr-defined]
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()]


def _is_public(host: str, place: tuple[str, int], timeout: float) -> bool:
    try:
        with (
            socket.create_connection(place, timeout) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host),
        ):
            return True
    except (OSError, ValueError):
        return False


def _tls_problem(error: ssl.SSLError) -> str:
    if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "the port does not speak TLS"
    return f"no TLS: {(error.reason or 'handshake failure').lower().replace('_', ' ')}"


def _socket_problem(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return os.strerror(error.errno).lower() if error.errno else "the connection broke off"
