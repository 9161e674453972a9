"""Tokens, accounts, scopes, policy: who may read what.

`mint` makes a token; `read_tokens_file` reads what a realm recorded of its tokens and accounts; `Policy` says
who calls, and the `Caller` or `Account` what it may read. `add`, `revoke` and `rotate` change a tokens file,
as bytes; only `edit_file` touches a disk.
"""

from arcan_gitops.access.account_record import AccountRecord
from arcan_gitops.access.accounts import NO_ACCOUNTS, Account, Accounts
from arcan_gitops.access.cluster import Cluster, one_key_in_two
from arcan_gitops.access.edit import (
    Rotation,
    add,
    no_such_token,
    rescope,
    revoke,
    rotate,
    with_keys,
)
from arcan_gitops.access.file import edit_file
from arcan_gitops.access.not_authenticated import AccountNotAuthenticated, NotAuthenticated, Reason
from arcan_gitops.access.policy import Caller, Policy, id_in_two_realms
from arcan_gitops.access.record import (
    POLICIES,
    POLICY_RULE,
    READ_ONLY,
    STATUS,
    TokenRecord,
    matching,
    newest,
    token_name,
)
from arcan_gitops.access.revoked import Revocations, parse_revocations
from arcan_gitops.access.scope import Scope, environment_glob, key_glob
from arcan_gitops.access.times import (
    InvalidTime,
    format_time,
    parse_duration,
    parse_expiry,
    parse_time,
)
from arcan_gitops.access.token import MintedToken, digest, mint, shown, token_id
from arcan_gitops.access.tokens_file import TokensFile, read_tokens, read_tokens_file
from arcan_gitops.access.within import BulkNeedsAllKeys, Forbidden

__all__ = [
    "NO_ACCOUNTS",
    "POLICIES",
    "POLICY_RULE",
    "READ_ONLY",
    "STATUS",
    "Account",
    "AccountNotAuthenticated",
    "AccountRecord",
    "Accounts",
    "BulkNeedsAllKeys",
    "Caller",
    "Cluster",
    "Forbidden",
    "InvalidTime",
    "MintedToken",
    "NotAuthenticated",
    "Policy",
    "Reason",
    "Revocations",
    "Rotation",
    "Scope",
    "TokenRecord",
    "TokensFile",
    "add",
    "digest",
    "edit_file",
    "environment_glob",
    "format_time",
    "id_in_two_realms",
    "key_glob",
    "matching",
    "mint",
    "newest",
    "no_such_token",
    "one_key_in_two",
    "parse_duration",
    "parse_expiry",
    "parse_revocations",
    "parse_time",
    "read_tokens",
    "read_tokens_file",
    "rescope",
    "revoke",
    "rotate",
    "shown",
    "token_id",
    "token_name",
    "with_keys",
]
