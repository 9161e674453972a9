"""What a token or an account may read inside a realm: globs over environments and keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Final, TypeVar

from arcan_gitops.access.token import shown
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName
from arcan_gitops.yamlio import Fields

MAX_GLOBS: Final = 500

_T = TypeVar("_T")
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


def read_globs(entry: Fields, field: str, parser: Callable[[str], str], who: str) -> tuple[str, ...] | None:
    """The globs of a field of a "token" or an "account", None where it is left out. Raises `InvalidFile`."""
    globs = entry.optional_texts(field)
    if globs is None:
        return None
    if not globs:
        entry.fail(
            f"'{field}' is empty: the {who} could read nothing",
            field=field,
            hint=f"leave '{field}' out for all, or {'revoke' if who == 'token' else 'remove'} the {who}",
        )
    if len(globs) > MAX_GLOBS:
        entry.fail(f"'{field}' has more than {MAX_GLOBS} globs", field=field)
    return tuple(parsed(entry, field, parser, glob) for glob in globs)


def in_order(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """`new` in the order of `old`: what stays first, then what is new. Nothing twice."""
    return new and tuple(dict.fromkeys([*(item for item in old or () if item in new), *new]))


def parsed(entry: Fields, field: str, parser: Callable[[str], _T], text: str) -> _T:
    """What `parser` makes of the text of a field. Raises `InvalidFile` for what the parser refuses."""
    try:
        return parser(text)
    except ArcanError as error:
        entry.fail(f"'{field}': {error.message}", field=field, hint=error.hint)


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
        return self.environments is None or bool(self._environment(name))

    def allows_key(self, name: str) -> bool:
        """Whether a glob matches the name of the key."""
        return self.keys is None or bool(self._key(name))


def _matcher(globs: Iterable[str] | None) -> _Matcher:
    # `fullmatch`, so that no globs at all (an empty pattern) match no name
    return re.compile("|".join(translate(glob) for glob in globs or ())).fullmatch
