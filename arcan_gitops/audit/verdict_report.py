"""A verdict on audit logs, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Final

from arcan_gitops.audit.verify import ChainSeen, Verdict
from arcan_gitops.errors import printable

FAULTY: Final = 1
OPEN: Final = 3


def status(verdict: Verdict) -> int:
    """The exit status: 0 all is there, 1 something was changed, removed or reordered, 3 ends are missing."""
    if verdict.faults or not verdict.chains:
        return FAULTY
    return OPEN if verdict.open_ends else 0


def text(verdict: Verdict) -> str:
    """Faults first, a line each; then a line for each chain, and a summary."""
    return "".join(f"{printable(line)}\n" for line in _lines(verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    yield from verdict.faults
    yield from verdict.open_ends
    yield from (f"note: {note}" for note in verdict.notes)
    yield from map(_chain, verdict.chains)
    counts = (
        f"{verdict.files} files, {verdict.lines} audit lines in {len(verdict.chains)} chains, "
        f"{verdict.others} other lines"
    )
    if not verdict.chains:
        yield f"nothing to verify: no chain in {counts}"
    elif verdict.faults:
        yield f"NOT as written: {len(verdict.faults)} faults; {counts}"
    elif verdict.open_ends:
        yield f"nothing is wrong, but {len(verdict.open_ends)} chains have no end; {counts}"
    else:
        yield f"verified: {counts}"


def _chain(seen: ChainSeen) -> str:
    sealed = "not sealed by a key that was given"
    if seen.sealed is not None:
        sealed = (
            "sealed to its last line"
            if seen.sealed == seen.last_sequence
            else f"sealed to line {seen.sealed}"
        )
    end = "ended" if seen.ended else "no end"
    return (
        f"chain {seen.chain} of {seen.instance}, worker {seen.worker}: "
        f"{seen.lines} lines to {seen.last_sequence}, {seen.first} to {seen.last}, {end}, {sealed}"
    )


def as_json(verdict: Verdict) -> str:
    """One object with all that was found."""
    return json.dumps({"status": status(verdict), **asdict(verdict)}, indent=2) + "\n"


FORMATS: Final[Mapping[str, Callable[[Verdict], str]]] = {"text": text, "json": as_json}
