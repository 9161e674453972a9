"""A simulation as text for people and as JSON for programs. Values are masked unless `reveal` is given."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from arcan_gitops.errors import printable
from arcan_gitops.eso.cluster import StoreStatus
from arcan_gitops.eso.errors import NotSupported
from arcan_gitops.eso.explain import likely_cause
from arcan_gitops.eso.objects import ExternalSecret, KubernetesSecret, Store
from arcan_gitops.eso.outcome import Outcome
from arcan_gitops.eso.simulation import Simulation
from arcan_gitops.eso_version import NEWEST


def as_text(simulation: Simulation, *, reveal: bool) -> str:
    """A block for each store and ExternalSecret, then one line for all."""
    lines: list[str] = []
    for store, status in simulation.stores:
        lines += [*map(printable, _store_lines(store, status)), ""]
    for external, outcome in simulation.outcomes:
        lines += [*map(printable, _outcome_lines(external, outcome)), *_values(outcome, reveal), ""]
    synced = sum(isinstance(outcome, Outcome) and outcome.synced for _, outcome in simulation.outcomes)
    of = f"{synced} of {len(simulation.outcomes)} ExternalSecrets would be synced"
    lines.append(f"{of} (by ESO {NEWEST}, the newest known here)")
    return "\n".join(lines) + "\n"


def _store_lines(store: Store, status: StoreStatus | None) -> Iterator[str]:
    if status is None:
        yield f"{store.id}: not supported by the emulator (provider {store.provider})"
        return
    yield f"{store.id}: {'Ready' if status.ready else 'not Ready'} ({status.reason}: {status.message})"
    yield from _event_lines("Warning", status.reason, status.event)


def _event_lines(kind: str, reason: str, message: str) -> Iterator[str]:
    if message:
        yield f"  event: {kind} {reason}: {message}"
        if kind == "Warning":
            yield from _cause_lines(message)


def _cause_lines(text: str) -> Iterator[str]:
    cause = likely_cause(text)
    if cause is not None:
        yield f"  likely cause: {cause}"


def _outcome_lines(external: ExternalSecret, outcome: Outcome | NotSupported) -> Iterator[str]:
    if isinstance(outcome, NotSupported):
        yield f"{external}: {outcome.message}"
        if outcome.hint:
            yield f"  {outcome.hint}"
        return
    condition = outcome.condition
    yield f"{external}: {condition.reason}: {condition.message}"
    for event in outcome.events:
        yield from _event_lines(event.kind, event.reason, event.message)
    if not outcome.error:
        yield from _cause_lines(condition.message)
    for note in outcome.notes:
        yield f"  note: {note}"
    if outcome.secret is None:
        yield f"  Secret {external.target.name}: {outcome.fate}"
        return
    secret = outcome.secret
    yield f"  Secret {secret.namespace}/{secret.name} ({secret.type}): {outcome.fate}"


def _values(outcome: Outcome | NotSupported, reveal: bool) -> Iterator[str]:
    if isinstance(outcome, Outcome) and outcome.secret is not None:
        for key, value in sorted(outcome.secret.data.items()):
            yield from _value_lines(printable(key), value, reveal)


def _value_lines(key: str, value: bytes, reveal: bool) -> Iterator[str]:
    size = f"({len(value)} byte{'' if len(value) == 1 else 's'})"
    if not reveal:
        yield f"    {key}: ******** {size}"
        return
    text = _text_of(value)
    if text is None:
        yield f"    {key}: {base64.b64encode(value).decode('ascii')} (base64) {size}"
    elif "\n" in text:
        yield f"    {key}: {size}"
        yield from (f"      {line}" for line in text.splitlines())
    else:
        yield f"    {key}: {text} {size}"


def _text_of(value: bytes) -> str | None:
    """The value as text, or None where a terminal could not show it."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in "\t\n\r" for c in text) else None


def as_json(simulation: Simulation, *, reveal: bool) -> str:
    """One JSON document; values appear (`value`, or `base64` for what is not text) only with `reveal`."""
    document = {
        "esoVersion": str(NEWEST),
        "passed": simulation.passed,
        "stores": [_store_object(store, status) for store, status in simulation.stores],
        "externalSecrets": [_outcome_object(*pair, reveal) for pair in simulation.outcomes],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _store_object(store: Store, status: StoreStatus | None) -> dict[str, Any]:
    placed = {"kind": str(store.id.kind), "namespace": store.id.namespace or None, "name": store.id.name}
    if status is None:
        return {**placed, "ready": None, "provider": store.provider}
    return {
        **placed,
        "ready": status.ready,
        "reason": status.reason,
        "message": status.message,
        "event": status.event or None,
        "likelyCause": likely_cause(status.event) if status.event else None,
    }


def _outcome_object(
    external: ExternalSecret, outcome: Outcome | NotSupported, reveal: bool
) -> dict[str, Any]:
    placed = {"namespace": external.namespace, "name": external.name}
    if isinstance(outcome, NotSupported):
        return {**placed, "synced": False, "notSupported": outcome.message}
    condition = outcome.condition
    return {
        **placed,
        "synced": outcome.synced,
        "ready": condition.ready,
        "reason": condition.reason,
        "message": condition.message,
        "events": [
            {"type": event.kind, "reason": event.reason, "message": event.message} for event in outcome.events
        ],
        "likelyCause": likely_cause(outcome.error or condition.message),
        "notes": list(outcome.notes),
        "fate": str(outcome.fate),
        "secret": None if outcome.secret is None else _secret_object(outcome.secret, reveal),
    }


def _secret_object(secret: KubernetesSecret, reveal: bool) -> dict[str, Any]:
    keys = []
    for key in sorted(secret.data):
        value = secret.data[key]
        shown: dict[str, str] = {}
        if reveal:
            text = _text_of(value)
            shown = {"base64": base64.b64encode(value).decode("ascii")} if text is None else {"value": text}
        keys.append({"key": key, "bytes": len(value), **shown})
    return {
        "namespace": secret.namespace,
        "name": secret.name,
        "type": secret.type,
        "labels": dict(secret.labels),
        "keys": keys,
    }


Format = Callable[..., str]
FORMATS: Final[Mapping[str, Format]] = {"text": as_text, "json": as_json}
