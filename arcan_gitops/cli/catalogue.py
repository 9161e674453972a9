"""Fills the generator's `Catalogue` from the realm files: names and digests, no identity needed."""

from __future__ import annotations

from pathlib import Path

from arcan_gitops.access import newest, read_tokens_file
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import AccountName, EnvironmentName, KeyName, RealmName
from arcan_gitops.overlay import Catalogue, Contents, TokenScope
from arcan_gitops.realms import DocumentFile, RealmTree
from arcan_gitops.realms.manifests import explained, manifest_problem
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.realms.tree import read_file
from arcan_gitops.sops import digests


def load_catalogue(realms: Path) -> Catalogue:
    """All that exists below the folder of realms.

    Raises `CannotRead` or `BadLayout` for the folder, `SeveralErrors` with every file that is broken.
    """
    tree = RealmTree(realms)
    contents: dict[tuple[RealmName, EnvironmentName], Contents] = {}
    tokens: dict[RealmName, dict[str, TokenScope]] = {}
    accounts: dict[RealmName, dict[AccountName, TokenScope]] = {}
    expiry: dict[RealmName, str] = {}
    recorded: set[RealmName] = set()
    problems: list[ArcanError] = []
    for document in tree.documents():
        try:
            contents[document.realm, document.environment] = contents_of(document)
        except ArcanError as error:
            problems.append(error)
    for realm in tree.realms():
        try:
            tokens[realm], granted = _callers(tree.tokens_file(realm))
            if granted:
                accounts[realm] = granted
            settings = settings_of(tree, realm)
            if settings.token_expiry is not None:
                expiry[realm] = settings.token_expiry
            if settings.recorded:
                recorded.add(realm)
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise SeveralErrors(f"{realms}: the realms cannot be read:", problems)
    return Catalogue(contents, tokens, expiry, accounts, frozenset(recorded))


def contents_of(document: DocumentFile) -> Contents:
    """The keys of one document and their versions. Raises `ArcanError`, naming the file."""
    data = document.read()
    try:
        found = digests(data)
        keys = {KeyName.parse(key): version for key, version in found.keys.items()}
    except ArcanError as error:
        raise explained(error, data, document.path) from None
    if (manifest := manifest_problem(keys, data, document.path)) is not None:
        raise manifest
    return Contents(keys, found.document)


def _callers(path: Path | None) -> tuple[dict[str, TokenScope], dict[AccountName, TokenScope]]:
    """Scopes by name; of several tokens with one name (a rotation's overlap) the newest counts."""
    if path is None:
        return {}, {}
    file = read_tokens_file(read_file(path), str(path))
    records = file.tokens
    current = (newest(records, name) for name in {record.name for record in records})
    return (
        {token.name: TokenScope(token.environments, token.keys) for token in current if token is not None},
        {account.name: TokenScope(account.environments, account.keys) for account in file.accounts},
    )
