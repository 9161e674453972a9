"""A small Kubernetes API server on loopback: lists of Secrets and ExternalSecrets, in pages, as the API does."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arcan_gitops.yamlio import emit
from tests.support.json_server import JsonServer, Request

TOKEN = "token-of-the-test"
_SECRETS = "/api/v1/namespaces/shop/secrets"
_EXTERNAL_SECRETS = "/apis/external-secrets.io/{}/namespaces/shop/externalsecrets"


def secret(name: str, data: dict[str, str | bytes], **more: Any) -> dict[str, Any]:
    """An item of the list, which has no apiVersion and kind."""
    encoded = {
        key: base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
        for key, value in data.items()
    }
    labels, annotations = more.get("labels"), more.get("annotations")
    metadata = {"name": name, "namespace": "shop", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "type": more.get("type", "Opaque"), "data": encoded}


@dataclass
class KubernetesApi(JsonServer):
    """Of the namespace `shop`; pages have two items."""

    secrets: list[dict[str, Any]] = field(default_factory=list)
    external_secrets: list[dict[str, Any]] = field(default_factory=list)
    version: str = "v1"

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"kind": "Status", "message": "Unauthorized", "code": 401}
        lists = {
            _SECRETS: self.secrets,
            _EXTERNAL_SECRETS.format(self.version): self.external_secrets,
        }
        if request.path not in lists:
            return 404, {"kind": "Status", "reason": "NotFound", "code": 404}
        items = lists[request.path]
        start = int(request.query.get("continue", "0"))
        more = {"continue": str(start + 2)} if start + 2 < len(items) else {}
        return 200, {
            "kind": "List",
            "metadata": {"resourceVersion": "1", **more},
            "items": items[start : start + 2],
        }

    def write_kubeconfig(self, path: Path, token: str = TOKEN) -> None:
        """As kubectl reads it."""
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.address}}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        }  # fmt: skip
        path.write_text(emit([config]))
