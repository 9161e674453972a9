"""Fills the generator's `Catalogue` from the realm files: names only, no identity needed."""

from __future__ import annotations

from pathlib import Path

from arcan_gitops.access import newest, read_tokens
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.overlay import Catalogue, TokenScope
from arcan_gitops.realms import DocumentFile, RealmTree
from arcan_gitops.realms.tree import read_file
from arcan_gitops.sops import key_names


def load_catalogue(realms: Path) -> Catalogue:
    """All that exists below the folder of realms.

    Raises `CannotRead` or `BadLayout` for the folder, `SeveralErrors` with every file that is broken.
    """
    tree = RealmTree(realms)
    keys: dict[tuple[RealmName, EnvironmentName], tuple[KeyName, ...]] = {}
    tokens: dict[RealmName, dict[str, TokenScope]] = {}
    problems: list[ArcanError] = []
    for document in tree.documents():
        try:
            keys[document.realm, document.environment] = keys_of(document)
        except ArcanError as error:
            problems.append(error)
    for realm in tree.realms():
        try:
            tokens[realm] = _tokens(tree.tokens_file(realm))
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise SeveralErrors(f"{realms}: the realms cannot be read:", problems)
    return Catalogue(keys, tokens)


def keys_of(document: DocumentFile) -> tuple[KeyName, ...]:
    """The key names of one document. Raises `ArcanError`, naming the file."""
    data = document.read()
    try:
        return tuple(KeyName.parse(name) for name in key_names(data))
    except ArcanError as error:
        raise error.located(document.path) from None


def _tokens(path: Path | None) -> dict[str, TokenScope]:
    """Scopes by name; of several tokens with one name (a rotation's overlap) the newest counts."""
    if path is None:
        return {}
    records = read_tokens(read_file(path), str(path))
    current = (newest(records, name) for name in {record.name for record in records})
    return {token.name: TokenScope(token.environments, token.keys) for token in current if token is not None}
