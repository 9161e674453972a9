"""What exists, learnt without any key; the generator's only knowledge of the realms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from arcan_gitops.names import EnvironmentName, KeyName, RealmName


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What one token may read: case-sensitive globs, or None for everything."""

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


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The realms' environments with their key names, and the realms' tokens by name.

    A realm is known when it has an environment. Nothing in here is secret.
    """

    keys: Mapping[tuple[RealmName, EnvironmentName], tuple[KeyName, ...]]
    tokens: Mapping[RealmName, Mapping[str, TokenScope]] = field(default_factory=dict)

    def realms(self) -> tuple[RealmName, ...]:
        """All realms, sorted."""
        return tuple(sorted({realm for realm, _ in self.keys}))

    def environments(self, realm: RealmName | None = None) -> tuple[EnvironmentName, ...]:
        """The environments of one realm, or those of all realms, sorted."""
        return tuple(sorted({env for name, env in self.keys if realm is None or name == realm}))
