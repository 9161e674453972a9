"""Files that are new, or there already with the same content; anything else stops the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.errors import ArcanError


class FilesInTheWay(ArcanError):
    """Something stands where a new file would go."""


@dataclass(frozen=True, slots=True)
class NewFiles:
    """What there is to write, and what is there already as it would be written; relative paths, sorted."""

    new: tuple[str, ...]
    present: tuple[str, ...]


def plan_files(root: Path, files: Mapping[str, str]) -> NewFiles:
    """Look, and write nothing. Raises `FilesInTheWay`, which names everything that is."""
    new, present, taken = [], [], []
    for path in sorted(files):
        if (obstacle := _obstacle(root, path)) is not None:
            taken.append(obstacle)
        elif not (root / path).exists():
            new.append(path)
        elif _same(root / path, files[path]):
            present.append(path)
        else:
            taken.append(root / path)
    if taken:
        names = ", ".join(dict.fromkeys(map(str, taken)))
        raise FilesInTheWay(
            f"{root}: nothing was written: other files are there already: {names}",
            hint="choose an empty folder, or move them away and bring their lines back afterwards",
        )
    return NewFiles(tuple(new), tuple(present))


def write_files(root: Path, files: Mapping[str, str]) -> NewFiles:
    """Write the files that are not there. Raises `FilesInTheWay` before the first, and `CannotWrite`.

    Run again after a failure, it writes the rest.
    """
    planned = plan_files(root, files)
    for path in planned.new:
        target = root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{target.parent}: cannot be created: {error.strerror}") from None
        replace_file(target, files[path].encode("utf-8"))
    return planned


def _obstacle(root: Path, path: str) -> Path | None:
    """What keeps the path from being a file below the root: a link, or a file for a folder of it."""
    if root.exists() and not root.is_dir():
        return root
    target = root / path
    for folder in target.relative_to(root).parents:
        place = root / folder
        if place != root and (place.is_symlink() or (place.exists() and not place.is_dir())):
            return place
    return target if target.is_symlink() else None


def _same(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8")
    except OSError:  # a folder, or not ours to read
        return False
