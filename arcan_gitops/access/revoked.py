"""Tokens that are refused from now on, whatever the tokens files say: it only narrows.

In a cluster `tokens.yaml` comes with a rollout, which a bad document can hold up. This list does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from arcan_gitops.access.policy import Caller
from arcan_gitops.access.record import token_name
from arcan_gitops.access.token import TOKEN_ID
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName


@dataclass(frozen=True, slots=True)
class Revocations:
    """Ids of tokens, and names of tokens by realm, which mean all that have the name."""

    ids: frozenset[str] = frozenset()
    names: frozenset[tuple[str, str]] = field(default=frozenset())

    def cover(self, caller: Caller) -> bool:
        """Whether the caller's token is refused."""
        return caller.token_id in self.ids or (caller.realm, caller.token_name) in self.names

    def entries(self) -> list[str]:
        """The entries that `parse_revocations` reads back."""
        return sorted(self.ids) + sorted(f"{realm}/{name}" for realm, name in self.names)


def parse_revocations(text: str, source: str) -> tuple[Revocations, list[ArcanError]]:
    """One entry a line: the id of a token, or `REALM/NAME`. Empty lines and `# comments` are passed over.

    What is wrong with a line comes back beside the entries that hold: one mistake must not bring others back.
    """
    ids: set[str] = set()
    names: set[tuple[str, str]] = set()
    problems: list[ArcanError] = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        realm, slash, name = entry.partition("/")
        if slash and (owner := _named(realm, name)) is not None:
            names.add(owner)
        elif TOKEN_ID.fullmatch(entry):
            ids.add(entry)
        elif entry:
            message = f"{source}:{number}: neither the id of a token nor REALM/NAME: nothing is revoked by it"
            problems.append(ArcanError(message, hint="'arcan token list' shows the ids"))
    return Revocations(frozenset(ids), frozenset(names)), problems


def _named(realm: str, name: str) -> tuple[str, str] | None:
    try:
        return RealmName.parse(realm), token_name(name)
    except ArcanError:
        return None
