"""The Flask application of the routes that ask for no token. It is only handed requests for those."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from flask import Flask, Response, request

from arcan_gitops.errors import place_of
from arcan_gitops.server.answers import Answer
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.decision import Published
from arcan_gitops.server.routes import PROBES, READY

log = logging.getLogger("arcan.server")

_HEADERS: Final = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Connection", "close"),  # one is kept for who has shown a valid token
]

# What WSGI asks for beside the request; nothing of this process's own environment.
_WSGI: Final = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


class Probes:
    """Whether a process lives, and whether it is ready, over what it has published."""

    def __init__(self, published: Published, audit: AuditLog) -> None:
        self._application = _Application(published, audit)

    def respond(self, environ: Mapping[str, Any]) -> Answer:
        """Answer a request for one of the routes."""
        started: list[tuple[int, list[tuple[str, str]]]] = []
        body: list[bytes] = []

        def start(
            status: str, headers: list[tuple[str, str]], _error: object = None, /
        ) -> Callable[[bytes], object]:
            started.append((int(status[:3]), headers))
            return body.append

        chunks: Any = self._application({**_WSGI, **environ}, start)
        with closing(chunks):
            body.extend(chunks)
        return Answer(*started[-1], b"".join(body))


class _Application(Flask):
    def __init__(self, published: Published, audit: AuditLog) -> None:
        super().__init__("arcan", static_folder=None)
        self._published = published
        self._audit = audit

    def create_url_adapter(self, request: Any) -> None:
        """No router: it judges the Host header, and the path is one of the table already."""

    def dispatch_request(self) -> Response:
        """Answer one of the routes."""
        return self._ready() if PROBES[request.environ["PATH_INFO"]] is READY else self._live()

    def log_exception(self, exc_info: Any) -> None:
        """Type and place; the text of an exception may hold what must not be logged."""
        log.error("unexpected %s at %s", exc_info[0].__name__, place_of(exc_info[1]))

    def _live(self) -> Response:
        return _answer(200, '{"status":"alive"}')

    def _ready(self) -> Response:
        snapshot = self._published.snapshot()
        if self._published.draining():
            return _answer(503, json.dumps({"status": "draining"}))
        if snapshot is None:
            return _answer(503, json.dumps({"status": "starting"}))
        if self._audit.failing:
            return _answer(503, json.dumps({"status": "audit_unavailable"}))
        reload = "failed" if self._published.reload_failed() else "ok"
        return _answer(200, json.dumps({"status": "ready", "revision": snapshot.revision, "reload": reload}))


def _answer(status: int, body: str) -> Response:
    return Response(body, status, _HEADERS, content_type="application/json")
