"""The Flask application of the routes that ask for no token. It is only handed requests for those."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from flask import Flask, Response, request

from arcan_gitops.errors import place_of
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.decision import Published
from arcan_gitops.server.routes import PROBES, READY

log = logging.getLogger("arcan.server")

_HEADERS: Final = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Connection", "close"),  # one is kept for who has shown a valid token
]


def create_probes(published: Published, audit: AuditLog) -> Flask:
    """Whether a process lives, and whether it is ready, over what it has published."""
    return _Probes(published, audit)


class _Probes(Flask):
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
