"""What a request is answered: one order of decisions, top to bottom.

405 -> 401 -> (the status: 403 or 200) -> 400 (path, names, query) -> 403 -> 503 (not loaded) ->
400 (environment) -> 503 (version) -> 409 (bulk read without a version) -> 503 (a key that is not loaded; a
bulk read beside one) -> 409 (no record) -> 404; before the first snapshot 503. A refusal for scope comes
before any look at what exists, and 404 means one thing only: the environment is loaded, the token may read
the key, the read names no version, and the key is not there; where the realm records removals, its record is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from arcan_gitops.access import Account, BulkNeedsAllKeys, Caller, Forbidden, NotAuthenticated, Reason
from arcan_gitops.names import KeyName, SecretRef
from arcan_gitops.realms import Environment, Snapshot
from arcan_gitops.server.answers import Refusal
from arcan_gitops.server.audit_line import MAX_TEXT, encoded
from arcan_gitops.server.status import narrowed
from arcan_gitops.server.target import parse_target
from arcan_gitops.server.traffic import (
    ALL_KEYS_ROUTE,
    ONE_KEY_ROUTE,
    OTHER_ROUTE,
    STATUS_ROUTE,
    UNKNOWN,
    Series,
)
from arcan_gitops.webhook import NAMESPACE_HEADER, STATUS_PATH, data_body, value_body

_NAMESPACE: Final = "HTTP_" + NAMESPACE_HEADER.upper().replace("-", "_")
# Operators ask for the same again and again: so much of it is kept in a process.
_MOST_KEPT_BYTES: Final = 16 * 1024 * 1024
_LONGEST_KEPT_BYTES: Final = 1024 * 1024
_AROUND_BYTES: Final = 1024  # what one takes beside its texts, at the most
_KEPT_FIELDS: Final = 4096  # of audit lines, encoded


class Published(Protocol):
    """What a decision asks of the process that it is made in."""

    def snapshot(self) -> Snapshot | None:
        """The snapshot to answer this request from, or None before there is one."""

    def revoked(self, caller: Caller | Account) -> bool:
        """Whether the caller's token is refused, though the snapshot's policy knows it."""

    def status(self) -> dict[str, Any] | None:
        """What the server says of itself; None where it cannot be asked."""

    def draining(self) -> bool:
        """Whether the server is about to stop."""

    def reload_failed(self) -> bool:
        """Whether the last reload left a realm at its last good state."""


class Granted(NamedTuple):
    """A read that is answered with values: all of it that is the same each time."""

    body: bytes
    audited: str  # who asks, what for and the revision, as the audit line has them
    series: Series  # what it is counted as


_Asked = tuple[Caller | Account, str, str]  # caller, path and query


class Kept:
    """The reads that the newest snapshot granted. For the one thread that answers.

    Nothing else decides what is granted, and above all not the time: who the caller is, is asked each time.
    """

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._reads: dict[_Asked, Granted] = {}
        self._bytes = 0

    def get(self, snapshot: Snapshot, asked: _Asked) -> Granted | None:
        """What this snapshot granted; what another one did is forgotten."""
        if snapshot is not self._snapshot:
            self._forget()
            self._snapshot = snapshot
        return self._reads.get(asked)

    def keep(self, asked: _Asked, granted: Granted) -> None:
        """Keep it for the snapshot of the last `get`, unless it is very long."""
        size = len(granted.body) + len(asked[1]) + len(asked[2]) + _AROUND_BYTES
        if size > _LONGEST_KEPT_BYTES:
            return
        if self._bytes + size > _MOST_KEPT_BYTES:
            self._forget()
        self._reads[asked] = granted
        self._bytes += size

    def _forget(self) -> None:
        self._reads, self._bytes = {}, 0


class Decision:
    """One request: what is known of it so far, for the audit log."""

    caller: Caller | Account | None = None  # who has shown a valid token
    _refused: NotAuthenticated | None = None
    _snapshot: Snapshot | None = None
    _ref: SecretRef | None = None
    _granted: Granted | None = None
    _is_status = False

    def __init__(self, published: Published, clock: Callable[[], float], kept: Kept) -> None:
        self._published = published
        self._clock = clock
        self._kept = kept

    def read(self, environ: Mapping[str, Any]) -> bytes:
        """The body of a 200, or a `Refusal`: the order of decisions, top to bottom."""
        if environ["REQUEST_METHOD"] != "GET":
            raise Refusal("method_not_allowed", "this server only answers GET")
        snapshot = self._snapshot = self._published.snapshot()
        if snapshot is None:
            raise Refusal("not_loaded", "nothing is loaded yet")
        caller = self.caller = self._authenticate(snapshot, environ.get("HTTP_AUTHORIZATION"))
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        if path == STATUS_PATH:
            return self._status(caller, query)
        asked = (caller, path, query)
        granted = self._kept.get(snapshot, asked)
        if granted is None:
            self._ref, version = parse_target(path, query)
            granted = _granted(snapshot, caller, self._ref, version)
            self._kept.keep(asked, granted)
        self._granted = granted
        return granted.body

    def _status(self, caller: Caller | Account, query: str) -> bytes:
        self._is_status = True
        if query:
            raise Refusal("malformed_query", "the status is asked for without a query")
        if not isinstance(caller, Caller) or not caller.may_ask_status:
            raise Refusal("forbidden", "the token may not ask for the status")
        status = self._published.status()
        if status is None:
            raise Refusal("not_loaded", "the status is not known; try again")
        return json.dumps(narrowed(status, caller.realm, caller.scope)).encode()

    def _authenticate(self, snapshot: Snapshot, header: str | None) -> Caller | Account:
        presented = None
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() == "bearer":
                presented = token.strip()
        try:
            caller = snapshot.policy.authenticate(presented, self._clock())
            if self._published.revoked(caller):
                raise caller.revoked()
            return caller
        except NotAuthenticated as error:
            self._refused = error
            message = "a valid token is needed: Authorization: Bearer arc_..."
            hint = error.hint if error.reason is Reason.NO_VALUE else None
            raise Refusal("unauthorized", message, reason=error.reason.value, hint=hint) from None

    def counted(self, status: int) -> Series:
        """What the metrics count it as."""
        if self._granted is None:
            return _series(
                self._snapshot, self._ref, status, STATUS_ROUTE if self._is_status else OTHER_ROUTE
            )
        if status == 200:
            return self._granted.series
        route, _, realm, environment = self._granted.series
        return route, status, realm, environment

    @property
    def known(self) -> bool:
        """Whether the caller has shown a token that is valid, or was: evidence, with a line of its own."""
        return self.caller is not None or (self._refused is not None and self._refused.was_valid)

    def audited(
        self, request_id: str, status: int, refusal: Refusal | None, environ: Mapping[str, Any]
    ) -> tuple[str, str]:
        """The fields of the audit line, encoded; names only as far as they were parsed.

        `claimed_namespace` comes apart from the others: its length is the caller's choice.
        """
        refused = "" if refusal is None else encoded({"code": refusal.code, "reason": refusal.reason})
        client = _field("client", environ.get("REMOTE_ADDR"))
        if self._granted is None:
            rest = _encoded(self._snapshot, self.caller or self._refused, self._ref)
        else:
            rest = self._granted.audited
        namespace = environ.get(_NAMESPACE)
        return (
            f',"request_id":"{request_id}","status":{status}{refused}{client}{rest}',
            "" if namespace is None else _field("claimed_namespace", namespace[:MAX_TEXT]),
        )


def _granted(snapshot: Snapshot, caller: Caller | Account, ref: SecretRef, version: str) -> Granted:
    """The rest of the order, for a caller with a valid token. It is kept, so that nothing else may count.

    Raises `Refusal`.
    """
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
        if (ref.realm, ref.environment) in snapshot.failed:
            raise Refusal("not_loaded", "the environment could not be loaded; try again")
        raise Refusal("unknown_environment", "the environment is not loaded by this server")
    if version and version != environment.version(ref.key):
        # Also where the key is not there: a manifest that names its version says that it is, so that this
        # snapshot is older or newer than the manifest, and ESO must not act on it.
        raise Refusal("version_not_loaded", "this server does not have that version; try again")
    body = _all_keys(environment, version) if ref.key is None else _one_key(environment, ref.key)
    return Granted(body, _encoded(snapshot, caller, ref), _series(snapshot, ref, 200))


def _series(
    snapshot: Snapshot | None, ref: SecretRef | None, status: int, without: str = OTHER_ROUTE
) -> Series:
    """What it is counted as, with names only of what there is; `without` is the route that names nothing."""
    if ref is None or snapshot is None:
        return without, status, "", ""
    route = ALL_KEYS_ROUTE if ref.key is None else ONE_KEY_ROUTE
    place = (ref.realm, ref.environment)
    if snapshot.environment(*place) is None and place not in snapshot.failed:
        return route, status, UNKNOWN, UNKNOWN
    return route, status, *place


def _encoded(
    snapshot: Snapshot | None, who: Caller | Account | NotAuthenticated | None, ref: SecretRef | None
) -> str:
    """Who asks, what for, and the revision, as far as they are known."""
    named = {} if who is None else who.audited
    asked = {} if ref is None else {"realm": ref.realm, "environment": ref.environment, "key": ref.key}
    return encoded({**named, **asked, "revision": snapshot.revision if snapshot else None})


@lru_cache(maxsize=_KEPT_FIELDS)
def _field(name: str, text: str | None) -> str:
    return encoded({name: text})


def _all_keys(environment: Environment, version: str) -> bytes:
    """All values of an environment; `version` is what was asked for, and is its version, or is empty."""
    if not version:
        if environment.removed is not None:
            raise Refusal(
                "version_needed",
                "removals are recorded in this realm, so a read of all keys must name its version",
            )
        if environment.failed or environment.stale:
            # they would be of several states; a version is of one
            raise Refusal("not_loaded", "some keys could not be loaded; try again, or name a version")
    return data_body({key: value.reveal() for key, value in environment.values.items()})


def _one_key(environment: Environment, key: KeyName) -> bytes:
    value = environment.values.get(key)
    if value is not None:
        return value_body(value.reveal())
    if key in environment.failed:
        raise Refusal("not_loaded", "the key could not be loaded; try again")
    if environment.removed is not None and key not in environment.removed:
        raise Refusal("not_recorded", "there is no such key, and no record that it was removed")
    raise Refusal("key_not_found", "the environment has no such key")
