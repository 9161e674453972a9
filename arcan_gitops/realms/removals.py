"""`realms/<realm>/removed/<environment>/<KEY>.yaml`: that a key was removed, and was meant to be.

ESO deletes Kubernetes Secrets for a key that is answered 404. In a realm with `deletions: recorded` a key
that is not there is answered so only where its record says that it was removed: a bad merge, an old checkout
or a file that was lost never looks like that. One file a removal: two pull requests never meet in a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.tree import RealmTree, read_file
from arcan_gitops.yamlio import emit, read_mapping

_VERSION: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)
_MAX_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Removal:
    """A key that was removed: the version of the value that went, the day (UTC), and why."""

    version: str
    date: date
    reason: str

    @classmethod
    def parse(cls, data: bytes, source: str) -> Removal:
        """Raises `InvalidFile`, with the line."""
        fields = read_mapping(data, source)
        version, day, reason = fields.text("version"), fields.text("date"), fields.text("reason")
        fields.done()
        if not _VERSION.fullmatch(version):
            fields.fail("'version' is not that of a value: 12 hexadecimal digits", field="version")
        try:
            removed = date.fromisoformat(day)
        except ValueError:
            fields.fail("'date' is no day", field="date", hint="write it as '2026-01-31', in quotes")
        if not reason.strip() or len(reason) > _MAX_REASON:
            fields.fail(f"'reason' is a text of at most {_MAX_REASON} characters", field="reason")
        return cls(version, removed, reason)

    def dump(self) -> bytes:
        """The file."""
        body = {"version": self.version, "date": self.date.isoformat(), "reason": self.reason}
        return emit([body]).encode()


def removals_of(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName
) -> tuple[Mapping[KeyName, tuple[Removal, bytes]], tuple[ArcanError, ...]]:
    """The records of an environment that can be read, with their bytes, and what is wrong with the others."""
    files, found = tree.removal_files(realm, environment)
    problems = list(found)
    records: dict[KeyName, tuple[Removal, bytes]] = {}
    for key, path in files.items():
        try:
            data = read_file(path)
            records[key] = Removal.parse(data, str(path)), data
        except ArcanError as error:
            problems.append(error)
    return records, tuple(problems)


def there_again(records: Mapping[KeyName, Path], keys: Iterable[str]) -> list[ArcanError]:
    """A problem for each record of a key that is there."""
    present = set(keys)
    return [
        ArcanError(
            f"{path}: says that {key} was removed, and it is there",
            hint=f"if it is to stay: rm {path}; if it is to go: 'arcan secret unset' removes it",
        )
        for key, path in records.items()
        if key in present
    ]
