"""`--select REALM[/ENVIRONMENT]`: what one server loads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import EnvironmentName, RealmName, nearest


class BadSelection(ArcanError):
    """A pattern that is not valid, or that selects nothing."""


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
                raise BadSelection(
                    f"--select '{text}': not REALM or REALM/ENVIRONMENT",
                    hint="'arcan realm list' prints what there is",
                )
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

    def require_each_used(self, present: Collection[tuple[RealmName, EnvironmentName]]) -> None:
        """Raise `BadSelection` for patterns that select nothing: a typo must not start an empty server.

        `present` is all that there is to select from; the hint lists it.
        """
        unused = [
            (realms, environments)
            for realms, environments in self.patterns
            if not any(fnmatchcase(r, realms) and fnmatchcase(e, environments) for r, e in present)
        ]
        if not unused:
            return
        pairs = sorted(f"{realm}/{environment}" for realm, environment in present)
        names = sorted({realm for realm, _ in present})
        found = [
            nearest(realm, names) if environment == "*" else nearest(f"{realm}/{environment}", pairs)
            for realm, environment in unused
        ]
        meant = some([f"'{near}'" for near in found if near is not None])
        there = f"there are {some(pairs, 30)}" if pairs else "there are no documents"
        raise BadSelection(
            f"--select {some([_shown(pattern) for pattern in unused])}: selects nothing",
            hint=f"did you mean {meant}? {there}" if meant else there,
        )


def _shown(pattern: tuple[str, str]) -> str:
    return f"'{pattern[0]}'" if pattern[1] == "*" else f"'{'/'.join(pattern)}'"
