"""SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure DevOps reads.

Source: OASIS SARIF 2.1.0, sections 3.13 to 3.30.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from arcan_gitops import __version__
from arcan_gitops.errors import printable
from arcan_gitops.review.findings import RULES, Finding, Kind
from arcan_gitops.review.review import Review

_LEVELS: Final = {Kind.BROKEN: "error", Kind.GAIN: "warning", Kind.NOTE: "note"}


def render(review: Review) -> str:
    """One run with every rule, and a result a finding."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": f"Finds {rule.title}."},
            "help": {"text": f"See {rule.page}", "markdown": f"See [{rule.page}]({rule.page})"},
            "defaultConfiguration": {"level": _LEVELS[rule.kind]},
        }
        for rule in RULES.values()
    ]
    driver = {"name": "arcan review", "version": __version__, "rules": rules}
    numbers = {name: number for number, name in enumerate(RULES)}
    body = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, numbers[finding.rule.id]) for finding in review.findings],
            }
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=True) + "\n"


def _result(finding: Finding, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": number,
        "level": _LEVELS[finding.kind],
        "message": {"text": f"{printable(finding.message)}\n{printable(finding.next)}"},
    }
    if finding.path:
        artifact = {"uri": quote(finding.path.lstrip("/").encode("utf-8", "surrogateescape"))}
        region = {"startLine": max(1, finding.line)}
        result["locations"] = [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
    return result
