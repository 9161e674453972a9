"""`realms/<realm>/removed/<environment>/<KEY>.yaml`: that a key was removed, and was meant to be.

ESO deletes Kubernetes Secrets for a key that is answered 404. In a realm with `deletions: recorded` a key
that is not there is answered so only where its record says that it was removed: a bad merge, an old checkout
or a file that was lost never looks like that. One file a removal: two pull requests never meet in a list.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.tree import RealmTree, digest, read_file, removal_file
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


@dataclass(frozen=True, slots=True)
class Records:
    """The records of an environment: the keys, None where its realm asks for none; and a digest of each."""

    data: bytes = b""
    keys: frozenset[KeyName] | None = None


def records_of(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName
) -> tuple[Records, list[ArcanError]]:
    """The records of an environment that can be read, and what is wrong with the others."""
    read, problems = removals_of(tree, realm, environment)
    data = b"".join(digest(key.encode(), data).encode() for key, (_, data) in read.items())
    return Records(data, frozenset(read)), list(problems)


def there_again(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName, keys: Iterable[str]
) -> list[ArcanError]:
    """What is wrong with the records of an environment that has these keys."""
    records, problems = removals_of(tree, realm, environment)
    found = list(problems)
    for key in (key for key in sorted(set(keys)) if key in records):
        path = removal_file(tree.root / realm, environment, key)
        unset = f"arcan secret unset {realm} {key} --env {environment}"
        found.append(
            ArcanError(
                f"{path}: says that {key} was removed, and it is there",
                hint=f"if it is to stay: rm {shlex.quote(str(path))}; else: {unset}",
            )
        )
    return found


def record(
    realm: Path, environment: EnvironmentName, versions: Mapping[str, str], reason: str
) -> tuple[Path, ...]:
    """Write the record of each key, which goes with a version; the files. All or none.

    `realm` is the realm's folder. Raises `CannotWrite`.
    """
    written: list[Path] = []
    today = datetime.now(UTC).date()
    try:
        for key, version in versions.items():
            path = removal_file(realm, environment, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(path)
            replace_file(path, Removal(version, today, reason).dump())
    except (OSError, CannotWrite) as error:
        forget(written)
        if isinstance(error, CannotWrite):
            raise
        raise CannotWrite(f"{realm}: the record of a removal cannot be written: {error.strerror}") from None
    return tuple(written)


def forget(files: Iterable[Path]) -> None:
    """Delete records, and the folders that they leave empty."""
    for path in files:
        with suppress(OSError):
            path.unlink()
            path.parent.rmdir()
            path.parent.parent.rmdir()


def forget_keys(realm: Path, environment: EnvironmentName, keys: Iterable[str]) -> None:
    """Delete the records of keys that are there again."""
    forget(path for key in keys if (path := removal_file(realm, environment, key)).is_file())
