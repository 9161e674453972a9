"""The Secrets of accounts in a cluster, and which key signed each. No token leaves this module."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arcan_gitops.access import Cluster
from arcan_gitops.access.cluster import signer_of
from arcan_gitops.bootstrap import Kubectl
from arcan_gitops.errors import ArcanError
from arcan_gitops.overlay.credentials import ACCOUNT_KEY, ACCOUNT_TYPE
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE


@dataclass(frozen=True, slots=True)
class SignedSecret:
    """One Secret; `thumbprint` is that of the key that signed its token, None where none of the file did."""

    namespace: str
    name: str
    thumbprint: str | None
    filled: bool

    @property
    def state(self) -> str:
        """Which key it is, in words."""
        if not self.filled:
            return "has no token: Kubernetes has not filled it"
        if self.thumbprint is None:
            return "signed by a key that the file does not have"
        return f"key {self.thumbprint[:12]}"


def signed_secrets(
    kubectl: Kubectl, context: str | None, environment: Mapping[str, str], cluster: Cluster
) -> Iterator[SignedSecret]:
    """Every labelled Secret of an account, in all namespaces. Raises `ArcanError`."""
    into = [] if context is None else [f"--context={context}"]
    label, kind = f"{SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}", f"type={ACCOUNT_TYPE}"
    data = kubectl.read(
        [*into, "get", "secrets", "--all-namespaces", f"--selector={label}", f"--field-selector={kind}",
         "--output=json"],
        environment,
    )  # fmt: skip
    try:
        items = json.loads(data)["items"]
        yield from (_read(item, cluster) for item in items)
    except (ValueError, KeyError, TypeError):
        raise ArcanError("kubectl gave no list of Secrets", hint="kubectl get secrets -A") from None


def _read(item: Mapping[str, Any], cluster: Cluster) -> SignedSecret:
    held = (item.get("data") or {}).get(str(ACCOUNT_KEY), "")
    token = base64.b64decode(held).decode("ascii", "replace")
    place = item["metadata"]
    key = signer_of(token, cluster) if token else None
    return SignedSecret(
        place["namespace"], place["name"], None if key is None else key.thumbprint, bool(token)
    )
