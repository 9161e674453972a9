"""Files of a folder that change together: all of them, or none; and never over somebody else's change.

What is written is ciphertext, and so are the temporary files that become it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from arcan_gitops.atomic import CannotWrite, locked, replace_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.files import read_file


class ChangedMeanwhile(ArcanError):
    """A file is not the one any more that an edit began with. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that holds `before` (None: there is none), and is to hold `after` (None: is to go).

    A link goes on to lead to its file, unless it is not to be followed: the file takes its place then.
    """

    path: Path
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)
    follow: bool = True

    @property
    def target(self) -> Path:
        """The file itself; a link that is to go is the link."""
        whole = self.follow and self.before is not None and self.after is not None
        return self.path.resolve() if whole else self.path


def write_all(changes: Sequence[Change]) -> None:
    """Make the changes, all in one folder, under its lock. A reader finds each file old or new, never a part.

    Raises `ChangedMeanwhile` where another edit was first, `CannotWrite`, `CannotRead`; the files are then as
    they were. (A program that takes no lock, such as git, could still write between the comparison and the
    change: there is no exchange of files that compares their content.)
    """
    if not changes:
        return
    with locked(changes[0].target.parent):
        for change in changes:
            _require(change)
        done: list[Change] = []
        try:
            for change in changes:
                done.append(change)
                _make(change.target, change.after, durable=len(changes) == 1)
        except BaseException:
            for change in reversed(done):
                with suppress(ArcanError):
                    _make(change.target, change.before, durable=True)
            raise
        if len(changes) > 1:
            os.sync()  # once, and not for each of thousands of files


def write_document(path: Path, data: bytes, *, replacing: bytes | None) -> None:
    """Replace a document file that holds `replacing`, or make a new one (None: there must be none yet).

    Raises as `write_all`.
    """
    write_all([Change(path, replacing, data)])


def make_folders(folder: Path) -> list[Path]:
    """The folder and those above it; which of them were made, the topmost first. Raises `CannotWrite`."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    made: list[Path] = []
    try:
        for path in reversed(missing):
            path.mkdir()
            made.append(path)
    except OSError as error:
        remove_folders(made)
        raise CannotWrite(f"{folder}: cannot be made: {error.strerror}") from None
    return made


def remove_folders(made: Sequence[Path]) -> None:
    """Remove what `make_folders` made, where nothing is in it."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir()


def _require(change: Change) -> None:
    path, target = change.path, change.target
    if change.before is None:
        if os.path.lexists(target):
            raise ChangedMeanwhile(f"{path}: is there already", hint="edit it, or choose another name")
    elif not target.exists():
        raise ChangedMeanwhile(
            f"{path}: was removed meanwhile; nothing was written", hint="restore it from Git"
        )
    elif read_file(target) != change.before:
        raise ChangedMeanwhile(
            f"{path}: was changed meanwhile; nothing was written", hint="run the command again"
        )


def _make(path: Path, data: bytes | None, *, durable: bool) -> None:
    if data is not None:
        replace_file(path, data, durable=durable)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be removed: {error.strerror}") from None
