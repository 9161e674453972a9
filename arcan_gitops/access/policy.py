"""Who may read what: the tokens of all selected realms. Pure; a server asks it for each request."""

from __future__ import annotations

import hmac
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import ClassVar, Final

from arcan_gitops.access.record import TokenRecord
from arcan_gitops.access.scope import Scope
from arcan_gitops.access.token import token_id
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName, SecretRef
from arcan_gitops.webhook import NO_VALUE


class Reason(Enum):
    """Why a caller is not authenticated: for the log, never for the caller."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    WRONG = "wrong"
    NO_VALUE = "no_value"
    REVOKED = "revoked"


_HINTS: Final = {
    Reason.MISSING: "the request has no 'Authorization: Bearer' header: check the headers of the store",
    Reason.MALFORMED: "the text is not a token: check for quotes, a cut or a newline in the Secret",
    Reason.UNKNOWN: "no selected realm knows the id: is the tokens file merged, and the realm selected?",
    Reason.EXPIRED: "rotate it with 'arcan token rotate'",
    Reason.WRONG: "the id is known and the secret is not: the token was changed, or somebody guesses",
    Reason.REVOKED: "the token was revoked: 'arcan token create' makes another",
    Reason.NO_VALUE: "ESO filled in '<no value>': the store's header template names a Secret or key that "
    "does not exist; it must be the 'name' of its secrets[] entry and a key of the token Secret",
}


class NotAuthenticated(ArcanError):
    """401. The message is the same for every reason; `reason` and `hint` are for the log.

    `token_id` is what the caller claimed (public, and perhaps a lie), None if the text is not a token.
    """

    code: ClassVar[str] = "unauthorized"

    def __init__(self, reason: Reason, token_id: str | None = None) -> None:
        super().__init__("no valid token", hint=_HINTS[reason])
        self.reason = reason
        self.token_id = token_id


class Forbidden(ArcanError):
    """403. Outside the token's scope, whether it exists or not."""

    code: ClassVar[str] = "forbidden"


class BulkNeedsAllKeys(Forbidden):
    """403. All keys were asked for by a token that is narrowed by keys.

    Never a filtered answer: narrowing a token must not silently take keys out of live Secrets.
    """

    code: ClassVar[str] = "bulk_needs_all_keys"


def require_within(scope: Scope | None, ref: SecretRef, who: str) -> None:
    """Raise `Forbidden` unless `scope`, which a token or an account has in the realm, holds what `ref` names.

    None is no scope in this realm; `who` is "token" or "account". The realm is judged first, then the
    environment, then the key. For all keys of an environment (`ref.key` is None) a scope narrowed by keys is
    `BulkNeedsAllKeys`.
    """
    if scope is None:
        raise Forbidden(f"the {who} may not read realm '{ref.realm}'")
    if not scope.allows_environment(ref.environment):
        raise Forbidden(f"the {who} may not read environment '{ref.environment}'")
    if ref.key is None:
        if not scope.all_keys:
            raise BulkNeedsAllKeys(
                f"the {who} is narrowed to some keys, and a bulk read needs all",
                hint="read each key, or give the store one without 'keys'",
            )
    elif not scope.allows_key(ref.key):
        raise Forbidden(f"the {who} may not read key '{ref.key}'")


def id_in_two_realms(token_id: str, owner: RealmName, realm: RealmName) -> ArcanError:
    """Two realms have an entry with one id: nobody could say which of them a token means."""
    return ArcanError(
        f"token id '{token_id}' is in realm '{owner}' and in realm '{realm}'",
        hint=f"remove one: 'arcan token revoke {token_id} --realm {realm}'",
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the holder of an authenticated token."""

    token_id: str
    token_name: str
    realm: RealmName
    scope: Scope

    def require(self, ref: SecretRef) -> None:
        """Raise `Forbidden` or `BulkNeedsAllKeys` unless the token may read what `ref` names."""
        require_within(self.scope if ref.realm == self.realm else None, ref, "token")


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: bytes
    expires: float  # Unix seconds
    caller: Caller


_MOST_REMOVED: Final = 4096
# What an unknown id is compared with, so that known and unknown ids cost the same; no text has this digest.
_NOBODY: Final = secrets.token_bytes(32)


class Policy:
    """The tokens of the selected realms, by id."""

    __slots__ = ("_entries", "_removed")

    def __init__(self, entries: Mapping[str, _Entry]) -> None:
        self._entries = entries
        self._removed: dict[str, bytes] = {}  # digests of tokens that an earlier policy knew, by id

    def __repr__(self) -> str:
        return f"Policy({len(self._entries)} tokens)"

    @classmethod
    def build(cls, records: Mapping[RealmName, Sequence[TokenRecord]]) -> Policy:
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
                    caller=Caller(record.id, record.name, realm, record.scope),
                )
        return cls(entries)

    def remember(self, before: Policy) -> None:
        """Tell tokens that `before` knew, and this policy does not, from those that nobody ever knew."""
        known = {**before._removed, **{name: entry.digest for name, entry in before._entries.items()}}
        removed = [(name, digest) for name, digest in known.items() if name not in self._entries]
        self._removed = dict(removed[-_MOST_REMOVED:])

    def authenticate(self, presented: str | None, now: float) -> Caller:
        """The caller whose token is `presented`, the text after `Bearer `; `now` in Unix seconds.

        Raises `NotAuthenticated`. Look-up by the public id, then one constant-time comparison of digests.
        """
        if not presented:
            raise NotAuthenticated(Reason.MISSING)
        identifier = token_id(presented)
        if identifier is None:
            raise NotAuthenticated(Reason.NO_VALUE if presented == NO_VALUE else Reason.MALFORMED)
        entry = self._entries.get(identifier)
        offered = sha256(presented.encode("ascii")).digest()
        removed = self._removed.get(identifier, _NOBODY)
        same = hmac.compare_digest(offered, removed if entry is None else entry.digest)
        if entry is None:
            raise NotAuthenticated(Reason.REVOKED if same else Reason.UNKNOWN, identifier)
        if not same:
            raise NotAuthenticated(Reason.WRONG, identifier)
        if now >= entry.expires:
            raise NotAuthenticated(Reason.EXPIRED, identifier)
        return entry.caller
