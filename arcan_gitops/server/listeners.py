"""The sockets that are listened on."""

from __future__ import annotations

import socket
from typing import Final

from arcan_gitops.errors import ArcanError

BACKLOG: Final = 2048  # connections that the kernel holds until a worker takes them


class CannotServe(ArcanError):
    """The server does not start."""


def listen(host: str, port: int) -> socket.socket:
    """Bind without SO_REUSEPORT: a second server on the port would share the requests unseen."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Head and body of an answer are two writes: without this the second waits for the client's delayed
        # acknowledgement, up to 40 ms. Accepted sockets inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except (OSError, UnicodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "not a host"
        raise CannotServe(
            f"{host}:{port}: cannot be listened on: {reason}",
            hint="another server may run on it; give another with --host and --port",
        ) from None
    return listener


def address(listener: socket.socket) -> str:
    """`https://127.0.0.1:9797`; an IPv6 address stands in brackets (RFC 3986, section 3.2.2)."""
    host, port = listener.getsockname()[:2]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
