"""Versions of ESO, which its Helm chart shares, and what only newer ones have.

Source: the first tag whose CRD, or code, has the feature (config/crds/bases, providers/v1/webhook).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from arcan_gitops.names import InvalidName


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """A version of some program, `2.9.0`. A pre-release counts as the release that it precedes."""

    major: int
    minor: int
    patch: int = 0

    program: ClassVar = "a program"
    example: ClassVar = "'2.9.0'"
    _grammar: ClassVar = re.compile(
        r"v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:[-+][0-9A-Za-z.+-]*)?", re.ASCII
    )

    @classmethod
    def parse(cls, text: str) -> Self:
        """`v2.9.0`, `2.9.0` or `2.9`. Raises `InvalidName`."""
        match = cls._grammar.fullmatch(text)
        if match is None:
            raise InvalidName(
                f"{text[:40]!r} is not a version of {cls.program}", hint=f"write it as {cls.example}"
            )
        return cls(int(match[1]), int(match[2]), int(match[3] or 0))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class EsoVersion(Release):
    """A release of ESO."""

    __slots__ = ()
    program = "ESO"


OLDEST: Final = EsoVersion(0, 16)
NEWEST: Final = EsoVersion(2, 9)  # the newest that is known here: its schemas are kept, its code was read
# (major, minor) of all releases from the oldest to the newest. Source: the tags of ESO's repository.
_RELEASED: Final = frozenset(
    [(0, minor) for minor in range(16, 21)]
    + [(1, minor) for minor in range(4)]
    + [(2, minor) for minor in range(10)]
)


def unknown_version(version: EsoVersion) -> str | None:
    """What to say of a version that this release of Arcan cannot know; None for a known one."""
    if (version.major, version.minor) in _RELEASED or version < OLDEST:
        return None
    if (version.major, version.minor) > (NEWEST.major, NEWEST.minor):
        return f"ESO {version} is newer than what is known here (up to {NEWEST}): it is treated as {NEWEST}"
    return f"ESO {version} is not a known release: known are {OLDEST} to {NEWEST}"


def supported_version(text: str) -> EsoVersion:
    """`0.20`, `0.20.4` or `v0.20.4`. Raises `InvalidName`, also for versions before 0.16 and pre-releases."""
    version = EsoVersion.parse(text)
    if "-" in text or "+" in text:
        raise InvalidName(f"{text[:40]!r} is not a released version of ESO", hint=f"write it as '{NEWEST}'")
    if version < OLDEST:
        raise InvalidName(
            f"ESO {version} is not supported: it does not have external-secrets.io/v1",
            hint=f"{OLDEST} is the oldest that has; until 0.16 it also reads v1beta1",
        )
    return version


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a declaration can ask for, and the first version that can give it."""

    what: str
    since: EsoVersion

    def missing_in(self, version: EsoVersion) -> bool:
        """Whether that version does not have it."""
        return version < self.since


# `result.jsonPath` is a template for `dataFrom.extract` too (#4808).
UNIFIED_STORE: Final = Feature("'unified': one store for single keys and for all keys", EsoVersion(0, 18))
# `.remoteRef.namespace` (#5155); before, its text would be `<no value>`.
NAMESPACE_VARIABLE: Final = Feature("the variable .remoteRef.namespace", EsoVersion(0, 20))
# external-secrets.io/force-sync (#5156).
MANY_AT_ONCE: Final = Feature("a force-sync annotation that is handed on", EsoVersion(0, 20))
INFISICAL_CA: Final = Feature("'ca' of an Infisical store", EsoVersion(1, 3))  # #5770
AWS_SESSION_TAGS: Final = Feature("sessionTagsPolicy of an AWS store", EsoVersion(2, 6))  # #6311
CREATE_OR_MERGE: Final = Feature("creationPolicy CreateOrMerge", EsoVersion(2, 8))
