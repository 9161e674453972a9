"""Globs of a token that match nothing that is there: each is named, with the nearest name."""

from __future__ import annotations

from arcan_gitops.access import Scope
from arcan_gitops.cli.output import warn
from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import RealmName, nearest
from arcan_gitops.realms.tree import RealmTree
from arcan_gitops.sops import key_names


def warn_of_globs(tree: RealmTree, realm: RealmName, scope: Scope) -> None:
    """Warn of each glob without a match: it may be misspelt, or ahead of what it is for."""
    documents, _ = tree.scan_documents(realm)  # a realm may have its tokens before its first document
    environments = {str(document.environment) for document in documents}
    for glob in scope.environments or ():
        if not any(map(Scope([glob]).allows_environment, environments)):
            _warn("env", glob, f"environment of realm '{realm}'", environments)
    keys: set[str] = set()
    read = [each for each in documents if scope.allows_environment(each.environment)] or documents
    for document in read:
        try:
            keys |= {document.key} if document.key else set(key_names(document.read()))
        except ArcanError:
            return  # 'arcan realm check' says what is wrong with it
    where = ", ".join(sorted({document.place for document in read}))
    for glob in (scope.keys or ()) if read else ():
        if not any(map(Scope(keys=[glob]).allows_key, keys)):
            _warn("key", glob, f"key of {where}", keys)


def _warn(option: str, glob: str, of: str, known: set[str]) -> None:
    near = nearest(glob, known)
    there = f"did you mean '{near}'?" if near else f"there are: {some(sorted(known)) or 'none yet'}"
    warn(f"--{option} '{glob}' matches no {of}; {there}")
