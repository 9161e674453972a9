"""One JSON object: the version judged for, the sums, and the findings in order."""

from __future__ import annotations

import json

from arcan_gitops.eso_version import NEWEST
from arcan_gitops.lint.findings import Report, Severity


def render(report: Report) -> str:
    """`{"esoVersion", "esoKnownUpTo", "files", "manifests", "summary": {...}, "findings": [...]}`.

    The summary has a number for each severity. A finding's `file` and `line` are null where it is about the
    run itself.
    """
    counts = report.count()
    body = {
        "esoVersion": report.eso_version,
        "esoKnownUpTo": str(NEWEST),
        "files": report.sources,
        "manifests": report.manifests,
        "summary": {severity.value: counts[severity] for severity in Severity},
        "findings": [
            {
                "file": finding.place.path if finding.place else None,
                "line": finding.place.line if finding.place else None,
                "rule": finding.rule,
                "severity": finding.severity.value,
                "message": finding.message,
                "hint": finding.hint,
                "page": finding.page,
            }
            for finding in report.findings
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
