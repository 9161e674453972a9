"""The server's URL, as a webhook store can use it."""

from __future__ import annotations

import re
from typing import ClassVar, NoReturn
from urllib.parse import urlsplit

from arcan_gitops.names import InvalidName


class ServerUrl(str):
    """`https://host:port`, possibly with a plain path before the API's own.

    ESO dials host and port of the untemplated URL before it calls a store Ready, and falls back to port
    443, whatever the scheme (esutils.NetworkValidate): so both are literal and explicit here.
    """

    __slots__ = ()
    _host: ClassVar = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]", re.ASCII)
    _path: ClassVar = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?", re.ASCII)

    @classmethod
    def parse(cls, text: str) -> ServerUrl:
        """The URL without a final slash. Raises `InvalidName` with the reason."""
        if "{{" in text:
            _refuse("must be literal: ESO dials its host without evaluating templates")
        if re.search(r"[\s\\]|[^\x20-\x7e]", text):
            _refuse("holds a space, a backslash or a character that is not ASCII")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            _refuse("has no valid host and port")
        if parts.scheme != "https":
            _refuse("must start with https://: the server speaks nothing else")
        if "@" in parts.netloc:
            _refuse("must not hold a user or password: a store sends its token in a header")
        if "?" in text or "#" in text:
            _refuse("must not have a query or a fragment: the store adds its own")
        host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
        if cls._host.fullmatch(host) is None or ".." in host:
            _refuse("has no valid host")
        if not port:
            _refuse("must name the port: ESO checks a store by connecting to exactly this host and port")
        if cls._path.fullmatch(parts.path) is None or ".." in parts.path:
            _refuse("has a path with characters that a store's URL cannot hold")
        return cls(text.rstrip("/"))


def _refuse(problem: str) -> NoReturn:
    # The text is left out: a URL with a user part may hold a password.
    raise InvalidName(f"the server's URL {problem}", hint="write it as https://arcan.internal:9797")
