"""The interface of a system whose secrets are imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from arcan_gitops.errors import ArcanError
from arcan_gitops.secret import SecretValue


class CannotImport(ArcanError):
    """The other system cannot be read. The message has a status or the name of an error, and never its text:
    that may quote what was asked for or answered.
    """


class NoClientLibrary(ArcanError):
    """The package that reads the other system is not installed."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a value is in the other system: the secret's path as the system writes it, and the field of it.

    `field` is None where the value is the whole secret.
    """

    path: str
    field: str | None = None

    def __str__(self) -> str:
        return self.path if self.field is None else f"{self.path}#{self.field}"


@dataclass(frozen=True, slots=True)
class Found:
    """One value, as the text that it will be; `note` says what was done to make it one.

    `base64`: the text is the base64 of other bytes. `name` has the parts of the key's name, where the
    origin's path is not part of it.
    """

    origin: Origin
    value: SecretValue = field(repr=False)
    note: str = ""
    base64: bool = False
    name: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What is not imported, and why. `wrong`: somebody may have wanted it, and has to do something."""

    origin: Origin
    reason: str
    wrong: bool = False


class Source(Protocol):
    """A system that is open for reading."""

    @property
    def name(self) -> str:
        """What is read, and from where: for people."""

    @property
    def below(self) -> str:
        """The path that was asked for, which is not part of the names of keys; empty for everything."""

    def read(self) -> Iterator[Found | Left]:
        """All values, in an order that is the same each time. Raises `CannotImport` where nothing more can
        be read; what came before it counts.
        """

    def origin_of(self, key: str, property: str | None) -> Origin:
        """What `remoteRef.key` and `remoteRef.property` of an ExternalSecret mean here."""


@contextmanager
def client_library(package: str, extra: str) -> Iterator[None]:
    """Wraps the import of a client library, an optional dependency of one source.

    Raises `NoClientLibrary`.
    """
    try:
        yield
    except ImportError:
        raise NoClientLibrary(
            f"the package '{package}' is not installed, which this system is read with",
            hint=f"pip install 'arcan-gitops[{extra}]'",
        ) from None


def loopback(host: str | None) -> bool:
    """Whether a host is this machine, so that plain http reaches no network."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def require_tls(address: str, variable: str) -> None:
    """Raise `CannotImport` for plain http over a network, and for a text that is not an address."""
    try:
        url = urlsplit(address)
        host = url.hostname
    except ValueError:
        url, host = urlsplit(""), None
    if url.scheme not in ("http", "https") or not host or "@" in url.netloc:
        raise CannotImport(f"{variable} is not an address", hint="as in https://vault.example.com:8200")
    if url.scheme == "http" and not loopback(host):
        raise CannotImport(
            f"{variable}: {host} is asked over plain http, where anybody on the way reads along",
            hint="use https, or forward a port of this machine to it and name 127.0.0.1",
        )
