"""Secrets with the tokens of accounts, good and bad, and what the policies have to say about each."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

FOREIGN = "a Secret that ESO may send holds the token of Arcan's own accounts alone, arcan-reader"
FILLED = "the Secret of an account is made without data, for Kubernetes to fill"
LABEL = {"external-secrets.io/type": "webhook"}


def secret(
    name: str, account: str, labels: Mapping[str, str] = LABEL, namespace: str = "shop", **more: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": dict(labels),
            "annotations": {"kubernetes.io/service-account.name": account},
        },
        "type": "kubernetes.io/service-account-token",
        **more,
    }


DATA = {"data": {"token": base64.b64encode(b"stolen").decode()}}
CASES = [
    ("ours", secret("one", "arcan-reader"), ""),
    ("ours-of-an-overlay", secret("one", "arcan-reader.prod-eu"), ""),
    ("another-account", secret("one", "default"), FOREIGN),
    ("an-account-that-begins-as-ours", secret("one", "arcan-readers"), FOREIGN),
    ("ours-with-data", secret("one", "arcan-reader", **DATA), FILLED),
    ("not-for-eso", secret("one", "default", labels={}), ""),
    ("a-token-that-is-none-of-kubernetes", {**secret("one", "default", **DATA), "type": "Opaque"}, ""),
]
UPDATES = [
    ("it-is-filled", secret("one", "arcan-reader"), secret("one", "arcan-reader", **DATA), ""),
    ("gets-the-label-later", secret("one", "default", labels={}), secret("one", "default"), FOREIGN),
    ("turns-to-another-account", secret("one", "arcan-reader"), secret("one", "default"), FOREIGN),
    ("was-there-before", secret("one", "default"), secret("one", "default", **DATA), ""),
]
