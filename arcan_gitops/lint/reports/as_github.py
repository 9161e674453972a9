"""Workflow commands, which GitHub shows as annotations of the lines of a pull request.

Source: GitHub Actions, workflow commands; @actions/core command.ts for what is escaped where.
"""

from __future__ import annotations

from arcan_gitops.lint.findings import Finding, Report
from arcan_gitops.lint.reports.as_text import one_line, summary


def render(report: Report) -> str:
    """`::error file=...,line=...,title=ARC020::message`, a line a finding; the sums last."""
    return "\n".join([*map(_command, report.findings), summary(report)]) + "\n"


def _command(finding: Finding) -> str:
    properties = {"title": finding.rule}
    if finding.place is not None and finding.place.path != "-":
        properties = {"file": finding.place.path, "line": str(finding.place.line), **properties}
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = f"{one_line(finding.message)}\n{one_line(finding.hint)}\n{finding.page}"
    return f"::{finding.severity} {shown}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
