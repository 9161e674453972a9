"""SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure DevOps reads."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from arcan_gitops.code_scanning import sarif_location, sarif_log, sarif_rule
from arcan_gitops.explanations import command
from arcan_gitops.lint.check import ALL_RULES
from arcan_gitops.lint.findings import Finding, Report


def render(report: Report) -> str:
    """One run with every rule, and a result a finding; one about the run itself has no location."""
    numbers = {rule.id: number for number, rule in enumerate(ALL_RULES)}
    rules = [sarif_rule(rule.id, rule.title, command(rule.id), rule.severity.value) for rule in ALL_RULES]
    results = [_result(finding, numbers[finding.rule]) for finding in report.findings]
    return json.dumps(sarif_log("arcan lint", rules, results), indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.severity.value,
        "message": {"text": f"{finding.message}\n{finding.hint}"},
    }
    if finding.place is not None:
        path = "stdin" if finding.place.path == "-" else PurePath(finding.place.path).as_posix()
        result["locations"] = [sarif_location(quote(path), finding.place.line)]
    return result
