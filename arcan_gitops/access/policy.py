"""Who may read what: the tokens and accounts of the selected realms. Pure; asked for each request."""

from __future__ import annotations

import hmac
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from arcan_gitops.access.accounts import NO_ACCOUNTS, Account, Accounts, looks_like_jwt
from arcan_gitops.access.not_authenticated import NotAuthenticated, Reason
from arcan_gitops.access.record import READ_ONLY, STATUS, TokenRecord
from arcan_gitops.access.scope import Scope
from arcan_gitops.access.token import shaped_id, token_id
from arcan_gitops.access.within import require_within
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName, SecretRef
from arcan_gitops.webhook import NO_VALUE


def id_in_two_realms(token_id: str, owner: RealmName, realm: RealmName) -> ArcanError:
    """Two realms have an entry with one id: nobody could say which of them a token means."""
    return ArcanError(
        f"token id '{token_id}' is in realm '{owner}' and in realm '{realm}'",
        hint=f"remove one: 'arcan token revoke {token_id} --realm {realm}'",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Who asks: the holder of an authenticated token. A policy has one for each token."""

    token_id: str
    token_name: str
    realm: RealmName
    scope: Scope
    policy: str = READ_ONLY

    @property
    def may_ask_status(self) -> bool:
        """Whether it may be told how the server is. It reads no secret then."""
        return self.policy == STATUS

    @property
    def audited(self) -> dict[str, str | None]:
        """Who it is, by the fields of the audit log."""
        return {"token_id": self.token_id, "token_name": self.token_name}

    def revoked(self) -> NotAuthenticated:
        """The refusal of a token that was revoked by a list of its own."""
        return NotAuthenticated(Reason.REVOKED, self.token_id)

    def require(self, ref: SecretRef) -> None:
        """Raise `Forbidden` or `BulkNeedsAllKeys` unless the token may read what `ref` names."""
        reads = ref.realm == self.realm and self.policy == READ_ONLY
        require_within(self.scope if reads else None, ref, "token")


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: bytes
    expires: float  # Unix seconds
    caller: Caller


_MOST_REMOVED: Final = 4096
# What an unknown id is compared with, so that known and unknown ids cost the same; no text has this digest.
_NOBODY: Final = secrets.token_bytes(32)


class Policy:
    """The tokens of the selected realms, by id, and their accounts."""

    __slots__ = ("_accounts", "_entries", "_removed")

    def __init__(self, entries: Mapping[str, _Entry], accounts: Accounts = NO_ACCOUNTS) -> None:
        self._entries = entries
        self._accounts = accounts
        self._removed: dict[str, bytes] = {}  # digests of tokens that an earlier policy knew, by id

    def __repr__(self) -> str:
        return f"Policy({len(self._entries)} tokens, {self._accounts!r})"

    @classmethod
    def build(
        cls, records: Mapping[RealmName, Sequence[TokenRecord]], accounts: Accounts = NO_ACCOUNTS
    ) -> Policy:
        """Raises `ArcanError` where two realms have one id, naming both."""
        entries: dict[str, _Entry] = {}
        for realm, tokens in records.items():
            for record in tokens:
                other = entries.get(record.id)
                if other is not None:
                    raise id_in_two_realms(record.id, other.caller.realm, realm)
                entries[record.id] = _Entry(
                    digest=bytes.fromhex(record.digest.removeprefix("sha256:")),
                    expires=math.inf if record.expires is None else record.expires.timestamp(),
                    caller=Caller(record.id, record.name, realm, record.scope, record.policy),
                )
        return cls(entries, accounts)

    def remember(self, before: Policy) -> None:
        """Tell who `before` knew, and this policy does not, from those that nobody ever knew."""
        self._accounts.remember(before._accounts)
        known = {**before._removed, **{name: entry.digest for name, entry in before._entries.items()}}
        removed = [(name, digest) for name, digest in known.items() if name not in self._entries]
        self._removed = dict(removed[-_MOST_REMOVED:])

    def authenticate(self, presented: str | None, now: float) -> Caller | Account:
        """Whose token is `presented`, the text after `Bearer `; `now` in Unix seconds.

        Raises `NotAuthenticated`. For a token of ours: look-up by the public id, then one constant-time
        comparison of digests; for a JSON Web Token see `Accounts`.
        """
        if not presented:
            raise NotAuthenticated(Reason.MISSING)
        identifier = shaped_id(presented)
        if identifier is None:
            if looks_like_jwt(presented):
                return self._accounts.authenticate(presented, now)
            raise NotAuthenticated(Reason.NO_VALUE if presented == NO_VALUE else Reason.MALFORMED)
        entry = self._entries.get(identifier)
        known = self._removed.get(identifier, _NOBODY) if entry is None else entry.digest
        same = hmac.compare_digest(sha256(presented.encode("ascii")).digest(), known)
        if not same and token_id(presented) is None:  # of a text whose digest is known it need not be asked
            raise NotAuthenticated(Reason.MALFORMED)
        if entry is None:
            raise NotAuthenticated(Reason.REVOKED if same else Reason.UNKNOWN, identifier)
        if not same:
            raise NotAuthenticated(Reason.WRONG, identifier)
        if now >= entry.expires:
            raise NotAuthenticated(Reason.EXPIRED, identifier)
        return entry.caller
