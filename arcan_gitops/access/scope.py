"""What a token may read inside its realm: globs over environments and keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Final

from arcan_gitops.access.token import shown
from arcan_gitops.names import InvalidName

_Matcher = Callable[[str], object]

_ENVIRONMENT_GLOB: Final = re.compile(r"(?:[-a-z0-9*?]|\[!?[-a-z0-9]+\]){1,253}", re.ASCII)
_KEY_GLOB: Final = re.compile(r"(?:[-A-Za-z0-9._*?]|\[!?[-A-Za-z0-9._]+\]){1,253}", re.ASCII)
_WILDCARDS: Final = "'*', '?' and '[...]' or '[!...]' as wildcards; one pattern an entry"


def environment_glob(text: str) -> str:
    """`text`, or `InvalidName` if it could match no environment name."""
    return _checked(_ENVIRONMENT_GLOB, "environment", "a-z, 0-9 and '-'", text)


def key_glob(text: str) -> str:
    """`text`, or `InvalidName` if it could match no key name."""
    return _checked(_KEY_GLOB, "key", "A-Z, a-z, 0-9, '.', '_' and '-'", text)


def _checked(grammar: re.Pattern[str], what: str, characters: str, text: str) -> str:
    if grammar.fullmatch(text) is None:
        raise InvalidName(
            f"{shown(text)} is not a valid {what} glob",
            hint=f"a glob over {what} names has {characters}, with {_WILDCARDS}",
        )
    return text


@dataclass(frozen=True, slots=True)
class Scope:
    """Case-sensitive `fnmatch` globs; None stands for all, an empty list for nothing.

    The globs are compiled once, here: a server asks for each request.
    """

    environments: Sequence[str] | None = None
    keys: Sequence[str] | None = None
    all_keys: bool = field(init=False, repr=False, compare=False)
    _environment: _Matcher = field(init=False, repr=False, compare=False)
    _key: _Matcher = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_keys", self.keys is None or "*" in self.keys)
        object.__setattr__(self, "_environment", _matcher(self.environments))
        object.__setattr__(self, "_key", _matcher(self.keys))

    def allows_environment(self, name: str) -> bool:
        """Whether a glob matches the name of the environment."""
        return bool(self._environment(name))

    def allows_key(self, name: str) -> bool:
        """Whether a glob matches the name of the key."""
        return bool(self._key(name))


def _everything(_name: str) -> bool:
    return True


def _matcher(globs: Iterable[str] | None) -> _Matcher:
    if globs is None:
        return _everything
    # `fullmatch`, so that no globs at all (an empty pattern) match no name
    return re.compile("|".join(translate(glob) for glob in globs)).fullmatch
