"""Which leaves a document encrypts: the six selection rules of SOPS.

A rule is asked about each component of a path, and a match on a parent covers all below it.
Source: getsops/sops sops.go (Tree.shouldBeEncrypted). The regular expressions are Go's, which is RE2's
dialect: google-re2 reads them; what the two read differently is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.regexp import TooComplex, compile_pattern
from arcan_gitops.sops.errors import NEEDS_BINARY, Malformed, TooLarge, Unsupported

# A pattern comes from whoever can write the file, and is matched for each component of each path.
_MAX_PATTERN: Final = 512
_MAX_PATTERN_MEMORY: Final = 64 * 1024
_MAX_WORK: Final = 2**28  # instructions of the pattern times characters of the keys: seconds, at the worst


@dataclass(frozen=True, slots=True)
class Selection:
    """`matches(component)` says whether the rule matches; a match means "encrypted" if `encrypts`."""

    matches: Callable[[str], bool]
    encrypts: bool


def selection(rule: tuple[str, str]) -> Selection:
    """The rule (name, argument) of a document as a predicate.

    Raises `Unsupported` for the comment rules, `Malformed` for a pattern that is not valid (SOPS would take
    it as one that never matches, and leave secrets in clear).
    """
    name, argument = rule
    if name.endswith("_comment_regex"):
        raise Unsupported(f"sops.{name}: selection by comments is not read natively", hint=NEEDS_BINARY)
    encrypts = name.startswith("encrypted_")
    if name.endswith("_suffix"):
        return _by_suffix(argument, encrypts)
    return Selection(regular_expression(argument, f"sops.{name}"), encrypts)


@lru_cache(maxsize=64)
def _by_suffix(suffix: str, encrypts: bool) -> Selection:
    return Selection(lambda component: component.endswith(suffix), encrypts)


@lru_cache(maxsize=64)
def _program(pattern: str) -> Any:
    return compile_pattern(pattern, memory=_MAX_PATTERN_MEMORY)


def regular_expression(pattern: str, where: str) -> Callable[[str], bool]:
    """Whether a text has a match of the pattern, which is Go's, anywhere.

    Raises `Malformed` for text that is not valid, and `TooLarge`; the message starts with `where`.
    """
    if len(pattern) > _MAX_PATTERN:
        raise TooLarge(f"{where}: more than {_MAX_PATTERN} characters")
    try:
        program = _program(pattern)
    except TooComplex:
        raise TooLarge(f"{where}: a pattern that takes too much memory") from None
    except GoError:
        raise Malformed(f"{where}: not a regular expression in Go's (RE2's) dialect") from None
    left = _MAX_WORK // max(1, program.programsize)

    @lru_cache(maxsize=4096)
    def matches(component: str) -> bool:
        nonlocal left
        left -= len(component)
        if left < 0:
            raise TooLarge(f"{where}: it takes too long to match so large a pattern with so many keys")
        return program.search(component) is not None

    return matches
