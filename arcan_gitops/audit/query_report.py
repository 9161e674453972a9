"""Decisions as lines for people, JSON objects or CSV, each as soon as it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from arcan_gitops.audit.fields import FIELDS
from arcan_gitops.audit.query import Decided, account_of
from arcan_gitops.errors import printable

_COLUMNS: Final = (
    "time", "status", "code", "reason", "realm", "environment", "key", "bulk", "commit", "token_name",
    "token_id", "claimed_token_id", "cluster", "namespace", "account", "claimed_account", "client",
    "claimed_namespace", "count", "revision", "request_id", "instance", "file", "line",
)  # fmt: skip
_UNRESOLVED: Final = "unresolved"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def text(found: Iterable[Decided]) -> Iterator[str]:
    """`TIME STATUS REALM/ENVIRONMENT/KEY by WHO from ADDRESS`, a line each."""
    for decided in found:
        record = decided.record
        what = "/".join(str(record.get(name, "?")) for name in ("realm", "environment"))
        if "realm" not in record:
            what = "-"
        elif "key" in record:
            what += f"/{record['key']}"
        elif decided.keys is not None:
            names = " ".join(decided.keys)
            what += f" all keys, {len(decided.keys)} at {str(decided.commit)[:12]}: {names}"
        else:
            what += " all keys"
            if decided.unresolved:
                what += f", not known which: no commit here has revision {str(record.get('revision'))[:12]}"
        many = f" ({record['count']} times)" if "count" in record else ""
        code = f" {record['code']}" if "code" in record else ""
        reason = f" ({record['reason']})" if "reason" in record else ""
        yield (
            printable(
                f"{record['time']} {record['status']}{code}{reason} {what} by {_who(decided)} from "
                f"{record.get('client', '?')}{many}"
            )
            + "\n"
        )


def _who(decided: Decided) -> str:
    record = decided.record
    if "token_name" in record:
        return f"token {record['token_name']} ({record.get('token_id')})"
    if "account" in record:
        return f"account {account_of(record)}"
    claimed = record.get("token_id") or record.get("claimed_token_id") or record.get("claimed_account")
    return f"nobody known, who claims to be {claimed}" if claimed else "nobody known"


def as_json(found: Iterable[Decided]) -> Iterator[str]:
    """A JSON object a line: the fields of the audit line that say who, what and how it ended; of a read of
    all keys also `keys` and `commit`, or null where these are not known.
    """
    for decided in found:
        shown = {name: decided.record[name] for name in FIELDS if name in decided.record}
        if decided.keys is not None or decided.unresolved:
            shown |= {"keys": decided.keys, "commit": decided.commit}
        shown |= {"file": decided.place.file, "line": decided.place.number}
        yield json.dumps(shown) + "\n"


def as_csv(found: Iterable[Decided]) -> Iterator[str]:
    """A header and a row for each key that was asked for: a read of all keys has one for each of them, with
    `bulk` 1, or one row with `bulk` `unresolved`.
    """
    yield _row(_COLUMNS)
    for decided in found:
        record = {**decided.record, "file": decided.place.file, "line": decided.place.number}
        if decided.keys is None:
            record["bulk"] = _UNRESOLVED if decided.unresolved else ""
            yield _row([record.get(name, "") for name in _COLUMNS])
            continue
        for key in decided.keys:
            record |= {"key": key, "bulk": "1", "commit": decided.commit}
            yield _row([record.get(name, "") for name in _COLUMNS])


def _row(cells: Iterable[object]) -> str:
    """Callers choose some of the texts: none of them is a formula to a spreadsheet."""
    safe = [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in cells]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(safe)
    return buffer.getvalue()


FORMATS: Final[Mapping[str, Callable[[Iterable[Decided]], Iterator[str]]]] = {
    "text": text,
    "json": as_json,
    "csv": as_csv,
}
