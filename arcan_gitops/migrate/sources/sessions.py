"""A guard for clients that use requests: where they may send, and how much they accept.

requests follows redirects by itself, and takes off nothing but `Authorization` for another host: the token of
Vault is in a header of its own, and the body of a POST goes along (307, 308). So a session asks here before
it sends, and no credential goes to another server. (A standby of Vault forwards what it is asked, unless that
is switched off.) It also reads any number of bytes; here an answer has a bound.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException

from arcan_gitops.migrate.bounds import bounded
from arcan_gitops.migrate.source import CannotImport, loopback

_TIMEOUT_SECONDS: Final = 30
_CHUNK: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}
_PLAIN_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:]{2,45}", re.ASCII)


def hold(session: Session, address: str, variable: str) -> None:
    """Make a session raise `CannotImport` where it is sent from `address`, which `variable` has given, to
    another host or port, or from https to http; and where an answer is too long.
    """
    home = PreparedRequest()
    try:
        home.prepare_url(address, None)  # as requests writes it, so that the two can be compared
    except RequestException:
        raise CannotImport(
            f"{variable} is not an address", hint="as in https://vault.example.com:8200"
        ) from None
    held = _Held(urlsplit(str(home.url)), variable)
    session.mount("https://", held)
    session.mount("http://", held)


class _Held(HTTPAdapter):
    """Sends what goes home. What does not go home has been redirected."""

    def __init__(self, home: SplitResult, variable: str) -> None:
        super().__init__()
        self._home, self._variable = home, variable

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """As `HTTPAdapter.send`, and the answer is read. Raises `CannotImport` too."""
        url = urlsplit(str(request.url))
        if _server(url) != _server(self._home):
            if url.scheme != "https" and (self._home.scheme == "https" or not loopback(url.hostname)):
                raise self._refused(url, "plain http, where anybody on the way reads the credentials")
            raise self._refused(url, "another server, which would be given the credentials")
        options = {**options, "stream": True, "timeout": options.get("timeout") or _TIMEOUT_SECONDS}
        response = super().send(request, *arguments, **options)
        chunks = response.iter_content(_CHUNK)
        response._content = bounded(chunks, _shown(self._home))  # what `content` gives, which has no bound
        return response

    def _refused(self, url: SplitResult, what: str) -> CannotImport:
        return CannotImport(
            f"{self._variable}: {_shown(self._home)} redirects to {_shown(url)}, {what}",
            hint=f"mend that redirect; if that server is yours, set {self._variable} to its https address",
        )


def _server(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


def _shown(url: SplitResult) -> str:
    """Without its path; an answer can hold anything."""
    host, port = url.hostname or "", "" if url.port is None else f":{url.port}"
    if _PLAIN_HOST.fullmatch(host) is None:
        return "an address that cannot be shown"
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}"
