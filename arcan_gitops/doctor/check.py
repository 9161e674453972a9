"""A check as data, and how all of them are run. Checks are pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from arcan_gitops.doctor.facts import Facts
from arcan_gitops.doctor.findings import Finding, Found, NotDone, Place, Report, Severity


@dataclass(frozen=True, slots=True)
class Check:
    """`looks_at`: what is looked at; `needs`: the rights and tools for it.

    A `symptom` says what others say: it counts only for ExternalSecrets that nothing was found for before it.
    """

    id: str
    looks_at: str
    needs: str
    run: Callable[[Facts], Iterator[Found | NotDone]]
    symptom: bool = False


def examine(facts: Facts, checks: Sequence[Check]) -> Report:
    """What all checks find, the worst first; what is the same for several ExternalSecrets is told once."""
    findings: dict[Finding, frozenset[Place]] = {}
    not_done: dict[NotDone, list[str]] = {}
    explained: set[Place] = set()
    for check in sorted(checks, key=lambda check: check.symptom):  # causes first
        for found in check.run(facts):
            if isinstance(found, NotDone):
                checks_of = not_done.setdefault(found, [])
                if check.id not in checks_of:
                    checks_of.append(check.id)
            elif not (check.symptom and found.of and found.of <= explained):
                same = Finding(check.id, replace(found, of=frozenset()))
                findings[same] = findings.get(same, frozenset()) | found.of
                if found.severity is Severity.ERROR or check.symptom:
                    explained |= found.of
    order = list(Severity)
    whole = [Finding(one.check, replace(one.found, of=of)) for one, of in findings.items()]
    ranked = sorted(whole, key=lambda finding: order.index(finding.found.severity))
    places = tuple(external.place for external in facts.externals)
    return Report(tuple(ranked), tuple((one, tuple(ids)) for one, ids in not_done.items()), places)
