"""The files of a commit in a folder that goes again, for what reads files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
        for path, entry in files.items():
            if (data := objects.data(entry.blob)) is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(data)
        yield root
