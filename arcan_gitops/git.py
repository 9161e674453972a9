"""Reads a Git repository by the program: objects of a commit, and never the index or a work tree.

Nothing is checked out, and no hook, filter or textconv of the repository runs: `rev-parse`, `merge-base`,
`ls-tree` and `cat-file` know none.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from arcan_gitops.errors import ArcanError, printable

_TIMEOUT_SECONDS: Final = 120
_REGULAR: Final = (b"100644", b"100755")
# What would make Git look at another repository than the folder's: a hook of Git runs with them.
_NOT_FOR_GIT: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")


class GitMissing(ArcanError):
    """There is no Git, or the folder is in no repository of the user's."""


class GitFailed(ArcanError):
    """Git does not know what it was asked for."""


@dataclass(frozen=True, slots=True)
class Git:
    """The repository that a folder is in. `top` is its root, and `folder` the folder, relative to it."""

    program: str
    top: Path
    folder: str
    environment: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, environment: Mapping[str, str]) -> Self:
        """Git runs with that environment. Raises `GitMissing`."""
        program = shutil.which("git", path=environment.get("PATH"))
        if program is None:
            raise GitMissing("git is not on PATH", hint="install it")
        kept = {name: text for name, text in environment.items() if name not in _NOT_FOR_GIT}
        passed = {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        here = cls(program, folder, "", passed)
        done = here._run(["rev-parse", "--show-toplevel", "--show-prefix"])
        if done.returncode != 0:
            raise GitMissing(f"{folder}: not in a Git repository: {_first_line(done.stderr)}")
        top, _, prefix = done.stdout.decode(errors="surrogateescape").rstrip("\n").partition("\n")
        return cls(program, Path(top), prefix, passed)

    def commit(self, name: str) -> str:
        """The id of the commit that a name stands for: a branch, a tag, `HEAD~1`. Raises `GitFailed`."""
        if name.startswith("-") or not name:
            raise GitFailed(f"{name[:80]!r} is not the name of a commit", hint="name one as in origin/main")
        done = self._run(["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"])
        if done.returncode != 0:
            raise GitFailed(
                f"there is no commit '{name[:80]}' here",
                hint="fetch it: git fetch origin; a checkout of CI may have to go deeper (fetch-depth: 2)",
            )
        return done.stdout.decode().strip()

    def origin(self) -> str | None:
        """The URL of the remote `origin`, or None where there is none."""
        done = self._run(["remote", "get-url", "origin"])
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None

    def merge_base(self, one: str, two: str) -> str:
        """The newest commit that is behind both. Raises `GitFailed`, as in a clone that is too shallow."""
        done = self._run(["merge-base", one, two])
        if done.returncode != 0:
            raise GitFailed(
                f"commits {one[:12]} and {two[:12]} have no commit in common here",
                hint="the clone may be shallow: git fetch --unshallow",
            )
        return done.stdout.decode().strip()

    def read(self, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
        """The regular files of a commit at or below the paths, which are below `folder`, by their own path
        below it. Raises `GitFailed`.
        """
        wanted = [f"{self.folder}{path}" for path in paths]
        all_of_it = "" in wanted  # which is no path to Git
        places = [] if all_of_it else ["--", *wanted]
        done = self._run(["ls-tree", "-r", "-z", "--full-tree", commit, *places])
        if done.returncode != 0:
            raise GitFailed(f"commit {commit[:12]} cannot be read: {_first_line(done.stderr)}")
        blobs: dict[str, str] = {}
        for line in filter(None, done.stdout.split(b"\0")):
            about, _, path = line.partition(b"\t")
            mode, kind, blob = about.split(b" ")
            if kind == b"blob" and mode in _REGULAR:
                name = path.decode(errors="surrogateescape")
                blobs[name.removeprefix(self.folder)] = blob.decode()
        return dict(zip(blobs, self._contents(tuple(blobs.values())), strict=True))

    def _contents(self, blobs: Sequence[str]) -> list[bytes]:
        done = self._run(["cat-file", "--batch"], "".join(f"{blob}\n" for blob in blobs).encode())
        found, rest = [], memoryview(done.stdout)
        for blob in blobs:  # `ID blob SIZE`, a line end, the content, a line end
            head, _, _ = bytes(rest[:200]).partition(b"\n")
            words = head.split(b" ")
            if done.returncode != 0 or len(words) != 3 or words[1] != b"blob":
                raise GitFailed(f"object {blob[:12]} cannot be read: {_first_line(done.stderr or head)}")
            start = len(head) + 1
            size = int(words[2])
            found.append(bytes(rest[start : start + size]))
            rest = rest[start + size + 1 :]
        return found

    def _run(self, arguments: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self.program, "-C", str(self.top), "--no-replace-objects", *arguments],
                input=given,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                env=dict(self.environment),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GitFailed(f"'git {arguments[0]}' took more than {_TIMEOUT_SECONDS} s") from None
        except OSError as error:
            raise GitMissing(f"git cannot be run: {error.strerror}") from None


def _first_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return printable(lines[0].removeprefix("fatal: ")) if lines else "git says no more"
