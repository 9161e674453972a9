"""A realm file in which a merge was not finished: told as what it is, with the way out that loses nothing."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.layout import DOCUMENT_SUFFIX
from arcan_gitops.yamlio.faults import conflict


class Conflict(ArcanError):
    """A file with the conflict markers of Git."""


def unfinished_merge(data: bytes, path: Path) -> Conflict | None:
    """That a document, or key file, at `path` holds conflict markers, or None."""
    fault = conflict(data)
    if fault is None:
        return None
    stem = path.name.removesuffix(DOCUMENT_SUFFIX)
    word = shlex.quote(str(path))
    ours = f"git checkout --ours -- {word} && git add -- {word}"
    if re.search(rb"^" + re.escape(stem.encode()) + rb":", data, re.MULTILINE):  # a file of that key alone
        realm, environment = path.parent.parent.name, path.parent.name
        return Conflict(
            f"{path}:{fault.line}: both sides of a merge changed the key '{stem}'",
            hint=f"keep the value of this branch: {ours} (--theirs: that of the other); "
            f"or set it anew: arcan secret set {realm} {stem} --env {environment}",
        )
    return Conflict(
        f"{path}:{fault.line}: a conflict marker of Git: a merge is not finished",
        hint=f"take one side whole, for a mix of both has a wrong MAC: {ours}; then set again what the other "
        "side changed. 'arcan realm split' makes files that merge by themselves",
    )
