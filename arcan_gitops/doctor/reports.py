"""A report as text for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from arcan_gitops.doctor.findings import Finding, NotDone, Report, Severity
from arcan_gitops.errors import printable

MAP: Final = "docs/troubleshooting.md"
_MOST: Final = 3  # that could not be looked at for the same reason


def as_text(report: Report) -> str:
    """A finding with its commands; then what could not be looked at; the sums last."""
    lines: list[str] = []
    for finding in report.findings:
        lines += [*_finding(finding), ""]
    if report.not_done:
        lines.append("could not be looked at:")
        lines += [*_not_done(report), ""]
    lines.append(_summary(report))
    return "\n".join(map(printable, lines)) + "\n"


def _finding(finding: Finding) -> Iterator[str]:
    found = finding.found
    yield f"{found.severity} {finding.check}: {found.where} {found.what}"
    others = sorted("/".join(place) for place in found.of)
    if others and found.where != f"ExternalSecret {others[0]}":
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        yield f"    for: {', '.join(others[:5])}{more}"
    yield from (f"    fix: {command}" for command in found.fix)


def _not_done(report: Report) -> Iterator[str]:
    """Of what is the same in many namespaces the first few, and how many more there are."""
    alike: defaultdict[tuple[str, tuple[str, ...]], list[NotDone]] = defaultdict(list)
    for missing, ids in report.not_done:
        alike[missing.why, ids].append(missing)
    for (why, ids), all_of_them in alike.items():
        for missing in all_of_them[:_MOST]:
            yield f"  {missing.what}: {why} ({', '.join(ids)})"
            yield from (f"    {command}" for command in missing.fix)
        if len(all_of_them) > _MOST:
            yield f"  and {len(all_of_them) - _MOST} more: {why} ({', '.join(ids)})"


def _summary(report: Report) -> str:
    counts = [(report.count(severity), severity) for severity in Severity]
    said = ", ".join(
        f"{number} {severity}{'' if number == 1 else 's'}" for number, severity in counts if number
    )
    number = len(report.looked_at)
    where = f"{number} ExternalSecret{'' if number == 1 else 's'}"
    if not said:
        return f"nothing is wrong with {where}"
    return f"{said}, of {where}; each check is in {MAP}"


def as_json(report: Report) -> str:
    """`{"summary": {...}, "lookedAt": [...], "findings": [...], "notDone": [...]}`."""
    body = {
        "summary": {str(severity): report.count(severity) for severity in Severity},
        "lookedAt": ["/".join(place) for place in report.looked_at],
        "findings": [
            {
                "check": finding.check,
                "severity": str(finding.found.severity),
                "where": finding.found.where,
                "what": finding.found.what,
                "externalSecrets": sorted("/".join(place) for place in finding.found.of),
                "fix": list(finding.found.fix),
            }
            for finding in report.findings
        ],
        "notDone": [
            {"what": missing.what, "why": missing.why, "checks": list(ids), "fix": list(missing.fix)}
            for missing, ids in report.not_done
        ],
    }
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {"text": as_text, "json": as_json}
