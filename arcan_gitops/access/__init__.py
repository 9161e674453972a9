"""Tokens, scopes, policy: who may read what.

`mint` makes a token; `read_tokens` reads what a realm recorded of its tokens; `Policy` says who calls, and
the `Caller` what it may read. `add`, `revoke` and `rotate` change a tokens file, as bytes; only `edit_file`
touches a disk.
"""

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
from arcan_gitops.access.policy import (
    BulkNeedsAllKeys,
    Caller,
    Forbidden,
    NotAuthenticated,
    Policy,
    Reason,
    id_in_two_realms,
)
from arcan_gitops.access.record import (
    ONE_POLICY,
    READ_ONLY,
    TokenRecord,
    matching,
    newest,
    read_tokens,
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

__all__ = [
    "ONE_POLICY",
    "READ_ONLY",
    "BulkNeedsAllKeys",
    "Caller",
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
    "parse_duration",
    "parse_expiry",
    "parse_revocations",
    "parse_time",
    "read_tokens",
    "rescope",
    "revoke",
    "rotate",
    "shown",
    "token_id",
    "token_name",
    "with_keys",
]
