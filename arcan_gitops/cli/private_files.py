"""Files that only their owner may read: kept out of Git, and reported where others can read them."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from arcan_gitops.atomic import CannotWrite
from arcan_gitops.cli.output import warn


class InWorkTree(CannotWrite):
    """A private key would stand where the next `git add` takes it along."""


@contextmanager
def new_private_file(path: Path) -> Iterator[BinaryIO]:
    """A new file, mode 0600, on the disk at the end; it is removed where the body raises.

    Its folder is made where it is missing, mode 0700. Raises `CannotWrite`, also where there is something
    at the path already.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise CannotWrite(
            f"{path}: is there already, and is not replaced", hint="name another file, or move it away first"
        ) from None
    except OSError as error:
        raise CannotWrite(
            f"{path}: cannot be created: {error.strerror}", hint="name a file in a folder that is yours"
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask takes away
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def refuse_work_tree(path: Path) -> None:
    """Raise `InWorkTree` for a path inside a Git work tree."""
    tree = work_tree_of(path)
    if tree is not None:
        raise InWorkTree(
            f"{path}: is inside the Git work tree {tree}, and a private key belongs in no repository",
            hint=f"name a file outside of it, such as {tree.parent / path.name}",
        )


def work_tree_of(path: Path) -> Path | None:
    """The Git work tree that the path is in, or None; links are followed."""
    for folder in path.resolve().parents:
        if (folder / ".git").exists():
            return folder
    return None


def warn_of_readers(path: Path, status: os.stat_result | None = None) -> None:
    """Warn of a file that everybody on this machine can read, with the command that ends it.

    `status` is that of the open file, where there is one. What Kubernetes mounts from a Secret is left
    alone, as is a read-only file system: there a mode is the mount's, and chmod changes nothing.
    """
    try:
        found = path.stat() if status is None else status
        is_open = stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IROTH
        if is_open and not _is_mounted(path):
            warn(
                f"{path}: everybody on this machine can read it; end that: chmod 600 {shlex.quote(str(path))}"
            )
    except OSError:
        return  # whoever reads the file says what is wrong with it


def _is_mounted(path: Path) -> bool:
    """Whether Kubernetes put the file there, as a volume (with its link `..data`) or by `subPath`."""
    if os.path.lexists(path.parent / "..data") or os.statvfs(path).f_flag & os.ST_RDONLY:
        return True
    return path.stat().st_dev != path.parent.stat().st_dev and not path.is_symlink()
