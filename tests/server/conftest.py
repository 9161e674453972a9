"""One real server for the tests that only read from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

SHOP = f"""\
DATABASE_URL: {CANARY}
PORT: 5432
RATIO: 0.1
BIG: 12345678901234567
FLAG: true
SINCE: 2024-01-02T03:04:05.123456789Z
GREETING: "grüß \\"dich\\" <&> \\n\\t ☂"
LIMITS: {{a: [1, 2.5, "<x>"], b: false}}
"""


@dataclass
class Running:
    files: RealmFiles
    server: LiveServer
    token: str
    narrow: str
    staging: str


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    files = RealmFiles(folder)
    files.write("shop", "prod", SHOP)
    files.write("shop", "staging", "DATABASE_URL: s\n")
    files.write("platform", "prod", "TOKEN: t\n")
    token = create_token(files, "shop", "all")
    narrow = create_token(files, "shop", "narrow", "--key", "DATABASE_*", "--key", "MISSING")
    staging = create_token(files, "shop", "staging", "--env", "staging", "--env", "gone")
    with LiveServer(files, folder / "server", "--workers", "2") as server:
        yield Running(files, server, token, narrow, staging)
