"""A table, then one line of sums."""

from __future__ import annotations

from arcan_gitops.errors import printable
from arcan_gitops.validate.results import Report, Result


def render(report: Report) -> str:
    """One row for each result; the message comes last, and its further lines below, after a bar."""
    rows = [("SOURCE", "KIND", "NAMESPACE/NAME", "STATUS", "MESSAGE")]
    rows += [_row(result) for result in report.results]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", report.summary()]) + "\n"


def _row(result: Result) -> tuple[str, str, str, str, str]:
    """The cells of a result. Names come from whoever wrote the manifests: none of them begins a line."""
    first, *more = map(printable, result.message.split("\n"))
    source, kind, name = map(printable, (result.source, result.kind, result.full_name))
    return source, kind, name, result.status.value, "\n".join([first, *(f"  | {line}" for line in more)])
