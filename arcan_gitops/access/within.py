"""Whether a scope holds what is asked for: the one place that says 403."""

from __future__ import annotations

from typing import ClassVar

from arcan_gitops.access.scope import Scope
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import SecretRef


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
