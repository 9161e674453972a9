"""What a server says of itself: names and numbers, never a value and never the name of a key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from arcan_gitops import __version__
from arcan_gitops.access import Scope
from arcan_gitops.access.record import newest
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms import Snapshot
from arcan_gitops.server.renewal import SOON
from arcan_gitops.server.tls import Certificate
from arcan_gitops.status.severity import CRITICAL, OK, WARNING, worst

_VERY_SOON: Final = timedelta(days=7)
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class State:
    """What the main process knows of its server. Times are Unix seconds."""

    instance: str
    started: float
    snapshot: Snapshot
    served_since: float  # when this revision was published
    certificate: Certificate
    problems: Sequence[ArcanError]  # of the last load
    folder: str  # of the realms, as the problems name it
    workers: int
    workers_wanted: int
    connections: int
    audit_target: str
    audit_key: str | None
    gone: int
    requests: int  # decisions, since the start
    reload_failed: bool = False
    audit_failing: bool = False
    certificate_failed: bool = False


def status_of(state: State, now: float) -> dict[str, Any]:
    """All of it, for JSON."""
    findings = [*_findings(state), *_endings(state, now)]
    snapshot = state.snapshot
    return {
        "arcan": __version__,
        "instance": state.instance,
        "time": _time(now),
        "started": _time(state.started),
        "revision": snapshot.revision,
        "served_since": _time(state.served_since),
        "severity": worst([OK, *(each["severity"] for each in findings)]),
        "findings": findings,
        "realms": [_realm(state, realm, now) for realm in sorted({*snapshot.tokens, *snapshot.environments})],
        "certificate": {"ends": _time(state.certificate.expires.timestamp())},
        "workers": {"serving": state.workers, "wanted": state.workers_wanted},
        "connections": state.connections,
        "sink": {
            "target": "standard output" if state.audit_target == "-" else state.audit_target,
            "failing": state.audit_failing,
            "key_id": state.audit_key,
        },
        "counts": {
            "realms": len(snapshot.tokens),
            "environments": len(snapshot.names()),
            "keys": sum(len(each.values) for by in snapshot.environments.values() for each in by.values()),
            "tokens": sum(len(held.file.tokens) for held in snapshot.tokens.values()),
            "accounts": sum(len(held.file.accounts) for held in snapshot.tokens.values()),
            "clusters": len(snapshot.clusters),
            "gone": state.gone,
            "requests": state.requests,
        },
    }


def narrowed(status: Mapping[str, Any], realm: str, scope: Scope) -> dict[str, Any]:
    """What the holder of a token of that realm may see: the server, and of the realms its own. Of others it
    is told how bad it is, and nothing else.
    """
    realms = []
    for each in status["realms"]:
        if each["realm"] == realm:
            own = [one for one in each["environments"] if scope.allows_environment(one["environment"])]
            realms.append({**each, "environments": own})
    seen = {one["environment"] for each in realms for one in each["environments"]}
    findings = [
        each
        for each in status["findings"]
        if each.get("realm") in (None, realm) and ("environment" not in each or each["environment"] in seen)
    ]
    hidden = [each for each in status["findings"] if each not in findings]
    if hidden:
        severity = worst(each["severity"] for each in hidden)
        text = f"{len(hidden)} findings in what this token does not see"
        findings.append({"severity": severity, "what": text})
    return {**status, "realms": realms, "findings": findings}


def _findings(state: State) -> Iterator[dict[str, Any]]:
    if state.audit_failing:
        yield _finding(CRITICAL, "the audit log takes no lines: every read is answered 503")
    if not state.workers:
        yield _finding(CRITICAL, "no worker answers")
    elif state.workers < state.workers_wanted:
        yield _finding(WARNING, f"{state.workers} of {state.workers_wanted} workers answer")
    for realm, environment in sorted(state.snapshot.failed):
        why = _reason(state, realm, environment)
        yield _finding(CRITICAL, f"is not loaded: reads are answered 503 ({why})", realm, environment)
    stale = False
    for (realm, name), loaded in sorted(state.snapshot.all()):
        why = _reason(state, realm, name)
        if loaded.failed:
            stale = True
            text = f"{len(loaded.failed)} keys are not loaded: reads of them are answered 503 ({why})"
            yield _finding(CRITICAL, text, realm, name)
        if loaded.since is not None:
            stale = True
            what = f"{len(loaded.stale)} keys stand at their" if loaded.stale else "stands at its"
            since = _time(loaded.since)
            yield _finding(WARNING, f"{what} last good state since {since} ({why})", realm, name)
    if state.reload_failed and not stale and not state.snapshot.failed:
        yield _finding(WARNING, "the last reload left something as it was: the server's log says what")
    if state.certificate_failed:
        yield _finding(WARNING, "the files of the certificate hold no pair that can be served")


def _endings(state: State, now: float) -> Iterator[dict[str, Any]]:
    left = timedelta(seconds=state.certificate.expires.timestamp() - now)
    if left < SOON:
        severity = CRITICAL if left < _VERY_SOON else WARNING
        yield _finding(severity, f"the certificate {_ends(left)}, on {state.certificate.expires.date()}")
    for realm, held in sorted(state.snapshot.tokens.items()):
        for name in sorted({record.name for record in held.file.tokens}):
            record = newest(held.file.tokens, name)
            if record is None or record.expires is None:
                continue
            left = timedelta(seconds=record.expires.timestamp() - now)
            if left < SOON:
                yield _finding(WARNING, f"token {name} {_ends(left)}, on {record.expires.date()}", realm)


def _ends(left: timedelta) -> str:
    return "has ended" if left <= timedelta() else f"ends in {left.days} days"


def _finding(severity: str, what: str, realm: str = "", environment: str = "") -> dict[str, Any]:
    place = {"realm": realm, "environment": environment}
    return {"severity": severity, "what": what, **{name: str(text) for name, text in place.items() if text}}


def _realm(state: State, realm: str, now: float) -> dict[str, Any]:
    snapshot = state.snapshot
    environments: list[dict[str, Any]] = []
    for name, loaded in snapshot.environments.get(realm, {}).items():  # type: ignore[call-overload]
        one = {"environment": str(name), "keys": len(loaded.values), "state": "loaded"}
        if loaded.failed:
            reason = _reason(state, realm, name)
            one |= {"state": "partly_loaded", "keys_not_loaded": len(loaded.failed), "reason": reason}
        if loaded.since is not None:
            one |= {
                "state": one["state"] if loaded.failed else "last_good",
                "keys_last_good": len(loaded.stale or loaded.values),
                "since": _time(loaded.since),
                "age_seconds": max(0, round(now - loaded.since)),
                "reason": _reason(state, realm, name),
            }
        environments.append(one)
    for at, name in snapshot.failed:
        if at == realm:
            reason = _reason(state, realm, name)
            one = {"environment": str(name), "keys": 0, "state": "not_loaded", "reason": reason}
            environments.append(one)
    held = snapshot.tokens.get(realm)  # type: ignore[call-overload]
    return {
        "realm": str(realm),
        "environments": sorted(environments, key=lambda one: str(one["environment"])),
        "tokens": 0 if held is None else len(held.file.tokens),
        "accounts": 0 if held is None else len(held.file.accounts),
    }


def _reason(state: State, realm: str, environment: str) -> str:
    """The kind of error, in words: a message may name keys, and is in the server's log."""
    folder = f"{state.folder}/{realm}"
    for prefix in (f"{folder}/{environment}", f"{folder}/realm.yaml", folder):
        kinds = _kinds(prefix, state.problems)
        if kinds:
            return ", ".join(kinds)
    return "the server's log says why"


def _kinds(prefix: str, problems: Iterable[ArcanError]) -> list[str]:
    found = [
        " ".join(_WORDS.split(type(problem).__name__)).lower()
        for problem in problems
        if problem.message.startswith((f"{prefix}.", f"{prefix}/", f"{prefix}:"))
    ]
    return ["bad file" if kind == "arcan error" else kind for kind in dict.fromkeys(found)]


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
