"""The files of a repository at a commit, or in the work tree, and their content: read once, by their ids."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from arcan_gitops.git import Entry, Git

MAX_BYTES: Final = 8 * 1024 * 1024  # of one file; a larger one is not looked into, and that is said
_WORK_TREE: Final = "the working tree"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tree:
    """All files of one state, by their path below the folder of the project.

    What the repository has outside of that folder is there too, with a `/` in front. `commit` is None for the
    work tree.
    """

    commit: str | None
    files: Mapping[str, Entry]

    def __str__(self) -> str:
        return self.commit[:12] if self.commit is not None else _WORK_TREE

    def below(self, prefix: str) -> list[str]:
        """The paths that start so, sorted."""
        return sorted(path for path in self.files if path.startswith(prefix))


@dataclass(slots=True)
class Objects:
    """Contents by id. `unseen` are those that could not be read: too large, or not in a partial clone."""

    git: Git
    unseen: set[str] = field(default_factory=set)
    _data: dict[str, bytes] = field(default_factory=dict)
    _made: dict[tuple[str, str], object] = field(default_factory=dict)

    def tree(self, commit: str) -> Tree:
        """The files of a commit. Raises `GitFailed`."""
        return Tree(commit, {self._below(path): entry for path, entry in self.git.entries(commit).items()})

    def work_tree(self) -> Tree:
        """The files of the work tree, hashed as Git would, without its filters. Raises `GitFailed`."""
        entries: dict[str, Entry] = {}
        kind = hashlib.sha256 if len(self.git.commit("HEAD")) == 64 else hashlib.sha1
        top = os.fsencode(self.git.top)
        for path in self.git.work_files():
            found = _work_file(os.path.join(top, os.fsencode(path)))
            if found is None:
                continue
            mode, data = found
            blob = kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
            entries[self._below(path)] = Entry(mode, blob)
            if len(data) <= MAX_BYTES:
                self._data[blob] = data
            else:
                self.unseen.add(blob)
        return Tree(None, entries)

    def ends(self, base: str | None, head: str | None) -> tuple[str, str, Tree]:
        """What a change is between: the commit where HEAD left BASE (the default branch), that of HEAD, and
        the files of HEAD, or of the work tree where it is not named. Raises `GitFailed`.
        """
        tip = self.git.commit(head or "HEAD")
        start = self.git.merge_base(self.git.commit(base or self.git.default_branch()), tip)
        return start, tip, self.tree(tip) if head is not None else self.work_tree()

    def _below(self, path: str) -> str:
        folder = self.git.folder
        return path.removeprefix(folder) if path.startswith(folder) else f"/{path}"

    def load(self, blobs: Iterable[str], *, fetching: bool = True) -> None:
        """Read what was not read yet, in one go. Without `fetching`, a partial clone gives what it has."""
        wanted = [blob for blob in dict.fromkeys(blobs) if blob not in self._data and blob not in self.unseen]
        if not wanted:
            return
        sizes = self.git.sizes(wanted if fetching else self.git.here(wanted))
        fitting = [blob for blob in wanted if sizes.get(blob, MAX_BYTES + 1) <= MAX_BYTES]
        self.unseen |= set(wanted) - set(fitting)
        self._data.update(self.git.contents(fitting))

    def data(self, blob: str) -> bytes | None:
        """The content, or None where it cannot be seen."""
        self.load([blob])
        return self._data.get(blob)

    def seen(self, blob: str) -> bytes | None:
        """The content where it was read before; nothing is read for it."""
        return self._data.get(blob)

    def made(self, blob: str, kind: str, make: Callable[[bytes], T]) -> T | None:
        """What `make` makes of the content, once for each content and `kind`; None where it is unseen."""
        if (blob, kind) not in self._made:
            data = self.data(blob)
            self._made[blob, kind] = None if data is None else make(data)
        found: T | None = self._made[blob, kind]  # type: ignore[assignment]
        return found


def _work_file(path: bytes) -> tuple[str, bytes] | None:
    """(mode, content) of a file or a link; None for what is neither, or is gone."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return "120000", os.readlink(path)
        if not stat.S_ISREG(mode):
            return None
        with open(path, "rb", buffering=0) as file:
            return "100755" if mode & 0o100 else "100644", file.readall()
    except OSError:
        return None
