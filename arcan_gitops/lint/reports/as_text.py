"""A line a finding, as compilers write them, with what to do below; the sums last."""

from __future__ import annotations

from arcan_gitops.errors import printable
from arcan_gitops.eso_version import NEWEST
from arcan_gitops.lint.findings import Report, Severity


def render(report: Report) -> str:
    """`file:line: severity RULE: message`, then an indented line with the hint and the page."""
    lines = []
    for finding in report.findings:
        where = str(finding.place) if finding.place is not None else "arcan"
        lines.append(one_line(f"{where}: {finding.severity} {finding.rule}: {finding.message}"))
        lines.append(one_line(f"    {finding.hint}  [{finding.page}]"))
    return "\n".join([*lines, *([""] if lines else []), summary(report)]) + "\n"


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
