"""One JSON object: what judged, the sums, and the results in order."""

from __future__ import annotations

import json

from arcan_gitops.validate.results import Report, Status, count


def render(report: Report) -> str:
    """`{"builder", "engine", "esoVersions", "esoKnownUpTo", "passed", "summary", "results": [...]}`."""
    counts = count(report.results)
    body = {
        "builder": report.builder,
        "engine": report.engine,
        "esoVersions": list(report.eso_versions),
        "esoKnownUpTo": report.known_up_to,
        "passed": report.passed,
        "summary": {status.value: counts[status] for status in Status},
        "results": [
            {
                "source": result.source,
                "kind": result.kind,
                "namespace": result.namespace,
                "name": result.name,
                "status": result.status.value,
                "message": result.message,
            }
            for result in report.results
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
