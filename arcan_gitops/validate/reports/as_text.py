"""A table, then one line of sums. What several manifests have in common is said once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from arcan_gitops.errors import printable, some
from arcan_gitops.validate.results import Report, Result, Status

_MOST_NAMED: Final = 3  # the others are counted; the JSON report has all


def render(report: Report) -> str:
    """A row for the results that differ in their names alone, and for the same failure of several sources.

    The message comes last, and its further lines below, after a bar; one of them names the other sources.
    """
    rows = [("SOURCE", "KIND", "NAMESPACE/NAME", "STATUS", "MESSAGE"), *_rows(report.results)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", report.summary()]) + "\n"


def _rows(results: Iterable[Result]) -> Iterator[tuple[str, str, str, str, str]]:
    named: dict[tuple[str, str, Status, str], list[str]] = {}
    for result in results:
        same = (result.source, result.kind, result.status, result.message)
        named.setdefault(same, []).append(result.full_name)
    rows: dict[tuple[str, str, Status, str, str], list[str]] = {}
    for (source, kind, status, message), names in named.items():
        own = source if status is Status.VALID else ""  # a failure is said once for all sources
        rows.setdefault((kind, some(names, _MOST_NAMED), status, message, own), []).append(source)
    for (kind, shown, status, message, _), sources in rows.items():
        others = f"\nalso in {some([printable(other) for other in sources[1:]])}" if sources[1:] else ""
        yield _row(sources[0], kind, shown, status, message + others)


def _row(source: str, kind: str, name: str, status: Status, message: str) -> tuple[str, str, str, str, str]:
    """The cells of a row. Names come from whoever wrote the manifests: none of them begins a line."""
    first, *more = map(printable, message.split("\n"))
    source, kind, name = map(printable, (source, kind, name))
    return source, kind, name, status.value, "\n".join([first, *(f"  | {line}" for line in more)])
