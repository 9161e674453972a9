"""Fills the generator's `Catalogue` from the realm files: names and digests, no identity needed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from arcan_gitops.access import READ_ONLY, newest, read_tokens_file
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import AccountName, EnvironmentName, KeyName, RealmName
from arcan_gitops.overlay import Catalogue, Contents, TokenScope
from arcan_gitops.realms import DocumentFile, RealmTree
from arcan_gitops.realms.manifests import explained, manifest_problem
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.realms.tree import read_file
from arcan_gitops.sops import digests
from arcan_gitops.sops.digests import digest_of_all


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
    by_place: dict[tuple[RealmName, EnvironmentName], list[DocumentFile]] = {}
    for document in tree.documents():
        by_place.setdefault((document.realm, document.environment), []).append(document)
    for place, files in by_place.items():
        try:
            contents[place] = contents_of(files)
        except SeveralErrors as error:
            problems += error.problems
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


def contents_of(files: Iterable[DocumentFile]) -> Contents:
    """The keys of an environment and their versions: of one document, or of its key files.

    Raises `ArcanError`, naming the file; `SeveralErrors` for several.
    """
    keys: dict[KeyName, str] = {}
    problems: list[ArcanError] = []
    for file in files:
        try:
            keys |= _versions(file)
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise problems[0] if len(problems) == 1 else SeveralErrors("key files cannot be read:", problems)
    return Contents(keys, digest_of_all({str(key): version for key, version in keys.items()}))


def _versions(file: DocumentFile) -> dict[KeyName, str]:
    data = file.read()
    try:
        keys = {KeyName.parse(key): version for key, version in digests(data).keys.items()}
        file.require_its_key(keys)
    except ArcanError as error:
        raise explained(error, data, file) from None
    if (manifest := manifest_problem(keys, data, file)) is not None:
        raise manifest
    return keys


def _callers(path: Path | None) -> tuple[dict[str, TokenScope], dict[AccountName, TokenScope]]:
    """Scopes by name; of several tokens with one name (a rotation's overlap) the newest counts."""
    if path is None:
        return {}, {}
    file = read_tokens_file(read_file(path), str(path))
    records = [record for record in file.tokens if record.policy == READ_ONLY]  # no app reads by others
    current = (newest(records, name) for name in {record.name for record in records})
    return (
        {token.name: TokenScope(token.environments, token.keys) for token in current if token is not None},
        {account.name: TokenScope(account.environments, account.keys) for account in file.accounts},
    )
