"""A realm file in which a merge was not finished: told as what it is, with the way out that loses nothing."""

from __future__ import annotations

import shlex

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.layout import DocumentFile
from arcan_gitops.realms.place import Place
from arcan_gitops.yamlio.faults import conflict


class Conflict(ArcanError):
    """A file with the conflict markers of Git."""


def unfinished_merge(data: bytes, file: DocumentFile) -> Conflict | None:
    """That a document, or key file, holds conflict markers, or None."""
    fault = conflict(data)
    if fault is None:
        return None
    path = str(file.path)
    ours = (
        f"{shlex.join(['git', 'checkout', '--ours', '--', path])} && {shlex.join(['git', 'add', '--', path])}"
    )
    if file.key is not None:
        place = Place(file.realm_folder.parent, file.realm, file.environment)
        anew = place.command("secret set", file.key)
        return Conflict(
            f"{path}: line {fault.line}: both sides of a merge changed the key '{file.key}'",
            hint="keep the value of this branch: "
            + ours
            + " (--theirs: that of the other); or set it anew: "
            + anew,
        )
    return Conflict(
        f"{path}: line {fault.line}: a conflict marker of Git: a merge is not finished",
        hint="take one side whole, for a mix of both has a wrong MAC: " + ours + "; then set again what the "
        "other side changed. 'arcan realm split' makes files that merge by themselves",
    )
