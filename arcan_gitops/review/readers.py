"""Who and what can read a realm: people by their recipients, tokens, accounts; with the names they go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from arcan_gitops.access import Scope
from arcan_gitops.realms.tree import TOKENS_FILE
from arcan_gitops.review.state import REALMS, State
from arcan_gitops.sops.data_key import short_recipient
from arcan_gitops.sops.metadata import KEY_TYPES


class Kind(StrEnum):
    """What reads."""

    TOKEN = "token"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, order=True)
class Caller:
    """A token or an account that a realm knows. `id` says which it is, whatever it may read."""

    kind: Kind
    realm: str
    id: str
    name: str
    scope: Scope = field(compare=False)
    expires: datetime | None = field(compare=False, default=None)
    digest: str = field(compare=False, default="", repr=False)
    uid: str | None = field(compare=False, default=None)

    @property
    def path(self) -> str:
        """The file that says it."""
        return f"{REALMS}{self.realm}/{TOKENS_FILE}"

    def ended(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires

    def reads(self, environment: str, key: str) -> bool:
        """Whether its scope holds a key."""
        return self.scope.allows_environment(environment) and self.scope.allows_key(key)

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}'"


def callers(state: State) -> dict[tuple[Kind, str, str], Caller]:
    """All tokens and accounts of a state, by kind, realm and id."""
    found = {}
    for caller in _callers(state):
        found[caller.kind, caller.realm, caller.id] = caller
    return found


def _callers(state: State) -> Iterator[Caller]:
    for realm, file in state.tokens.items():
        for token in file.tokens:
            yield Caller(Kind.TOKEN, realm, token.id, token.name, token.scope, token.expires, token.digest)
        for account in file.accounts:
            name = str(account.name)
            yield Caller(Kind.ACCOUNT, realm, name, name, account.scope, uid=account.uid)


def name_of(recipient: str, *states: State) -> str:
    """A recipient as people know it: by the name that `.sops.yaml` gives it, else by its beginning.

    The first of the states counts that has a name for it.
    """
    if recipient in KEY_TYPES:
        return f"holders of its {recipient} key"
    for state in states:
        if state.config is not None and recipient in state.config.names:
            return f"{state.config.names[recipient]} ({_ends(recipient)})"
    return short_recipient(recipient)


def _ends(recipient: str) -> str:
    """Enough to tell it by, beside a name that anybody could have written there."""
    return recipient if len(recipient) <= 24 else f"{recipient[:14]}...{recipient[-6:]}"


def recipients_of(state: State, realm: str, environment: str) -> tuple[str, ...]:
    """All recipients of the documents of an environment, each once."""
    found = [name for document in state.of(realm, environment).values() for name in document.recipients]
    return tuple(dict.fromkeys(found))
