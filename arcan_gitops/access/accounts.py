"""Service accounts of Kubernetes clusters as callers: what a realm grants them, and their signed tokens.

Kubernetes makes the credential and Git says what it may read. A token is a JSON Web Token that the cluster
signed with one of its keys, and nothing is asked of the cluster. Two kinds are taken. That of a Secret (type
`kubernetes.io/service-account-token`) has no end and no audience, and a constant issuer. A bound one ends,
has the cluster's own issuer, and must be for our audience. Measured on Kubernetes 1.36; the claims are those
of kubernetes/kubernetes pkg/serviceaccount/legacy.go and claims.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

import jwt

from arcan_gitops.access.account_record import AccountRecord
from arcan_gitops.access.cluster import SIGNATURE_ONLY, UNREADABLE, Cluster, require_own_keys
from arcan_gitops.access.not_authenticated import AccountNotAuthenticated, AccountReason, audited_account
from arcan_gitops.access.scope import Scope
from arcan_gitops.access.within import require_within
from arcan_gitops.names import AccountName, KubeCluster, Namespace, ObjectName, RealmName, SecretRef

AUDIENCE: Final = "arcan"
SECRET_ISSUER: Final = "kubernetes/serviceaccount"
MAX_TOKEN_BYTES: Final = 8 * 1024  # of headers that ESO sends; a token of Kubernetes has about 1 KiB
_PREFIX: Final = "kubernetes.io/serviceaccount/"
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_LEEWAY_SECONDS: Final = 10.0  # between the clocks of two machines
_MOST_REMOVED: Final = 4096
_MOST_SIGNED: Final = 1024  # tokens, of about 1 KiB each
_MOST_GRANTED: Final = 4096
_CLAIMED: Final = re.compile(r"[a-z0-9.-]{1,253}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Who asks: a service account, and what each realm lets it read. `Accounts` has one for each."""

    name: AccountName
    scopes: Mapping[RealmName, Scope] = field(repr=False)

    def __str__(self) -> str:
        return str(self.name)

    @property
    def audited(self) -> dict[str, str | None]:
        """Who it is, by the fields of the audit log."""
        return audited_account(self.name)

    def revoked(self) -> AccountNotAuthenticated:
        """The refusal of an account that was revoked by a list of its own."""
        return AccountNotAuthenticated(AccountReason.REVOKED, str(self.name), self.name)

    def require(self, ref: SecretRef) -> None:
        """Raise `Forbidden` or `BulkNeedsAllKeys` unless the account may read what `ref` names."""
        require_within(self.scopes.get(ref.realm), ref, "account")


def looks_like_jwt(presented: str) -> bool:
    """Whether a bearer is to be read as a JSON Web Token: a token of our own has no dot."""
    return "." in presented and _JWT.fullmatch(presented) is not None


@dataclass(frozen=True, slots=True)
class _Identity:
    """Whom the claims name."""

    namespace: str
    name: str
    uid: str
    ends: int | None = None  # in Unix seconds


class _Signed(NamedTuple):
    """Of a token that a cluster signed: who it says that it is, which cluster, and all that it says."""

    claimed: str
    cluster: Cluster
    claims: Mapping[str, Any]


class Accounts:
    """The accounts of the selected realms, and the keys of the clusters. Pure.

    A signature is verified once: the claims of a token that a cluster did sign are kept, by the token's
    digest. All that depends on the time or on what realms grant is judged each time.
    """

    __slots__ = ("_clusters", "_entries", "_granted", "_removed", "_signed")

    def __init__(
        self, clusters: Iterable[Cluster], accounts: Mapping[RealmName, Sequence[AccountRecord]]
    ) -> None:
        """Raises `ArcanError` where one signing key is in two clusters."""
        self._clusters = tuple(clusters)
        require_own_keys(self._clusters)
        entries: dict[AccountName, list[tuple[RealmName, AccountRecord, Scope]]] = {}
        for realm, records in accounts.items():
            for record in records:
                entries.setdefault(record.name, []).append((realm, record, record.scope))
        self._entries = entries
        self._removed: frozenset[AccountName] = frozenset()  # that an earlier policy knew
        self._signed: dict[bytes, _Signed] = {}
        self._granted: dict[tuple[AccountName, str], Account] = {}

    def __repr__(self) -> str:
        return f"Accounts({len(self._entries)} accounts, {len(self._clusters)} clusters)"

    def authenticate(self, presented: str, now: float) -> Account:
        """The account whose token is `presented`, the text after `Bearer `; `now` in Unix seconds.

        The key alone says which cluster it is from; then the claims, then what the realms grant. Raises
        `AccountNotAuthenticated`.
        """
        claimed, cluster, claims = self._signature(presented)
        who = f"{cluster.name}/{claimed.partition('/')[2]}"
        if claims.get("iss") == SECRET_ISSUER:
            identity = _of_secret(claims, who)
        elif claims.get("iss") == cluster.issuer:
            identity = _of_bound(claims, now, who)
        else:
            raise AccountNotAuthenticated(AccountReason.ISSUER, who)
        subject = f"system:serviceaccount:{identity.namespace}:{identity.name}"
        if claims.get("sub") != subject:
            raise AccountNotAuthenticated(AccountReason.CLAIMS, who)
        name = AccountName(
            KubeCluster(cluster.name), Namespace(identity.namespace), ObjectName(identity.name)
        )
        entries = self._entries.get(name, ())
        if not entries:
            if name in self._removed:
                raise AccountNotAuthenticated(AccountReason.REVOKED, who, name)
            raise AccountNotAuthenticated(AccountReason.UNKNOWN, who)
        if identity.ends is not None and now >= identity.ends:
            raise AccountNotAuthenticated(AccountReason.EXPIRED, who, name)
        account = self._granted.get((name, identity.uid))
        if account is None:
            scopes = {realm: scope for realm, record, scope in entries if record.uid in (None, identity.uid)}
            if not scopes:
                raise AccountNotAuthenticated(AccountReason.UID, who)
            if len(self._granted) >= _MOST_GRANTED:
                self._granted.clear()
            account = self._granted[name, identity.uid] = Account(name, scopes)
        return account

    def remember(self, before: Accounts) -> None:
        """Tell accounts that `before` knew, and these do not, from those that nobody ever knew."""
        known = {*before._removed, *before._entries} - self._entries.keys()
        self._removed = frozenset(sorted(known)[:_MOST_REMOVED])

    def _signature(self, presented: str) -> _Signed:
        """What the token claims, and the cluster whose key signed it."""
        digest = sha256(presented.encode("utf-8", "surrogatepass")).digest()
        signed = self._signed.get(digest)
        if signed is None:
            claimed = _claimed(presented)
            signed = _Signed(claimed, *self._verified(presented, claimed))
            if len(self._signed) >= _MOST_SIGNED:
                self._signed.clear()
            self._signed[digest] = signed
        return signed

    def _verified(self, presented: str, claimed: str) -> tuple[Cluster, Mapping[str, Any]]:
        """The cluster whose key signed it, and its claims, of which nothing is checked yet."""
        try:
            algorithm = jwt.get_unverified_header(presented).get("alg")
        except UNREADABLE:
            raise AccountNotAuthenticated(AccountReason.MALFORMED) from None
        known = {key.algorithm for cluster in self._clusters for key in cluster.keys}
        if not known:
            raise AccountNotAuthenticated(AccountReason.NO_CLUSTER, claimed)
        # `none` is not among them, nor HS256, with which a public key would be the password
        if not isinstance(algorithm, str) or algorithm not in known:
            raise AccountNotAuthenticated(AccountReason.ALGORITHM, claimed)
        for cluster in self._clusters:
            for key in cluster.keys:
                if key.algorithm != algorithm:
                    continue
                try:
                    claims = jwt.decode(presented, key.key, [key.algorithm], options=SIGNATURE_ONLY)
                except UNREADABLE:
                    continue
                return cluster, claims
        raise AccountNotAuthenticated(AccountReason.SIGNATURE, claimed)


def _of_secret(claims: Mapping[str, Any], who: str) -> _Identity:
    """Of a Secret: it must name the Secret too, and has nothing that a token with an end has."""
    texts = [
        claims.get(f"{_PREFIX}{name}")
        for name in ("namespace", "service-account.name", "service-account.uid", "secret.name")
    ]
    if not all(isinstance(text, str) and text for text in texts) or {"exp", "aud"} & set(claims):
        raise AccountNotAuthenticated(AccountReason.CLAIMS, who)
    namespace, name, uid, _ = map(str, texts)
    return _Identity(namespace, name, uid)


def _of_bound(claims: Mapping[str, Any], now: float, who: str) -> _Identity:
    """Of the TokenRequest API: for our audience, and within its time."""
    audience = claims.get("aud")
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise AccountNotAuthenticated(AccountReason.AUDIENCE, who)
    expires, begins, issued = (claims.get(name) for name in ("exp", "nbf", "iat"))
    if type(expires) is not int or type(begins) is not int or type(issued) is not int:
        raise AccountNotAuthenticated(AccountReason.CLAIMS, who)
    if now + _LEEWAY_SECONDS < max(begins, issued):
        raise AccountNotAuthenticated(AccountReason.NOT_YET, who)
    place = claims.get("kubernetes.io")
    account = place.get("serviceaccount") if isinstance(place, dict) else None
    if not isinstance(place, dict) or not isinstance(account, dict):
        raise AccountNotAuthenticated(AccountReason.CLAIMS, who)
    texts = (place.get("namespace"), account.get("name"), account.get("uid"))
    if not all(isinstance(text, str) and text for text in texts):
        raise AccountNotAuthenticated(AccountReason.CLAIMS, who)
    namespace, name, uid = map(str, texts)
    return _Identity(namespace, name, uid, expires)


def _claimed(presented: str) -> str:
    """`?/NAMESPACE/ACCOUNT`, as the token says it before anything is verified; for the log, so names only."""
    if len(presented) > MAX_TOKEN_BYTES or not looks_like_jwt(presented):
        raise AccountNotAuthenticated(AccountReason.MALFORMED)
    try:
        claims = jwt.decode(presented, options={"verify_signature": False})
    except UNREADABLE:
        raise AccountNotAuthenticated(AccountReason.MALFORMED) from None
    subject = claims.get("sub")
    parts = subject.split(":") if isinstance(subject, str) else []
    named = parts[2:] if parts[:2] == ["system", "serviceaccount"] and len(parts) == 4 else ["?", "?"]
    return "/".join(["?", *(part if _CLAIMED.fullmatch(part) else "?" for part in named)])


NO_ACCOUNTS: Final = Accounts((), {})
