"""SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure DevOps reads."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from arcan_gitops.code_scanning import sarif_location, sarif_log, sarif_rule
from arcan_gitops.errors import printable
from arcan_gitops.explanations import command
from arcan_gitops.review.findings import RULES, Finding, Kind
from arcan_gitops.review.review import Review

_LEVELS: Final = {Kind.BROKEN: "error", Kind.GAIN: "warning", Kind.NOTE: "note"}


def render(review: Review) -> str:
    """One run with every rule, and a result a finding."""
    rules = [sarif_rule(rule.id, rule.title, command(rule.id), _LEVELS[rule.kind]) for rule in RULES.values()]
    numbers = {name: number for number, name in enumerate(RULES)}
    results = [_result(finding, numbers[finding.rule.id]) for finding in review.findings]
    return json.dumps(sarif_log("arcan review", rules, results), indent=2, ensure_ascii=True) + "\n"


def _result(finding: Finding, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": number,
        "level": _LEVELS[finding.kind],
        "message": {"text": f"{printable(finding.message)}\n{printable(finding.next)}"},
    }
    if finding.path:
        uri = quote(finding.path.lstrip("/").encode("utf-8", "surrogateescape"))
        result["locations"] = [sarif_location(uri, max(1, finding.line))]
    return result
