"""SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure DevOps reads.

Source: OASIS SARIF 2.1.0, sections 3.13 to 3.30.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from arcan_gitops import __version__
from arcan_gitops.lint.check import ALL_RULES
from arcan_gitops.lint.findings import Finding, Report


def render(report: Report) -> str:
    """One run with every rule, and a result a finding; one about the run itself has no location."""
    numbers = {rule.id: number for number, rule in enumerate(ALL_RULES)}
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": f"Finds {rule.title}."},
            "help": {"text": f"See {rule.page}", "markdown": f"See [{rule.page}]({rule.page})"},
            "defaultConfiguration": {"level": rule.severity.value},
        }
        for rule in ALL_RULES
    ]
    driver = {"name": "arcan lint", "version": __version__, "rules": rules}
    body = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, numbers[finding.rule]) for finding in report.findings],
            }
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.severity.value,
        "message": {"text": f"{finding.message}\n{finding.hint}"},
    }
    if finding.place is not None:
        path = "stdin" if finding.place.path == "-" else PurePath(finding.place.path).as_posix()
        artifact = {"uri": quote(path)}
        region = {"startLine": finding.place.line}
        result["locations"] = [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
    return result
