"""What exists, learnt without any key; the generator's only knowledge of the realms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import ClassVar, Self

from arcan_gitops.names import AccountName, EnvironmentName, InvalidName, KeyName, RealmName
from arcan_gitops.overlay.credentials import Credential


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What one token or account may read: case-sensitive globs, or None for everything."""

    environments: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None

    def reads_environment(self, environment: EnvironmentName) -> bool:
        """Whether the token may read this environment at all."""
        return self.environments is None or _matches(environment, self.environments)

    def reads_key(self, key: KeyName) -> bool:
        """Whether the token may read this key, in the environments that it may read."""
        return self.keys is None or _matches(key, self.keys)

    @property
    def reads_whole_environments(self) -> bool:
        """Whether a bulk read is allowed: the server refuses it to a token that is narrowed by keys."""
        return self.keys is None or "*" in self.keys


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


class Version(str):
    """The digest of a ciphertext: `3f2a9c01b7de`.

    A read that names an empty version names none, and is answered from whatever is loaded: so none is empty.
    """

    __slots__ = ()
    _grammar: ClassVar = re.compile(r"[0-9a-f]{12}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `arcan generate inventory` writes. Raises `InvalidName`."""
        if cls._grammar.fullmatch(text) is None:
            raise InvalidName(
                f"{text[:80]!r} is not a valid version",
                hint="a version is 12 of 0-9 and a-f; generate the file again: arcan generate inventory",
            )
        return cls(text)


@dataclass(frozen=True, slots=True)
class Contents:
    """The keys of one document, each with the version (a short digest) of its ciphertext.

    `version` is that of the whole document: it changes with every one of the others.
    """

    keys: Mapping[KeyName, str]
    version: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the realms' environments hold, and the realms' tokens and accounts by name.

    A realm is known when it has an environment. `recorded` are the realms that record what is removed: a read
    of all keys must name its version there. `token_expiry` is how long its tokens are to live, as the
    realm says it (`180d`). Nothing in here is secret.
    """

    contents: Mapping[tuple[RealmName, EnvironmentName], Contents]
    tokens: Mapping[RealmName, Mapping[str, TokenScope]] = field(default_factory=dict)
    token_expiry: Mapping[RealmName, str] = field(default_factory=dict)
    accounts: Mapping[RealmName, Mapping[AccountName, TokenScope]] = field(default_factory=dict)
    recorded: frozenset[RealmName] = frozenset()

    def scope_of(self, credential: Credential) -> TokenScope | None:
        """What the realm lets a token or an account read; None where it knows neither."""
        if credential.account is not None:
            return self.accounts.get(credential.realm, {}).get(credential.account)
        return self.tokens.get(credential.realm, {}).get(credential.token)

    def realms(self) -> tuple[RealmName, ...]:
        """All realms, sorted."""
        return tuple(sorted({realm for realm, _ in self.contents}))

    def environments(self, realm: RealmName | None = None) -> tuple[EnvironmentName, ...]:
        """The environments of one realm, or those of all realms, sorted."""
        return tuple(sorted({env for name, env in self.contents if realm is None or name == realm}))
