"""A realm file in which a merge was not finished: told as what it is, with the way out that loses nothing."""

from __future__ import annotations

import shlex

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.layout import DocumentFile
from arcan_gitops.yamlio.faults import conflict


class Conflict(ArcanError):
    """A file with the conflict markers of Git."""


def unfinished_merge(data: bytes, file: DocumentFile) -> Conflict | None:
    """That a document, or key file, holds conflict markers, or None."""
    fault = conflict(data)
    if fault is None:
        return None
    word = shlex.quote(str(file.path))
    ours = f"git checkout --ours -- {word} && git add -- {word}"
    if file.key is not None:
        return Conflict(
            f"{file.path}: line {fault.line}: both sides of a merge changed the key '{file.key}'",
            hint=f"keep the value of this branch: {ours} (--theirs: that of the other); "
            f"or set it anew: arcan secret set {file.realm} {file.key} --env {file.environment}",
        )
    return Conflict(
        f"{file.path}: line {fault.line}: a conflict marker of Git: a merge is not finished",
        hint=f"take one side whole, for a mix of both has a wrong MAC: {ours}; then set again what the other "
        "side changed. 'arcan realm split' makes files that merge by themselves",
    )
