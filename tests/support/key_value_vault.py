"""A small Vault on loopback that has key-value engines: the paths and shapes of Vault's HTTP API documentation
(secret/kv/kv-v1, kv-v2, system/internal-ui-mounts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.json_server import JsonServer, Request

TOKEN = "hvs.of-the-test"


@dataclass
class KeyValueVault(JsonServer):
    """`secrets` by path below the mount; None is one whose newest version is deleted."""

    secrets: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    version: int = 2
    mount: str = "secret"
    forbidden: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("x-vault-token") != TOKEN:
            return 403, {"errors": ["permission denied"]}
        if request.path == f"/v1/sys/internal/ui/mounts/{self.mount}":
            options = {"version": str(self.version)} if self.version == 2 else None
            return 200, {"data": {"type": "kv", "options": options}}
        kind, _, path = request.path.removeprefix(f"/v1/{self.mount}/").partition("/")
        if self.version == 1:
            kind, path = "data", request.path.removeprefix(f"/v1/{self.mount}").strip("/")
        path = path.strip("/")
        listing = request.query.get("list") == "true" or request.method == "LIST"
        if path in self.forbidden:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        if path in self.broken:
            return 500, {"errors": [f"internal error at {self.secrets.get(path)}"]}
        if listing:
            return self._listing(path)
        return self._secret(path) if kind == "data" else (404, {"errors": []})

    def _listing(self, path: str) -> tuple[int, Any]:
        prefix = f"{path}/" if path else ""
        below = [name.removeprefix(prefix) for name in self.secrets if name.startswith(prefix)]
        keys = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        return (200, {"data": {"keys": keys}}) if keys else (404, {"errors": []})

    def _secret(self, path: str) -> tuple[int, Any]:
        if path not in self.secrets:
            return 404, {"errors": []}
        fields = self.secrets[path]
        if self.version == 1:
            return 200, {"data": fields}
        deleted = "" if fields is not None else "2026-01-02T03:04:05.6Z"
        metadata = {"version": 3, "destroyed": False, "deletion_time": deleted, "custom_metadata": None,
                    "created_time": "2026-01-01T03:04:05.6Z"}  # fmt: skip
        return (404 if fields is None else 200), {"data": {"data": fields, "metadata": metadata}}
