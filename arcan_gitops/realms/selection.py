"""`--select REALM[/ENVIRONMENT]`: what one server loads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName, did_you_mean


class BadSelection(ArcanError):
    """A pattern that is none, or that selects nothing."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Globs over realm and environment; without any, everything is selected."""

    patterns: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Selection:
        """From texts such as `production`, `production/staging`, `*/dev-*`. Raises `BadSelection`."""
        patterns = []
        for text in texts:
            realm, slash, environment = text.partition("/")
            if not realm or (slash and not environment) or "/" in environment:
                raise BadSelection(f"--select '{text}': not REALM or REALM/ENVIRONMENT")
            patterns.append((realm, environment or "*"))
        return cls(tuple(patterns))

    def has_realm(self, realm: RealmName) -> bool:
        """Whether any environment of the realm may be selected."""
        return not self.patterns or any(fnmatchcase(realm, glob) for glob, _ in self.patterns)

    def has(self, realm: RealmName, environment: EnvironmentName) -> bool:
        """Whether the environment of the realm is selected."""
        return not self.patterns or any(
            fnmatchcase(realm, realms) and fnmatchcase(environment, environments)
            for realms, environments in self.patterns
        )

    def require_each_used(self, loaded: Collection[tuple[RealmName, EnvironmentName]]) -> None:
        """Raise `BadSelection` for a pattern that selected nothing: a typo must not start an empty server."""
        for pattern in self.patterns:
            one = Selection((pattern,))
            if not any(one.has(realm, environment) for realm, environment in loaded):
                shown = "/".join(pattern)
                hint = did_you_mean(shown, (f"{realm}/{environment}" for realm, environment in loaded))
                raise BadSelection(f"--select '{shown}': selects nothing", hint=hint)
