"""A table, then one line of sums."""

from __future__ import annotations

from arcan_gitops.validate.results import Report


def render(report: Report) -> str:
    """A row a result, columns as wide as they need; the message comes last and is never cut."""
    rows = [("SOURCE", "KIND", "NAMESPACE/NAME", "STATUS", "MESSAGE")]
    rows += [(r.source, r.kind, r.full_name, r.status.value, r.message) for r in report.results]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", report.summary()]) + "\n"
