"""What Prometheus reads, on a port of its own: a network policy lets the scraper in to this and no further.

Gauges are what the main process knows; what was answered is counted by the workers, and added up here. Names
of realms, environments and tokens stand in Git, and no key has a name here; nothing of it is secret.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from arcan_gitops import __version__
from arcan_gitops.access.record import newest
from arcan_gitops.realms import Snapshot
from arcan_gitops.server.gone import Kind
from arcan_gitops.server.renewal import SOON
from arcan_gitops.server.small_server import Reply
from arcan_gitops.server.tls import Certificate
from arcan_gitops.server.traffic import Counts, histogram

INFO: Final = "arcan_info"
RELOAD_FAILED: Final = "arcan_reload_failed"
KEYS: Final = "arcan_keys"
GONE: Final = "arcan_gone"
NOT_LOADED: Final = "arcan_not_loaded"
KEYS_NOT_LOADED: Final = "arcan_keys_not_loaded"
LAST_GOOD_AGE: Final = "arcan_last_good_age_seconds"
TOKEN_EXPIRY: Final = "arcan_token_expiry_timestamp_seconds"
AUDIT_FAILING: Final = "arcan_audit_failing"
CERTIFICATE_EXPIRY: Final = "arcan_certificate_expiry_timestamp_seconds"
CERTIFICATE_EXPIRING: Final = "arcan_certificate_expiring"
CERTIFICATE_FAILED: Final = "arcan_certificate_reload_failed"
WORKERS: Final = "arcan_workers"
CONNECTIONS: Final = "arcan_connections"
REQUEST_DURATION: Final = "arcan_request_duration_seconds"

# Every gauge there is, with what Prometheus shows as its help.
METRICS: Final = {
    INFO: "1; the version of the server, and the revision that it answers from.",
    RELOAD_FAILED: "1 where the last reload left something at its last good state, else 0.",
    KEYS: "How many keys an environment has.",
    GONE: "What was served since the start and is there no longer: keys, documents, tokens.yaml, realms.",
    NOT_LOADED: "1 for an environment that could not be loaded, so that its reads are answered 503, else 0.",
    KEYS_NOT_LOADED: "How many key files of an environment could not be loaded, and are answered 503.",
    LAST_GOOD_AGE: "How long an environment, or a key of it, has stood at its last good state, in seconds.",
    TOKEN_EXPIRY: "When a token ends, in Unix time; of a rotated token, the new one. Without an end: none.",
    AUDIT_FAILING: "1 while the audit log cannot be written, so that every read is answered 503, else 0.",
    CERTIFICATE_EXPIRY: "When the certificate that is served ends, in Unix time.",
    CERTIFICATE_EXPIRING: "1 in the last 30 days of the certificate that is served, else 0.",
    CERTIFICATE_FAILED: "1 while the certificate's files hold no pair that can be served, else 0.",
    WORKERS: "How many workers answer.",
    CONNECTIONS: "How many connections are open.",
}

# The same of histograms; each has _bucket, _sum and _count.
HISTOGRAMS: Final = {
    REQUEST_DURATION: "How long decisions took, by route, status, realm and environment; probes are none.",
}

_PATH: Final = "/metrics"
_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class State:
    """What the metrics are made of."""

    snapshot: Snapshot
    certificate: Certificate
    workers: int
    connections: int
    gone: Mapping[tuple[str, str, Kind], int]
    reload_failed: bool = False
    audit_failing: bool = False
    certificate_failed: bool = False
    traffic: Counts = field(default_factory=dict)


def exposition(state: State, now: float) -> str:
    """All metrics in Prometheus's text format 0.0.4; `now` in Unix seconds."""
    ends = state.certificate.expires.timestamp()
    samples = {
        INFO: [(f'{{version="{__version__}",revision="{state.snapshot.revision}"}}', 1.0)],
        RELOAD_FAILED: [("", float(state.reload_failed))],
        KEYS: list(_keys(state.snapshot)),
        GONE: list(_gone(state)),
        NOT_LOADED: list(_not_loaded(state.snapshot)),
        KEYS_NOT_LOADED: list(_keys_not_loaded(state.snapshot)),
        LAST_GOOD_AGE: list(_ages(state.snapshot, now)),
        TOKEN_EXPIRY: list(_token_expiries(state.snapshot)),
        AUDIT_FAILING: [("", float(state.audit_failing))],
        CERTIFICATE_EXPIRY: [("", ends)],
        CERTIFICATE_EXPIRING: [("", float(ends - now < SOON.total_seconds()))],
        CERTIFICATE_FAILED: [("", float(state.certificate_failed))],
        WORKERS: [("", float(state.workers))],
        CONNECTIONS: [("", float(state.connections))],
    }
    lines: list[str] = []
    for name, text in METRICS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += [f"{name}{labels} {value:.0f}" for labels, value in samples[name]]
    lines += [
        f"# HELP {REQUEST_DURATION} {HISTOGRAMS[REQUEST_DURATION]}",
        f"# TYPE {REQUEST_DURATION} histogram",
        *histogram(REQUEST_DURATION, state.traffic),
    ]
    return "\n".join(lines) + "\n"


def answer(state: Callable[[], State]) -> Callable[[str, str], Reply]:
    """What the port of the metrics answers; never 404, which ESO takes for "deleted"."""

    def reply(method: str, path: str) -> Reply:
        if method != "GET":
            return Reply(405, b"this port answers GET /metrics\n", "text/plain")
        if path != _PATH:
            return Reply(400, b"this port answers GET /metrics\n", "text/plain")
        return Reply(200, exposition(state(), time.time()).encode(), _CONTENT_TYPE)

    return reply


def _keys(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    for place, loaded in sorted(snapshot.all()):
        yield _place(*place), len(loaded.values)


def _not_loaded(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    for place in sorted((*snapshot.names(), *snapshot.failed)):
        yield _place(*place), float(place in snapshot.failed)


def _keys_not_loaded(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    for place, loaded in sorted(snapshot.all()):
        yield _place(*place), len(loaded.failed)


def _ages(snapshot: Snapshot, now: float) -> Iterator[tuple[str, float]]:
    for place, loaded in sorted(snapshot.all()):
        yield _place(*place), 0.0 if loaded.since is None else max(0.0, now - loaded.since)


def _place(realm: str, environment: str) -> str:
    return f'{{realm="{realm}",environment="{environment}"}}'


def _gone(state: State) -> Iterator[tuple[str, float]]:
    """The keys of each environment that is served, also where none went; what else went, as far as it did."""
    counts = {(*place, Kind.KEY): 0 for place in state.snapshot.names()} | dict(state.gone)
    for (realm, environment, kind), many in sorted(counts.items(), key=lambda item: item[0][:2]):
        yield f'{{realm="{realm}",environment="{environment}",kind="{kind.value}"}}', many


def _token_expiries(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    """Names are of a grammar that needs no escapes."""
    for realm, tokens in sorted(snapshot.tokens.items()):
        for name in sorted({record.name for record in tokens.file.tokens}):
            record = newest(tokens.file.tokens, name)
            if record is not None and record.expires is not None:
                yield f'{{realm="{realm}",token="{name}"}}', record.expires.timestamp()
