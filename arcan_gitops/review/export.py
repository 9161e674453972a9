"""The files of a commit in a folder that goes again, for what reads files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from arcan_gitops.review.objects import Objects, Tree


@contextmanager
def exported(objects: Objects, tree: Tree, prefixes: tuple[str, ...]) -> Iterator[Path]:
    """Those whose path starts so, without links: a commit must not lead to other files of this machine."""
    with tempfile.TemporaryDirectory(prefix="arcan-review-") as folder:
        root = Path(folder)
        files = {
            path: entry for path, entry in tree.files.items() if path.startswith(prefixes) and entry.is_file
        }
        objects.load(entry.blob for entry in files.values())
        seen = {path: objects.data(entry.blob) for path, entry in files.items()}
        write_files(root, {path: data for path, data in seen.items() if data is not None})
        yield root


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Committed files below a folder of our own; Git has no path with `..` in it, and none is followed."""
    for name, data in files.items():
        parts = PurePosixPath(name).parts
        if ".." in parts or not parts:
            continue
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
