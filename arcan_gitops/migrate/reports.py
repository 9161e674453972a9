"""The result for each value, as text and as JSON: origins, keys and reasons, never a value."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from arcan_gitops.errors import printable
from arcan_gitops.migrate.outcome import Outcome, Status


def as_text(outcomes: Iterable[Outcome]) -> str:
    """One line each: `imported  myapp/db#password -> myapp.db.password`, with a reason where there is one.

    `renamed`: the key has other characters than the rule alone gives, or --map named it.
    """
    lines = []
    for one in outcomes:
        key = "" if one.key is None else f" -> {one.key}"
        said = "; ".join(filter(None, ("renamed" if one.renamed else "", one.reason)))
        line = f"{one.status:<9} {one.origin}{key}" + (f" ({said})" if said else "")
        lines.append(printable(line))  # names of another system
    return "".join(f"{line}\n" for line in lines)


def as_json(
    source: str,
    document: str,
    outcomes: Iterable[Outcome],
    *,
    dry_run: bool,
    complete: bool,
    apps: Sequence[Mapping[str, str]],
) -> str:
    """A JSON object: what was read into what, one object for each value, and those of `apps` as they are.

    `complete` is false where the source could not be read to its end.
    """
    rows = [
        {
            "path": one.origin.path,
            "field": one.origin.field,
            "key": one.key,
            "status": str(one.status),
            "renamed": one.renamed,
            "reason": one.reason or None,
        }
        for one in outcomes
    ]
    counts = Counter(row["status"] for row in rows)
    report = {
        "source": source,
        "document": document,
        "dryRun": dry_run,
        "complete": complete,
        "counts": {str(status): counts[str(status)] for status in Status},
        "values": rows,
        "apps": list(apps),
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def summary(outcomes: Iterable[Outcome]) -> str:
    """`3 imported, 1 skipped, 1 renamed`."""
    rows = list(outcomes)
    counts = Counter(one.status for one in rows)
    said = [f"{counts[status]} {status}" for status in Status if counts[status]]
    renamed = sum(one.renamed for one in rows)
    return ", ".join([*said, *([f"{renamed} renamed"] if renamed else [])]) or "nothing found"
