"""Files that are new, or there already with the same content; anything else stops the whole, or is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.atomic import CannotWrite, replace_file
from arcan_gitops.errors import ArcanError

_MOST_LINES: Final = 60


@dataclass(frozen=True, slots=True)
class NewFiles:
    """What there is to write, what is there already as it would be written, and what is there and is not.

    Relative paths, sorted; `kept` has what each of these files lacks: the lines that ours has and it has not.
    """

    new: tuple[str, ...]
    present: tuple[str, ...]
    kept: Mapping[str, tuple[str, ...]]


def plan_files(root: Path, files: Mapping[str, bytes], *, keep: bool = False) -> NewFiles:
    """Look, and write nothing. Other files of the same names are an error, or are kept as they are.

    Raises `ArcanError`, which names everything that is, and what each file would need.
    """
    new, present, blocked = [], [], []
    kept: dict[str, tuple[str, ...]] = {}
    for path in sorted(files):
        if (obstacle := _obstacle(root, path)) is not None:
            blocked.append(obstacle)
        elif not (root / path).exists():
            new.append(path)
        elif _same(root / path, files[path]):
            present.append(path)
        else:
            kept[path] = _lacking(root / path, files[path])
    if blocked:
        names = ", ".join(dict.fromkeys(map(str, (*blocked, *(root / path for path in kept)))))
        raise ArcanError(
            f"{root}: nothing was written: links or other files are where folders or files must be: {names}",
            hint="choose an empty folder, or move them away",
        )
    if kept and not keep:
        raise ArcanError(
            [f"{root}: nothing was written: other files are there already", *lacks(root, kept)],
            hint="--keep leaves these as they are, writes the others, and says again what these would need",
        )
    return NewFiles(tuple(new), tuple(present), kept)


def lacks(root: Path, kept: Mapping[str, tuple[str, ...]]) -> list[str]:
    """For people: what each file would need to do what ours does."""
    lines = []
    for path, missing in kept.items():
        if not missing:
            lines.append(f"  {root / path}: has all lines of ours, among others")
            continue
        lines.append(f"  {root / path}: would need:")
        lines += [f"    {line}" for line in missing[:_MOST_LINES]]
        if len(missing) > _MOST_LINES:
            lines.append(f"    ... and {len(missing) - _MOST_LINES} lines more")
    return lines


def write_files(root: Path, files: Mapping[str, bytes], *, keep: bool = False) -> NewFiles:
    """Write the files that are not there. Raises as `plan_files` does before the first, and `CannotWrite`.

    Run again after a failure, it writes the rest.
    """
    planned = plan_files(root, files, keep=keep)
    for path in planned.new:
        target = root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{target.parent}: cannot be created: {error.strerror}") from None
        replace_file(target, files[path])
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
    return target if target.is_symlink() or target.is_dir() else None


def _same(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:  # not ours to read
        return False


def _lacking(path: Path, data: bytes) -> tuple[str, ...]:
    """The lines of ours that the file has not, without comments and blank ones."""
    try:
        there = {line.strip() for line in path.read_bytes().decode("utf-8", "replace").splitlines()}
        wanted = data.decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ("(the content of ours)",)
    return tuple(
        line for line in wanted if line.strip() not in there and line.strip() and not line.startswith("#")
    )
