"""Python's network errors in Go's words, so that they read as in an event of ESO's.

Source: Go net, crypto/tls, crypto/x509 and net/http. Nothing that the peer sent is quoted.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Final

from arcan_gitops.eso.transport import CallFailed

# X509_V_ERR_* of OpenSSL.
_UNKNOWN_AUTHORITY: Final = frozenset({2, 7, 18, 19, 20, 21, 27})
_OUTSIDE_ITS_TIME: Final = frozenset({9, 10})
_WRONG_HOST: Final = 62
_WRONG_ADDRESS: Final = 64

_TLS_ALERTS: Final[Mapping[str, str]] = {
    "TLSV1_ALERT_PROTOCOL_VERSION": "remote error: tls: protocol version not supported",
    "UNSUPPORTED_PROTOCOL": "tls: server selected unsupported protocol version",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "remote error: tls: handshake failure",
    "SSL/TLS_ALERT_HANDSHAKE_FAILURE": "remote error: tls: handshake failure",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "remote error: tls: certificate required",
    "TLSV1_UNRECOGNIZED_NAME": "remote error: tls: unrecognized name",
    "WRONG_VERSION_NUMBER": "http: server gave HTTP response to HTTPS client",
    "RECORD_LAYER_FAILURE": "http: server gave HTTP response to HTTPS client",
    "UNEXPECTED_EOF_WHILE_READING": "EOF",
}


def call_failed(error: Exception, host: str) -> CallFailed:
    """The `CallFailed` for an exception of a socket, of TLS or of http.client."""
    return CallFailed(_text(error, host))


def _text(error: Exception, host: str) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"tls: failed to verify certificate: x509: {_certificate_problem(error, host)}"
        case ssl.SSLEOFError() | http.client.RemoteDisconnected():
            return "EOF"
        case ssl.SSLError():
            reason = error.reason or "handshake failure"
            return _TLS_ALERTS.get(reason, f"tls: {reason.lower().replace('_', ' ')}")
        case http.client.HTTPException():
            return "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
        case socket.gaierror() | ValueError():
            return f"dial tcp: lookup {host}: no such host"
        case OSError():
            return _socket_problem(error)
        case _:  # pragma: no cover
            return type(error).__name__


def _socket_problem(error: OSError) -> str:
    dialling = error.filename  # set by NetTransport.connect
    if isinstance(error, TimeoutError):
        return f"{dialling}: i/o timeout" if dialling else "i/o timeout"
    reason = os.strerror(error.errno).lower() if error.errno else "network failure"
    return f"{dialling}: connect: {reason}" if dialling else f"read: {reason}"


def _certificate_problem(error: ssl.SSLCertVerificationError, host: str) -> str:
    code = error.verify_code
    if code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if code in _OUTSIDE_ITS_TIME:
        return "certificate has expired or is not yet valid"
    if code == _WRONG_HOST:
        return f"certificate is not valid for {host}"
    if code == _WRONG_ADDRESS:
        return f"cannot validate certificate for {host} because it doesn't contain any IP SANs"
    return error.verify_message
