"""401: nobody that a realm knows. Why is for the logs, never for the caller."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName


class Reason(Enum):
    """Why a caller is not authenticated: for the log, never for the caller."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    WRONG = "wrong"
    NO_VALUE = "no_value"
    REVOKED = "revoked"


class AccountReason(Enum):
    """Why the holder of a JSON Web Token is not authenticated: for the log, never for the caller."""

    MALFORMED = "malformed_jwt"
    ALGORITHM = "wrong_algorithm"
    SIGNATURE = "wrong_signature"
    ISSUER = "wrong_issuer"
    AUDIENCE = "wrong_audience"
    EXPIRED = "expired"
    NOT_YET = "not_yet_valid"
    CLAIMS = "wrong_claims"
    UNKNOWN = "unknown_account"
    UID = "wrong_uid"
    REVOKED = "revoked"
    NO_CLUSTER = "no_clusters"


_HINTS: Final[Mapping[Enum, str]] = {
    Reason.MISSING: "the request has no 'Authorization: Bearer' header: check the headers of the store",
    Reason.MALFORMED: "the text is not a token: check for quotes, a cut or a newline in the Secret",
    Reason.UNKNOWN: "no selected realm knows the id: is the tokens file merged, and the realm selected?",
    Reason.EXPIRED: "rotate it with 'arcan token rotate'",
    Reason.WRONG: "the id is known and the secret is not: the token was changed, or somebody guesses",
    Reason.REVOKED: "the token was revoked: 'arcan token create' makes another",
    AccountReason.NO_CLUSTER: "it is a Kubernetes token, and the server knows no cluster: give it --clusters",
    Reason.NO_VALUE: "ESO filled in '<no value>': the store's header template names a Secret or key that "
    "does not exist; it must be the 'name' of its secrets[] entry and a key of the token Secret",
}


class NotAuthenticated(ArcanError):
    """No valid token. The message is the same for every reason; `reason` and `hint` are for the log.

    `token_id` is what the caller claimed (public, and perhaps a lie), None if the text is not a token.
    """

    code: ClassVar[str] = "unauthorized"

    def __init__(self, reason: Reason | AccountReason, token_id: str | None = None) -> None:
        super().__init__("no valid token", hint=_HINTS.get(reason))
        self.reason = reason
        self.token_id = token_id

    @property
    def was_valid(self) -> bool:
        """Whether what was presented was valid once: evidence, and no stranger's."""
        return self.reason in (Reason.EXPIRED, Reason.REVOKED)

    @property
    def audited(self) -> dict[str, str | None]:
        """Who it was, or says that it is, by the fields of the audit log."""
        return {"token_id" if self.was_valid else "claimed_token_id": self.token_id}


class AccountNotAuthenticated(NotAuthenticated):
    """The same for a JSON Web Token.

    `claimed` is who the token says that it is, `CLUSTER/NAMESPACE/ACCOUNT` as far as it can be read, and
    perhaps a lie: `?` stands for a cluster whose signature it has not. `account` is whose token it was, where
    a cluster signed it and a realm had an entry for it.
    """

    def __init__(
        self, reason: AccountReason, claimed: str | None = None, account: AccountName | None = None
    ) -> None:
        super().__init__(reason)
        self.claimed = claimed
        self.account = account

    @property
    def was_valid(self) -> bool:
        """Whether what was presented was valid once."""
        return self.account is not None

    @property
    def audited(self) -> dict[str, str | None]:
        """Who it was, or says that it is, by the fields of the audit log."""
        if self.account is None:
            return {"claimed_account": self.claimed}
        return audited_account(self.account)


def audited_account(account: AccountName) -> dict[str, str | None]:
    """An account by the fields of the audit log."""
    return {
        "cluster": account.cluster,
        "namespace": account.namespace,
        "account": account.service_account,
    }
