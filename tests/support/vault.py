"""A small Vault on loopback: enough of its API for sops to decrypt a data key by transit."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hvs.canary-7f3a-must-never-be-shown"


@dataclass
class FakeVault:
    """Use as a context manager. `keys` are data keys by ciphertext; `connections` counts every one, `calls`
    has (path, token) of each request.
    """

    keys: dict[str, bytes] = field(default_factory=dict)
    connections: int = 0
    calls: list[tuple[str, str | None]] = field(default_factory=list)

    def __enter__(self) -> FakeVault:
        vault = self

        class Server(ThreadingHTTPServer):
            def verify_request(self, *_: Any) -> bool:
                vault.connections += 1
                return True

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                token = self.headers["X-Vault-Token"]
                vault.calls.append((self.path, token))
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = vault.keys.get(asked["ciphertext"])
                found = key is not None and token == TOKEN and "/decrypt/" in self.path
                answer: dict[str, Any] = {"errors": ["denied"]}
                if found:
                    assert key is not None
                    answer = {"data": {"plaintext": base64.b64encode(key).decode()}}
                body = json.dumps(answer).encode()
                self.send_response(200 if found else 403)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wrap(self, key: bytes, **changes: str) -> dict[str, str]:
        """An entry of `sops.hc_vault` for a data key that this Vault opens."""
        enc = f"vault:v1:{base64.b64encode(str(len(self.keys)).encode()).decode()}"
        self.keys[enc] = key
        return {
            "vault_address": self.address,
            "engine_path": "transit",
            "key_name": "shop",
            "created_at": "2026-01-02T03:04:05Z",
            "enc": enc,
            **changes,
        }
