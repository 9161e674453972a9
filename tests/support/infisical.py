"""A small Infisical on loopback: the paths and shapes of its OpenAPI description that the client uses
(`/api/v1/auth/universal-auth/login`, `/api/v3/secrets/raw`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.json_server import JsonServer, Request

CLIENT = {"clientId": "identity-of-the-test", "clientSecret": "secret-of-the-test"}
PROJECT = "0b1f8a1e-0000-4000-8000-000000000000"
_TOKEN = "access-token-of-the-test"


def infisical_secret(path: str, key: str, value: str, **more: Any) -> dict[str, Any]:
    """A secret of `/api/v3/secrets/raw`."""
    return {
        "id": "1", "_id": "1", "workspace": PROJECT, "environment": "prod", "version": 1, "type": "shared",
        "secretKey": key, "secretValue": value, "secretComment": "", "secretPath": path, "tags": [],
        "createdAt": "2026-01-02T03:04:05.000Z", "updatedAt": "2026-01-02T03:04:05.000Z",
        "secretValueHidden": False, **more,
    }  # fmt: skip


@dataclass
class Infisical(JsonServer):
    """One project with one environment, `prod`."""

    secrets: list[dict[str, Any]] = field(default_factory=list)
    imports: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/api/v1/auth/universal-auth/login":
            if request.body != CLIENT:
                return 401, {"message": f"Invalid credentials: {request.body}"}
            return 200, {
                "accessToken": _TOKEN,
                "expiresIn": 7200,
                "accessTokenMaxTTL": 7200,
                "tokenType": "Bearer",
            }
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return 401, {"message": "Token missing"}
        query = request.query
        if (
            request.path != "/api/v3/secrets/raw"
            or query["workspaceId"] != PROJECT
            or query["environment"] != "prod"
        ):
            return 404, {"message": "not found"}
        path = query["secretPath"].rstrip("/")
        below = [one for one in self.secrets if f"{one['secretPath'].rstrip('/')}/".startswith(f"{path}/")]
        return 200, {"secrets": below, "imports": self.imports}
