"""A line a finding, as compilers write them, with what to do below each or several alike; the sums last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from arcan_gitops.errors import printable
from arcan_gitops.eso_version import NEWEST
from arcan_gitops.explanations import command
from arcan_gitops.lint.findings import Finding, Report, Severity


def render(report: Report) -> str:
    """`file:line: severity RULE: message`, then an indented line with the hint and what says more.

    Findings that say the same of several objects stand together, with the message and the hint once.
    """
    lines = []
    for findings in _alike(report.findings):
        for number, finding in enumerate(findings):
            where = str(finding.place) if finding.place is not None else "arcan"
            said = finding.message if number == 0 else f"{finding.message.partition(': ')[0]}: the same"
            lines.append(one_line(f"{where}: {finding.severity} {finding.rule}: {said}"))
        lines.append(one_line(f"    {findings[0].hint}  [{command(findings[0].rule)}]"))
    return "\n".join([*lines, *([""] if lines else []), summary(report)]) + "\n"


def _alike(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    """In the order of the first of each: what says the same about several objects, or in several places."""
    groups: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        _, colon, problem = finding.message.partition(": ")
        # without an object in front the message itself may have a colon, and is told in full each time
        place = "" if colon else str(finding.place)
        groups[finding.rule, finding.severity, problem or finding.message, finding.hint, place].append(
            finding
        )
    return groups.values()


def one_line(text: str) -> str:
    """Without line ends and control characters: names come from whoever wrote the manifest."""
    return printable(text)


def summary(report: Report) -> str:
    """`2 errors, 1 warning in 14 manifests of 3 files (ESO 0.20.0; known up to 2.9.0)`."""

    def of(number: int, noun: str) -> str:
        return f"{number} {noun}{'' if number == 1 else 's'}"

    counts = report.count()
    said = f"{of(counts[Severity.ERROR], 'error')}, {of(counts[Severity.WARNING], 'warning')}"
    where = f"{of(report.manifests, 'manifest')} of {of(report.sources, 'file')}"
    version = f"(ESO {report.eso_version}; known up to {NEWEST})"
    return f"{said if report.findings else 'no findings'} in {where} {version}"
