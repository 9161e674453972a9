"""Addresses of other people's servers, as stores take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NoReturn
from urllib.parse import urlsplit

from arcan_gitops.overlay.ca import CertificateAuthority, ConfigMapCa, SecretCa
from arcan_gitops.overlay.needs import CaNeed, CaSecretNeed, Need
from arcan_gitops.yamlio import Fields

_ODD: Final = re.compile(r"[\s\\]|[^\x20-\x7e]")


def plain_endpoint(fields: Fields, field: str, default: str | None) -> str:
    """`https://host[:port][/path]`, or http. Raises `InvalidFile`, which does not repeat the text."""
    return checked_endpoint(fields, field, fields.text(field, default)).rstrip("/")


def checked_endpoint(fields: Fields, field: str, text: str) -> str:
    """The text, if its host is literal and it holds no credential. Raises `InvalidFile`."""

    def refuse(problem: str) -> NoReturn:  # the text may hold a password
        fields.fail(f"'{field}' {problem}", field=field, hint="write it as https://host:port/path")

    scheme, _, rest = text.partition("//")
    authority = rest.partition("/")[0]
    if "{{" in authority or "}}" in authority:
        refuse("must have a literal host: ESO dials it without evaluating templates")
    try:
        parts = urlsplit(re.sub(r"\{\{.*?\}\}", "x", text))
        host, _ = parts.hostname, parts.port
    except ValueError:
        refuse("has no valid host and port")
    if scheme.lower() not in ("https:", "http:"):
        refuse("must start with https://")
    if not host or _ODD.search(authority):
        refuse("has no valid host")
    if "@" in parts.netloc:
        refuse("must not hold a user or password: put it into a Kubernetes Secret")
    return text


def is_plain_http(address: str) -> bool:
    """A scheme is written in any case (RFC 3986, section 3.1)."""
    return address.lower().startswith("http://")


def http_warnings(address: str) -> Iterator[str]:
    """Warn about plain HTTP: anybody on the network path can read it."""
    if is_plain_http(address):
        yield "is reached over plain http: every secret crosses the network in clear"


def needs_ca(ca: CertificateAuthority) -> Iterator[Need]:
    """The object that holds a CA, as one of a store's needs."""
    if isinstance(ca, ConfigMapCa):
        yield CaNeed(ca.name, ca.key)
    elif isinstance(ca, SecretCa):
        yield CaSecretNeed(ca.name, ca.key)
