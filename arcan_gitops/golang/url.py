"""URLs as Go's `net/url` takes them apart and puts them on the wire.

`url.QueryEscape` is what ESO applies to `.remoteRef` in a store's URL, also inside the path: a space
becomes `+` there. Source: Go net/url; measured with ESO itself
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, unquote_to_bytes

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.text import go_quote

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_HOST: Final = re.compile(r"[^A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SENT_AS_IS: Final = re.compile(r"[A-Za-z0-9\-_.~$&+,/:;=@!'()*\[\]%]*")
_ESCAPED: Final = re.compile(rb"[^A-Za-z0-9\-_.~$&+,/:;=@]")


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed URL; `target` is the request target (path and query) as Go writes it."""

    text: str
    scheme: str
    host: str
    port: int | None
    target: str

    @property
    def dial_port(self) -> int:
        """The port that an HTTP client connects to."""
        return self.port if self.port is not None else (80 if self.scheme == "http" else 443)

    @property
    def host_header(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def query_escape(text: str) -> str:
    """`url.QueryEscape`: everything but letters, digits and `-_.~`; a space is `+`."""
    return quote_plus(text.encode("utf-8", "surrogateescape"), safe="")


def parse(text: str) -> Url:
    """`url.Parse`. Raises `GoError` with Go's message (`parse "...": ...`)."""

    def wrong(problem: str) -> GoError:
        return GoError(f"parse {go_quote(text)}: {problem}")

    if _CONTROL.search(text):
        raise wrong("net/url: invalid control character in URL")
    rest = text.partition("#")[0]
    scheme = ""
    if match := _SCHEME.fullmatch(rest):
        scheme, rest = match[1].lower(), match[2]
    elif rest.startswith(":"):
        raise wrong("missing protocol scheme")
    rest, mark, query = rest.partition("?")
    authority, path = "", rest
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        path = slash + path
    elif scheme:
        raise NotSupported(f"a URL without '//' after '{scheme}:'")
    if "@" in authority:
        raise NotSupported("a user name in a URL")
    host, port = _authority(authority, wrong)
    if bad := _BAD_ESCAPE.search(path):
        raise wrong(f"invalid URL escape {go_quote(path[bad.start() : bad.start() + 3])}")
    target = (_path(path) or "/") + mark + query
    return Url(text=text, scheme=scheme, host=host, port=port, target=target)


def _authority(authority: str, wrong: Callable[[str], GoError]) -> tuple[str, int | None]:
    host, colon, port = authority, "", ""
    if authority.startswith("["):
        inside, bracket, after = authority[1:].partition("]")
        if not bracket:
            raise wrong("missing ']' in host")
        host, colon, port = inside, after[:1], after[1:]
        if after and colon != ":":
            raise wrong(f"invalid port {go_quote(after)} after host")
    elif ":" in authority:
        host, colon, port = authority.rpartition(":")
    if port and not (port.isascii() and port.isdigit()):
        raise wrong(f"invalid port {go_quote(colon + port)} after host")
    if bad := _NOT_IN_HOST.search(host):
        raise wrong(f"invalid character {go_quote(bad[0])} in host name")
    if bad := _BAD_ESCAPE.search(host):
        raise wrong(f"invalid URL escape {go_quote(host[bad.start() : bad.start() + 3])}")
    return host, int(port) if port else None


def _path(path: str) -> str:
    """The path as it is, if it is a valid encoding; else encoded anew (`URL.EscapedPath`)."""
    if _SENT_AS_IS.fullmatch(path):
        return path
    return _ESCAPED.sub(lambda match: b"%%%02X" % match[0][0], unquote_to_bytes(path)).decode("ascii")
