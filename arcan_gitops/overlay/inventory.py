"""`inventory.yaml`: what a realm has, by name, for whoever declares apps elsewhere and may not see the realm.

It holds the names of environments, keys and tokens, the tokens' scopes, and the versions of the ciphertext:
nothing that is secret, and nothing that decrypts. No line of it is touched by every change: the version of an
environment is that of its keys together, and is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName, EnvironmentName, KeyName, RealmName, TokenName
from arcan_gitops.overlay.catalogue import Catalogue, Contents, TokenScope, Version
from arcan_gitops.overlay.tree import header
from arcan_gitops.webhook import version_of_all
from arcan_gitops.yamlio import Fields, emit, read_mapping

INVENTORY_FILE: Final = "inventory.yaml"
INVENTORY_COMMAND: Final = "arcan generate inventory"


def inventory_text(realm: RealmName, catalogue: Catalogue) -> str:
    """The file for one realm, the same for the same catalogue."""
    return header([f"realm {realm}"], INVENTORY_COMMAND) + emit(
        [
            {
                "realm": str(realm),
                "environments": {
                    str(environment): _contents(catalogue.contents[realm, environment])
                    for environment in catalogue.environments(realm)
                },
                "tokens": {
                    str(name): _scope(scope)
                    for name, scope in sorted(catalogue.tokens.get(realm, {}).items())
                },
                **_accounts(catalogue.accounts.get(realm, {})),
            }
        ]
    )


def _accounts(accounts: Mapping[AccountName, TokenScope]) -> dict[str, Any]:
    """Left out where there is none, so that an older reader takes the file."""
    return {"accounts": {str(name): _scope(accounts[name]) for name in sorted(accounts)}} if accounts else {}


def _contents(contents: Contents) -> dict[str, Any]:
    return {"keys": {str(key): contents.keys[key] for key in sorted(contents.keys)}}


def _scope(scope: TokenScope) -> dict[str, list[str]]:
    globs = {"environments": scope.environments, "keys": scope.keys}
    return {name: list(given) for name, given in globs.items() if given is not None}


def read_inventories(files: Iterable[tuple[bytes, str]]) -> Catalogue:
    """The catalogue of all files, given as pairs of bytes and a source for messages.

    Raises `InvalidFile`, and `ArcanError` where two files are of one realm.
    """
    contents: dict[tuple[RealmName, EnvironmentName], Contents] = {}
    tokens: dict[RealmName, Mapping[str, TokenScope]] = {}
    accounts: dict[RealmName, Mapping[AccountName, TokenScope]] = {}
    sources: dict[RealmName, str] = {}
    for data, source in files:
        fields = read_mapping(data, source)
        fields.only("realm", "environments", "tokens", "accounts")
        realm = fields.parse("realm", RealmName, fields.text("realm"))
        if realm in sources:
            raise ArcanError(
                f"{source}: realm '{realm}' is already in {sources[realm]}", hint="give one of them"
            )
        sources[realm] = source
        environments = _mapping(fields, "environments")
        for name in environments.names():
            environment = environments.parse(name, EnvironmentName, name)
            contents[realm, environment] = _read_contents(_mapping(environments, name))
        named = _mapping(fields, "tokens")
        tokens[realm] = {
            str(named.parse(name, TokenName, name)): _read_scope(_mapping(named, name))
            for name in named.names()
        }
        if (granted := fields.optional_mapping("accounts")) is not None:
            accounts[realm] = {
                granted.parse(name, AccountName, name): _read_scope(_mapping(granted, name))
                for name in granted.names()
            }
    return Catalogue(contents, tokens, accounts=accounts)


def _mapping(fields: Fields, field: str) -> Fields:
    found = fields.optional_mapping(field)
    if found is None:
        fields.fail(f"'{field}' is missing", hint="generate the file again: arcan generate inventory")
    return found


def _read_contents(fields: Fields) -> Contents:
    fields.only("version", "keys")  # older ones wrote the version, which is that of the keys together
    if "version" in fields:
        _version(fields, "version")
    keys = _mapping(fields, "keys")
    versions = {keys.parse(name, KeyName, name): _version(keys, name) for name in keys.names()}
    return Contents(versions, version_of_all({str(key): version for key, version in versions.items()}))


def _version(fields: Fields, field: str) -> Version:
    version: Version = fields.parse(field, Version, fields.text(field))
    return version


def _read_scope(fields: Fields) -> TokenScope:
    fields.only("environments", "keys")
    return TokenScope(fields.optional_texts("environments"), fields.optional_texts("keys"))
