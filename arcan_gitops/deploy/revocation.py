"""How a token is refused in a cluster before a rollout: by a ConfigMap that the Deployment mounts."""

from __future__ import annotations

import shlex
from typing import Final

from arcan_gitops.deploy.names import SERVER_NAMESPACE
from arcan_gitops.names import AccountName

REVOKED: Final = "arcan-revoked"


def account_revocation_command(account: AccountName) -> str:
    """The same for an account, in every realm."""
    return revocation_command(str(account).replace("/", "."), str(account))


def revocation_command(token_id: str, whose: str) -> str:
    """A command that adds one token to those that are there, and makes the ConfigMap where there is none.

    Each token has a field manager of its own, so that server-side apply keeps the others.
    """
    literal = shlex.quote(f"{token_id}={whose}")
    manifest = f"kubectl create configmap {REVOKED} --namespace={SERVER_NAMESPACE} --from-literal={literal}"
    manager = f"--field-manager=arcan-revoke-{token_id}"
    return f"{manifest} --dry-run=client --output=yaml | kubectl apply --server-side {manager} --filename=-"
