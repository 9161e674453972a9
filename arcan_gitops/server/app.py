"""The Flask application: the routes of `routes.py`, and one order of decisions for everything else.

405 -> 401 -> 400 (path, names, query) -> 403 -> 400 (environment) -> 503 (version) -> 404; before the first
snapshot 503. A refusal for scope comes before any look at what exists, and 404 means one thing only:
everything is loaded, the token may read the key, the read names no version, and the key is not there.
"""

from __future__ import annotations

import json
import logging
import math
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from flask import Flask, Response, request

from arcan_gitops.access import Account, BulkNeedsAllKeys, Caller, Forbidden, NotAuthenticated, Reason
from arcan_gitops.errors import place_of
from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, SecretRef
from arcan_gitops.realms import Snapshot
from arcan_gitops.server.answers import Refusal
from arcan_gitops.server.audit import AuditFailed, AuditLog
from arcan_gitops.server.routes import PROBES, READY
from arcan_gitops.webhook import (
    ENVIRONMENT_PARAMETER,
    NAMESPACE_HEADER,
    PATH_PREFIX,
    VERSION_PARAMETER,
    data_body,
    error_body,
    value_body,
)

log = logging.getLogger("arcan.server")

_HEADERS: Final = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
_WARN_SECONDS: Final = 60.0
# A connection is kept for who has shown a valid token.
_PROBE_HEADERS: Final = [*_HEADERS, ("Connection", "close")]
_REFUSAL_HEADERS: Final = {
    401: [*_HEADERS, ("WWW-Authenticate", "Bearer")],
    405: [*_HEADERS, ("Allow", "GET")],
}
_PREFIX: Final = PATH_PREFIX.split("/")
_PARAMETERS: Final = {ENVIRONMENT_PARAMETER, VERSION_PARAMETER}
_PLAIN_QUERY: Final = re.compile(
    f"{ENVIRONMENT_PARAMETER}=([A-Za-z0-9-]+)(?:&{VERSION_PARAMETER}=([A-Za-z0-9]*))?", re.ASCII
)
_NAMESPACE: Final = "HTTP_" + NAMESPACE_HEADER.upper().replace("-", "_")


class Edge(Protocol):
    """What the application asks of the process that it runs in."""

    def snapshot(self) -> Snapshot | None:
        """The snapshot to answer this request from, or None before there is one."""

    def revoked(self, caller: Caller | Account) -> bool:
        """Whether the caller's token is refused, though the snapshot's policy knows it."""

    def draining(self) -> bool:
        """Whether the server is about to stop."""

    def reload_failed(self) -> bool:
        """Whether the last reload left a realm at its last good state."""


class Connections(Protocol):
    """What the application tells and asks of the connections of its process."""

    def answered(self, address: str) -> None:
        """A request from there is about to be answered, and had a valid token."""

    @property
    def retired(self) -> bool:
        """Whether connections are to be closed after their next answer."""


def create_app(
    edge: Edge, audit: AuditLog, connections: Connections, clock: Callable[[], float] = time.time
) -> Flask:
    """The application over one process's `Edge`. Every answer is JSON, and none is ever cached."""
    return _Server(edge, audit, connections, clock)


class _Server(Flask):
    def __init__(
        self, edge: Edge, audit: AuditLog, connections: Connections, clock: Callable[[], float]
    ) -> None:
        super().__init__("arcan", static_folder=None)
        self._edge = edge
        self._audit = audit
        self._connections = connections
        self._clock = clock
        self._warned = -math.inf  # when the log last told of '<no value>', by the monotonic clock

    def create_url_adapter(self, request: Any) -> None:
        """No router: Flask's own answers 404 to unknown paths, 308 to `//`, and 200 to HEAD and OPTIONS."""

    def dispatch_request(self) -> Response:
        """Answer any request."""
        environ = request.environ
        path = environ["PATH_INFO"]
        probe = PROBES.get(path) if environ["REQUEST_METHOD"] == "GET" else None
        if probe is not None:
            return self._ready() if probe is READY else self._live()
        return self._decide(environ, path)

    def log_exception(self, exc_info: Any) -> None:
        """Type and place; the text of an exception may hold what must not be logged."""
        log.error("unexpected %s at %s", exc_info[0].__name__, place_of(exc_info[1]))

    def _live(self) -> Response:
        return Response('{"status":"alive"}', 200, _PROBE_HEADERS, content_type="application/json")

    def _ready(self) -> Response:
        snapshot = self._edge.snapshot()
        status = None
        if self._edge.draining():
            status = "draining"
        elif snapshot is None:
            status = "starting"
        elif self._audit.failing:
            status = "audit_unavailable"
        if status is not None or snapshot is None:
            return Response(
                json.dumps({"status": status}), 503, _PROBE_HEADERS, content_type="application/json"
            )
        body = {
            "status": "ready",
            "revision": snapshot.revision,
            "reload": "failed" if self._edge.reload_failed() else "ok",
        }
        return Response(json.dumps(body), 200, _PROBE_HEADERS, content_type="application/json")

    def _decide(self, environ: dict[str, Any], path: str) -> Response:
        decision = _Decision(self._edge, self._clock)
        headers = _HEADERS
        status = 200
        refusal: Refusal | None = None
        try:
            body = decision.read(environ, path)
        except Refusal as refused:
            refusal = refused
        except Exception as error:  # a bug must not become an answer that ESO acts on
            log.error("unexpected %s at %s", type(error).__name__, place_of(error))
            refusal = Refusal("internal_error", "the server failed; its log says where")
        if refusal is not None:
            status, body = refusal.status, error_body(refusal.code, refusal.message)
            headers = _REFUSAL_HEADERS.get(status, _HEADERS)
            self._warn(refusal)
        request_id = secrets.token_hex(8)
        record = self._audit.write if decision.known else self._audit.refuse
        try:
            record(request_id, decision.audited(status, refusal, environ))
        except AuditFailed:
            status, headers = 503, _HEADERS
            body = error_body("audit_unavailable", "the decision could not be recorded")
        headers = [*headers, ("X-Request-Id", request_id)]
        if decision.authenticated:
            self._connections.answered(environ["REMOTE_ADDR"])
        if not decision.authenticated or self._connections.retired or self._edge.draining():
            headers.append(("Connection", "close"))
        return Response(body, status, headers, content_type="application/json")

    def _warn(self, refusal: Refusal) -> None:
        """Tell of a store whose template is wrong, once a minute: anybody can send what it sends."""
        now = time.monotonic()
        if refusal.hint and now - self._warned >= _WARN_SECONDS:
            self._warned = now
            log.warning("a store sent 'Bearer <no value>': %s", refusal.hint)


class _Decision:
    """One request: what is known of it so far, for the audit log."""

    def __init__(self, edge: Edge, clock: Callable[[], float]) -> None:
        self._edge = edge
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._caller: Caller | Account | None = None
        self._refused: NotAuthenticated | None = None
        self._ref: SecretRef | None = None

    def read(self, environ: dict[str, Any], path: str) -> bytes:
        """The body of a 200, or a `Refusal`: the order of decisions, top to bottom."""
        if environ["REQUEST_METHOD"] != "GET":
            raise Refusal("method_not_allowed", "this server only answers GET")
        snapshot = self._snapshot = self._edge.snapshot()
        if snapshot is None:
            raise Refusal("not_loaded", "nothing is loaded yet")
        caller = self._caller = self._authenticate(snapshot, environ.get("HTTP_AUTHORIZATION"))
        ref, version = _parse(path, environ.get("QUERY_STRING", ""))
        self._ref = ref
        try:
            caller.require(ref)
        except BulkNeedsAllKeys:
            raise Refusal(
                "bulk_needs_all_keys", "the token is narrowed to some keys, and a bulk read needs all of them"
            ) from None
        except Forbidden:
            raise Refusal("forbidden", "the token may not read this") from None
        environment = snapshot.environment(ref.realm, ref.environment)
        if environment is None:
            raise Refusal("unknown_environment", "the environment is not loaded by this server")
        if version and version != environment.version(ref.key):
            # Also where the key is not there: a manifest that names its version says that it is, so that this
            # snapshot is older or newer than the manifest, and ESO must not act on it.
            raise Refusal("version_not_loaded", "this server does not have that version; try again")
        if ref.key is None:
            return data_body({key: value.reveal() for key, value in environment.values.items()})
        value = environment.values.get(ref.key)
        if value is None:
            raise Refusal("key_not_found", "the environment has no such key")
        return value_body(value.reveal())

    def _authenticate(self, snapshot: Snapshot, header: str | None) -> Caller | Account:
        scheme, _, token = (header or "").partition(" ")
        presented = token.strip() if scheme.lower() == "bearer" else None
        try:
            caller = snapshot.policy.authenticate(presented, self._clock())
            if self._edge.revoked(caller):
                raise caller.revoked()
            return caller
        except NotAuthenticated as error:
            self._refused = error
            message = "a valid token is needed: Authorization: Bearer arc_..."
            hint = error.hint if error.reason is Reason.NO_VALUE else None
            raise Refusal("unauthorized", message, reason=error.reason.value, hint=hint) from None

    @property
    def authenticated(self) -> bool:
        """Whether the caller has shown a valid token."""
        return self._caller is not None

    @property
    def known(self) -> bool:
        """Whether the caller has shown a token that is valid, or was: evidence, with a line of its own."""
        return self.authenticated or (self._refused is not None and self._refused.was_valid)

    def audited(self, status: int, refusal: Refusal | None, environ: dict[str, Any]) -> dict[str, Any]:
        """The fields of the audit line; names only as far as they were parsed."""
        who, ref = self._caller or self._refused, self._ref
        return {
            "status": status,
            "code": refusal.code if refusal else None,
            "reason": refusal.reason if refusal else None,
            "client": environ.get("REMOTE_ADDR"),
            **({} if who is None else who.audited),
            "realm": ref.realm if ref else None,
            "environment": ref.environment if ref else None,
            "key": ref.key if ref else None,
            "revision": self._snapshot.revision if self._snapshot else None,
            "claimed_namespace": environ.get(_NAMESPACE),
        }


def _parse(path: str, query: str) -> tuple[SecretRef, str]:
    """`/api/v1/eso/REALM[/KEY]?env=ENVIRONMENT[&version=VERSION]`, each name matching its whole grammar.

    The path comes decoded once: an escaped slash is one more segment, and what is left of a double
    escape, a `+`, a space or a non-ASCII letter is in no grammar. A version is compared and nothing else, so
    that it has no grammar; empty, it names none.
    """
    parts = path.split("/")
    if parts[:4] != _PREFIX or len(parts) not in (5, 6):
        raise Refusal("malformed_path", f"the routes are {PATH_PREFIX}/REALM/KEY and {PATH_PREFIX}/REALM")
    try:
        realm = RealmName.parse(parts[4])
        key = KeyName.parse(parts[5]) if len(parts) == 6 else None
    except InvalidName as error:
        raise Refusal("malformed_path", error.hint or "a malformed name") from None
    name, version = _parameters(query)
    try:
        environment = EnvironmentName.parse(name)
    except InvalidName as error:
        raise Refusal("malformed_query", error.hint or "a malformed environment") from None
    return SecretRef(realm, environment, key), version


def _parameters(query: str) -> tuple[str, str]:
    """(`env`, `version` or empty), each at most once: what else a query says must not be passed over."""
    plain = _PLAIN_QUERY.fullmatch(query)  # nothing to decode: what ESO sends, nearly always
    if plain is not None:
        return plain[1], plain[2] or ""
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs) or ENVIRONMENT_PARAMETER not in values or not values.keys() <= _PARAMETERS:
        raise Refusal(
            "malformed_query", "the query must be env=ENVIRONMENT, or env=ENVIRONMENT&version=VERSION, once"
        )
    return values[ENVIRONMENT_PARAMETER], values.get(VERSION_PARAMETER, "")
