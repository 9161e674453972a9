"""Workflow commands, which GitHub shows as annotations of the lines of a pull request."""

from __future__ import annotations

from arcan_gitops.code_scanning import workflow_command
from arcan_gitops.explanations import command
from arcan_gitops.lint.findings import Finding, Report
from arcan_gitops.lint.reports.as_text import one_line, summary


def render(report: Report) -> str:
    """`::error file=...,line=...,title=ARC020::message`, a line a finding; the sums last."""
    return "\n".join([*map(_command, report.findings), summary(report)]) + "\n"


def _command(finding: Finding) -> str:
    properties = {"title": finding.rule}
    if finding.place is not None and finding.place.path != "-":
        properties = {"file": finding.place.path, "line": str(finding.place.line), **properties}
    text = f"{one_line(finding.message)}\n{one_line(finding.hint)}\n{command(finding.rule)}"
    return workflow_command(finding.severity, properties, text)
