"""The WSGI application: each request is decided, written to the audit log, and then answered.

The probes of `routes.py` are Flask's. Everything else is decided here, whatever its path: Flask's own answers
are 404 to unknown paths, 308 to `//`, and 200 to HEAD and OPTIONS, and ESO deletes Secrets on a 404. Reads do
not pass through Flask for their speed too: see docs/decisions/0011-hot-path.md.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from arcan_gitops.errors import place_of
from arcan_gitops.server.answers import Answer, Refusal
from arcan_gitops.server.audit import AuditFailed, AuditLog
from arcan_gitops.server.decision import Decision, Kept, Published
from arcan_gitops.server.probes import Probes
from arcan_gitops.server.refusals import Source
from arcan_gitops.server.routes import PROBES
from arcan_gitops.server.traffic import Traffic
from arcan_gitops.webhook import error_body

log = logging.getLogger("arcan.server")

_WARN_SECONDS: Final = 60.0
_HEADERS: Final = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
_REFUSAL_HEADERS: Final = {
    401: [*_HEADERS, ("WWW-Authenticate", "Bearer")],
    405: [*_HEADERS, ("Allow", "GET")],
}
_CLOSE: Final = ("Connection", "close")
_new: Final = tuple.__new__  # a third of the time that the constructor of a named tuple takes
_JSON: Final = ("Content-Type", "application/json")


class Connections(Protocol):
    """What the application tells and asks of the connections of its process."""

    def answered(self, address: str) -> None:
        """A request from there is about to be answered, and had a valid token."""

    @property
    def retired(self) -> bool:
        """Whether connections are to be closed after their next answer."""


class Edge:
    """The application over what one process has published. Answers are JSON, and none is ever cached.

    It is a WSGI callable; a server that has no need of that protocol calls `respond`.
    """

    def __init__(
        self,
        published: Published,
        audit: AuditLog,
        connections: Connections,
        clock: Callable[[], float] = time.time,
        traffic: Traffic | None = None,
    ) -> None:
        self._published = published
        self._audit = audit
        self._connections = connections
        self._clock = clock
        self._traffic = traffic or Traffic()
        self._kept = Kept()
        self._probes = Probes(published, audit)
        self._random = random.Random()  # noqa: S311 - seeded by the system; the id of a request is no secret
        self._warned = -math.inf  # when the log last told of '<no value>', by the monotonic clock

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer any request, by WSGI (PEP 3333)."""
        status, headers, body = self.respond(environ)
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def respond(self, environ: Mapping[str, Any]) -> Answer:
        """Decide, record, answer; of WSGI's environ, what names the request is enough.

        A decision that cannot be recorded is 503, whatever it was.
        """
        method = environ["REQUEST_METHOD"]
        if environ["PATH_INFO"] in PROBES and method == "GET":
            return self._probes.respond(environ)
        began = time.perf_counter()
        decision = Decision(self._published, self._clock, self._kept)
        status, headers = 200, _HEADERS
        refusal: Refusal | None = None
        try:
            body = decision.read(environ)
        except Exception as error:
            refusal = self._refusal(error)
            status, body = refusal.status, error_body(refusal.code, refusal.message)
            headers = _REFUSAL_HEADERS.get(status, _HEADERS)
        request_id = self._random.getrandbits(64).to_bytes(8, "big").hex()
        try:
            fields = decision.audited(request_id, status, refusal, environ)
            if refusal is None or decision.known:
                self._audit.write(*fields)
            else:
                source = Source(environ.get("REMOTE_ADDR"), status, refusal.code, refusal.reason)
                self._audit.refuse(source, *fields)
        except Exception as error:
            if not isinstance(error, AuditFailed):
                log.error("unexpected %s at %s", type(error).__name__, place_of(error))
            status, headers = 503, _HEADERS
            body = error_body("audit_unavailable", "the decision could not be recorded")
        closed = [_CLOSE]
        if decision.caller is not None:  # a connection is kept for who has shown a valid token
            self._connections.answered(environ["REMOTE_ADDR"])
            if not self._connections.retired and not self._published.draining():
                closed = []
        length = ("Content-Length", str(len(body)))
        headers = [*headers, ("X-Request-Id", request_id), *closed, _JSON, length]
        self._traffic.count(decision.counted(status), time.perf_counter() - began)
        return _new(Answer, (status, headers, b"" if method == "HEAD" else body))

    def _refusal(self, error: Exception) -> Refusal:
        """What is answered in place of a secret."""
        if not isinstance(error, Refusal):  # a bug must not become an answer that ESO acts on
            log.error("unexpected %s at %s", type(error).__name__, place_of(error))
            return Refusal("internal_error", "the server failed; its log says where")
        now = time.monotonic()
        if error.hint and now - self._warned >= _WARN_SECONDS:  # anybody can send what a wrong store sends
            self._warned = now
            log.warning("a store sent 'Bearer <no value>': %s", error.hint)
        return error
