"""Asks a server for its status: over its private socket, or over HTTPS with a token."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from arcan_gitops.errors import ArcanError
from arcan_gitops.status.severity import Status
from arcan_gitops.webhook import STATUS_PATH

SOCKET: Final = "run/status.sock"  # below the data directory
_SECONDS: Final = 10.0
_MOST_BYTES: Final = 64 << 20


class NoStatus(ArcanError):
    """A server that does not say how it is."""


def ask_socket(data_dir: Path) -> Status:
    """The status of the server with that data directory, which must be this user's. Raises `NoStatus`."""
    path = data_dir / SOCKET
    folder = None
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
            own.settimeout(_SECONDS)
            own.connect(f"/proc/self/fd/{folder}/{path.name}")  # a path of any length
            return _parsed(receive(own), str(path))
    except PermissionError:
        raise NoStatus(
            f"{path}: is another user's", hint="run it as the user of the server, or as root"
        ) from None
    except OSError as error:
        raise NoStatus(
            f"{path}: no server answers: {error.strerror or 'it took too long'}",
            hint="is 'arcan serve' running with this --data-dir? a server elsewhere: --url https://HOST:PORT",
        ) from None
    finally:
        if folder is not None:
            os.close(folder)


def receive(own: socket.socket) -> bytes:
    """All that comes until the other side closes. Raises `OSError`."""
    parts: list[bytes] = []
    while (part := own.recv(65536)) and sum(map(len, parts)) < _MOST_BYTES:
        parts.append(part)
    return b"".join(parts)


def ask_url(url: str, token: str, ca: bytes | None) -> Status:
    """The status of the server at `https://HOST[:PORT]`; `ca` is PEM, None for the system's. The token goes
    nowhere else: no redirect is followed, and no proxy used. Raises `NoStatus`.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise NoStatus(f"{url}: is not the URL of a server", hint="as in https://arcan.internal:9797")
    try:
        context = ssl.create_default_context(cadata=None if ca is None else ca.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise NoStatus("the CA is not a PEM certificate", hint="name the server's ca.crt with --ca") from None
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port or 443, context=context, timeout=_SECONDS
    )
    try:
        connection.request("GET", STATUS_PATH, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read(_MOST_BYTES)
    except ssl.SSLCertVerificationError as error:
        raise NoStatus(
            f"{url}: its certificate is not trusted: {error.verify_message}",
            hint="name the CA of the server with --ca",
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NoStatus(f"{url}: no answer: {reason}", hint="is it the address of the server?") from None
    finally:
        connection.close()
    if answer.status == 200:
        return _parsed(body, url)
    hints = {
        401: "the token is unknown to it, or has ended: see arcan token list",
        403: "the token may not ask for it: it needs --policy=status",
        400: "the server is older than this command",
    }
    raise NoStatus(f"{url}: answered {answer.status}", hint=hints.get(answer.status))


def _parsed(data: bytes, where: str) -> Status:
    try:
        status = json.loads(data)
    except (ValueError, RecursionError):
        status = None
    if not isinstance(status, dict) or "severity" not in status:
        raise NoStatus(f"{where}: what answered is no status")
    return status
