"""Workflow commands, which GitHub shows as annotations of a pull request."""

from __future__ import annotations

from typing import Final

from arcan_gitops.code_scanning import workflow_command
from arcan_gitops.errors import printable
from arcan_gitops.explanations import command
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.review import Review

_LEVELS: Final = {Kind.BROKEN: "error", Kind.GAIN: "warning", Kind.NOTE: "notice"}


def render(review: Review) -> str:
    """`::error file=...,line=...,title=ARR101::message`, a line a finding; the sentence last."""
    return "\n".join([*map(_command, review.findings), printable(review.sentence)]) + "\n"


def _command(finding: Finding) -> str:
    properties = {"title": finding.rule.id}
    if finding.path:
        properties = {"file": finding.path.lstrip("/"), "line": str(max(1, finding.line)), **properties}
    shown = {name: printable(value) for name, value in properties.items()}
    text = f"{printable(finding.message)}\n{printable(finding.next)}\n{command(finding.rule.id)}"
    return workflow_command(_LEVELS[finding.kind], shown, text)
