"""Tokens and accounts that are refused from now on, whatever the tokens files say: it only narrows.

In a cluster `tokens.yaml` comes with a rollout, which a bad document can hold up. This list does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from arcan_gitops.access.accounts import Account
from arcan_gitops.access.policy import Caller
from arcan_gitops.access.record import token_name
from arcan_gitops.access.token import TOKEN_ID
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName, RealmName


@dataclass(frozen=True, slots=True)
class Revocations:
    """Ids of tokens, names of tokens by realm, which mean all that have the name, and accounts."""

    ids: frozenset[str] = frozenset()
    names: frozenset[tuple[str, str]] = field(default=frozenset())
    accounts: frozenset[AccountName] = field(default=frozenset())

    def cover(self, caller: Caller | Account) -> bool:
        """Whether the caller's token is refused."""
        if isinstance(caller, Account):
            return caller.name in self.accounts
        return caller.token_id in self.ids or (caller.realm, caller.token_name) in self.names

    def entries(self) -> list[str]:
        """The entries that `parse_revocations` reads back."""
        names = [f"{realm}/{name}" for realm, name in self.names]
        return sorted(self.ids) + sorted(names) + sorted(map(str, self.accounts))


def parse_revocations(text: str, source: str) -> tuple[Revocations, list[ArcanError]]:
    """One entry a line: the id of a token, `REALM/NAME`, or an account: `CLUSTER/NAMESPACE/ACCOUNT`, as the
    name of a file `CLUSTER.NAMESPACE.ACCOUNT`. Empty lines and `# comments` are passed over.

    What is wrong with a line comes back beside the entries that hold: one mistake must not bring others back.
    """
    ids: set[str] = set()
    names: set[tuple[str, str]] = set()
    accounts: set[AccountName] = set()
    problems: list[ArcanError] = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        realm, slash, name = entry.partition("/")
        if slash and (owner := _named(realm, name)) is not None:
            names.add(owner)
        elif TOKEN_ID.fullmatch(entry):
            ids.add(entry)
        elif (account := _account(entry)) is not None:
            accounts.add(account)
        elif entry:
            message = (
                f"{source}:{number}: neither the id of a token nor REALM/NAME nor CLUSTER/NAMESPACE/ACCOUNT: "
                "nothing is revoked by it"
            )
            hint = "'arcan token list' shows the ids, 'arcan account list' the accounts"
            problems.append(ArcanError(message, hint=hint))
    return Revocations(frozenset(ids), frozenset(names), frozenset(accounts)), problems


def _account(text: str) -> AccountName | None:
    try:
        return AccountName.parse(text)
    except ArcanError:
        return None


def _named(realm: str, name: str) -> tuple[str, str] | None:
    try:
        return RealmName.parse(realm), token_name(name)
    except ArcanError:
        return None
