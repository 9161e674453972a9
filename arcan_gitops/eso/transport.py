"""The port between the emulator and the network: what ESO's webhook provider needs of an HTTP client.

`https.py` is the implementation; a test may bring its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from arcan_gitops.golang.url import Url


class CallFailed(Exception):
    """No answer; the text is what Go's net, crypto/tls or net/http would say, and holds no URL.

    `while_reading` is true where the answer broke off after its header.
    """

    def __init__(self, text: str, *, while_reading: bool = False) -> None:
        super().__init__(text)
        self.while_reading = while_reading


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `headers` are those of the store, names in canonical form, values as sent."""

    method: str
    url: Url = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `status_line` is `401 Unauthorized`, with the server's own reason phrase."""

    status: int
    status_line: str
    body: bytes = field(repr=False)


class Client(Protocol):
    """One `http.Client` of ESO's: made for a store, used for the entries of one refresh, then left."""

    def send(self, request: Request) -> Response:
        """The answer, redirects followed. Raises `CallFailed`."""
        ...

    def close(self) -> None:
        """Close the connection. (ESO never does; its servers time it out.)"""
        ...


class Transport(Protocol):
    """The network."""

    def dial(self, host: str, port: int, timeout: float) -> None:
        """Connect over TCP and close at once: ESO's validation of a store. Raises `CallFailed`."""
        ...

    def client(self, ca_certificates: str | None, timeout: float | None) -> Client:
        """A client that trusts these certificates (PEM; None: the system's).

        `timeout`, in seconds, is for a whole exchange; None is none at all.
        """
        ...
