"""Reads a Git repository by the program: objects of commits; of the work tree no more than which files it
has.

Nothing is checked out, and no hook, filter or textconv of the repository runs: `rev-parse`, `merge-base`,
`ls-tree`, `cat-file` and `log --raw` know none, and `ls-files` is told to run no monitor.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Self

from arcan_gitops.errors import ArcanError, printable

_TIMEOUT_SECONDS: Final = 120
_REGULAR: Final = ("100644", "100755")
# What would make Git look at another repository than the folder's: a hook of Git runs with them.
_NOT_FOR_GIT: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")


_LOG: Final = "--format=%H%x00%P%x00%ct%x00%an%x00%ae%x00%cn"  # no name has a zero byte
_USUAL: Final = ("main", "master")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree: `mode` as Git writes it (`100644`, `120000` for a link), and the id of its
    content.
    """

    mode: str
    blob: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.mode in _REGULAR


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit, and the files that it changed: path -> the file as it left it, or None where it is gone.

    `author`, `email` and `committer` are as somebody wrote them; `time` is the committer's, in Unix seconds.
    """

    id: str
    parents: tuple[str, ...]
    author: str
    email: str
    committer: str
    time: int
    files: Mapping[str, Entry | None]


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

    def history(self, commit: str, paths: Sequence[str], most: int) -> tuple[str, ...]:
        """The commit and those before it on its branch that change something at or below the paths, which are
        below `top`; the newest first, `most` of them. Raises `GitFailed`.
        """
        done = self._run(["rev-list", "--first-parent", f"--max-count={most}", commit, "--", *paths])
        if done.returncode != 0:
            raise GitFailed(f"the history of commit {commit[:12]} cannot be read: {_first_line(done.stderr)}")
        return tuple(dict.fromkeys((commit, *done.stdout.decode().split())))

    def read(self, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
        """The regular files of a commit at or below the paths, which are below `folder`, by their own path
        below it. Raises `GitFailed`.
        """
        wanted = [f"{self.folder}{path}" for path in paths]
        all_of_it = "" in wanted  # which is no path to Git
        found = self.entries(commit, () if all_of_it else wanted)
        blobs = {path.removeprefix(self.folder): entry.blob for path, entry in found.items() if entry.is_file}
        return dict(zip(blobs, self._contents(tuple(blobs.values())), strict=True))

    def entries(self, commit: str, paths: Sequence[str] = ()) -> dict[str, Entry]:
        """All files of a commit, also links, by their path below `top`; or those at or below the paths.
        Raises `GitFailed`.
        """
        places = ["--", *paths] if paths else []
        done = self._run(["ls-tree", "-r", "-z", "--full-tree", commit, *places])
        if done.returncode != 0:
            raise GitFailed(f"commit {commit[:12]} cannot be read: {_first_line(done.stderr)}")
        found: dict[str, Entry] = {}
        for line in filter(None, done.stdout.split(b"\0")):
            about, _, path = line.partition(b"\t")
            mode, kind, blob = about.decode().split(" ")
            if kind == "blob":
                found[_name(path)] = Entry(mode, blob)
        return found

    def sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        """How many bytes each object has. A partial clone fetches what it lacks: see `here`."""
        asked = "".join(f"{blob}\n" for blob in blobs).encode()
        done = self._run(["cat-file", "--batch-check=%(objectname) %(objectsize)"], asked)
        words = (line.split(" ") for line in done.stdout.decode().splitlines())
        return {blob: int(size) for blob, size in words if size.isdigit()}

    def here(self, blobs: Sequence[str]) -> list[str]:
        """Those of the objects that can be read without fetching: all, unless the clone is a partial one."""
        if self._run(["config", "--get-regexp", r"^remote\..*\.(promisor|partialclonefilter)$"]).returncode:
            return list(blobs)
        done = self._run(["cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"])
        local = set(done.stdout.decode().split())
        return [blob for blob in blobs if blob in local]

    def contents(self, blobs: Sequence[str]) -> dict[str, bytes]:
        """The content of objects that are here, read at once. Raises `GitFailed`."""
        wanted = list(dict.fromkeys(blobs))
        return dict(zip(wanted, self._contents(wanted), strict=True))

    def log(self, commits: Sequence[str], paths: Sequence[str] = ()) -> Iterator[LoggedCommit]:
        """The commits that are reached (`^ID`: and not from there), newest first, and what they changed.

        A merge is compared with its first parent. Raises `GitFailed`.
        """
        places = ["--", *paths] if paths else []
        options = ["-z", "--raw", "--no-renames", "--no-abbrev", "--diff-merges=first-parent", "--root"]
        options += ["--topo-order", "--no-show-signature"]
        done = self._run(["log", *options, _LOG, *commits, *places])
        if done.returncode != 0:
            raise GitFailed(f"the history cannot be read: {_first_line(done.stderr)}")
        yield from _logged(done.stdout)

    def is_signed(self, commit: str) -> bool:
        """Whether a commit has a signature, whoever's; nothing is verified, for that would run a program."""
        head, _, _ = self._run(["cat-file", "commit", commit]).stdout.partition(b"\n\n")
        return b"\ngpgsig " in head or b"\ngpgsig-sha256 " in head

    def work_files(self) -> tuple[str, ...]:
        """The files of the work tree that are committed, or would be: what no `.gitignore` leaves out."""
        listed = ["ls-files", "-z", "--full-name", "--cached", "--others", "--exclude-standard"]
        done = self._run(["-c", "core.fsmonitor=false", *listed])
        if done.returncode != 0:
            raise GitFailed(f"the files of the work tree are not known: {_first_line(done.stderr)}")
        return tuple(sorted({_name(path) for path in done.stdout.split(b"\0") if path}))

    def is_shallow(self) -> bool:
        """Whether the clone lacks the older history."""
        return self._run(["rev-parse", "--is-shallow-repository"]).stdout.strip() == b"true"

    def branch(self) -> str:
        """The branch that is checked out, or `HEAD`."""
        done = self._run(["rev-parse", "--abbrev-ref", "HEAD"])
        return done.stdout.decode(errors="replace").strip() or "HEAD"

    def default_branch(self) -> str:
        """What `origin` calls its default branch, else `main` or `master`, there or here. Raises
        `GitFailed`.
        """
        done = self._run(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"])
        named = done.stdout.decode(errors="replace").strip()
        names = [named, *(f"refs/{place}/{name}" for place in ("remotes/origin", "heads") for name in _USUAL)]
        for name in filter(None, names):
            if self._run(["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]).returncode == 0:
                return name.removeprefix("refs/remotes/").removeprefix("refs/heads/")
        raise GitFailed(
            "which branch is the default one is not known here",
            hint="name what to compare with: arcan review origin/main; or: git remote set-head origin -a",
        )

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


def _name(path: bytes) -> str:
    return path.decode(errors="surrogateescape")


def _logged(printed: bytes) -> Iterator[LoggedCommit]:
    """Parts that end in zero bytes: six of a commit, then `:MODE MODE BLOB BLOB STATUS` and `PATH` of
    each file, with a line end before the first colon.
    """
    parts = iter(printed.split(b"\0"))
    part = next(parts, b"")
    while part:
        head = [part, *islice(parts, 5)]
        commit, parents, time, author, email, committer = (each.decode(errors="replace") for each in head)
        files: dict[str, Entry | None] = {}
        while (part := next(parts, b"")).lstrip(b"\n").startswith(b":"):
            _, mode, _, blob, _ = part.decode().strip("\n:").split(" ")
            files[_name(next(parts))] = Entry(mode, blob) if set(blob) != {"0"} else None
        yield LoggedCommit(commit, tuple(parents.split()), author, email, committer, int(time), files)


def _first_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return printable(lines[0].removeprefix("fatal: ")) if lines else "git says no more"
