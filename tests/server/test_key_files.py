"""A server over key files: what a bad file does, and a lost one, and what it never does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.test_metrics import scrape
from tests.support.key_files import key_path, put_key, put_keys
from tests.support.live_server import Answer, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

RECORD = "version: 0123456789ab\ndate: '2026-01-31'\nreason: not needed\n"


class Served:
    """Realm `shop` with key files beside a document, and `careful`, which records removals."""

    def __init__(self, folder: Path) -> None:
        self.files = RealmFiles(folder)
        for realm in ("shop", "careful"):
            put_keys(self.files, f"{realm}/prod", {"A": CANARY, "B": "b", "C": "c", ".dot": "d"})
            put_keys(self.files, f"{realm}/dev", {"A": "dev"})
        self.files.write("shop", "whole", "A: a\n")
        (self.files.root / "careful" / "realm.yaml").write_text("deletions: recorded\n")
        put_key(self.files, "shop/prod", "BAD", "x")
        self.spoil("shop", "BAD")
        self.tokens = {realm: create_token(self.files, realm, "eso") for realm in ("shop", "careful")}
        self.server = LiveServer(self.files, folder / "server", "--workers", "2", "--metrics-port", "0")

    def path(self, realm: str, key: str) -> Path:
        return key_path(self.files, realm, "prod", key)

    def spoil(self, realm: str, key: str) -> None:
        path = self.path(realm, key)
        self.files.replace(path, path.read_bytes().replace(b"data:", b"data:AAAA", 1))

    def read(self, realm: str, key: str | None, version: str = "", environment: str = "prod") -> Answer:
        path = f"{realm}/{key}" if key else realm
        query = f"env={environment}&version={version}"
        return self.server.get(f"/api/v1/eso/{path}?{query}", self.tokens[realm])

    def value(self, realm: str, key: str) -> str | None:
        answer = self.read(realm, key)
        return answer.json["value"] if answer.status == 200 else None

    def code(self, realm: str, key: str | None, version: str = "") -> tuple[int, str]:
        answer = self.read(realm, key, version)
        return answer.status, "" if answer.status == 200 else answer.code

    def seen(self, realm: str, key: str, value: str) -> None:
        """Both workers have it."""
        for _ in range(4):
            self.server.wait(lambda: self.value(realm, key) == value)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("served"))
    with served.server:
        yield served
        assert CANARY not in served.server.log


def test_a_file_that_was_never_good_is_503_with_the_bulk_read_and_nothing_else_is(served: Served):
    assert served.code("shop", "BAD") == (503, "not_loaded")
    assert served.code("shop", None) == (503, "not_loaded")
    assert served.value("shop", "A") == CANARY
    assert served.value("shop", ".dot") == "d"
    assert served.code("shop", "NEVER") == (404, "key_not_found")
    assert served.read("shop", None, environment="dev").json == {"data": {"A": "dev"}}
    assert served.read("shop", None, environment="whole").status == 200
    assert "not loaded, so that reads are answered 503: shop/prod/BAD" in served.server.log


def test_a_file_that_becomes_bad_leaves_its_key_served_and_the_others_fresh(served: Served):
    served.spoil("shop", "B")
    put_key(served.files, "shop/prod", "C", "fresh")
    served.seen("shop", "C", "fresh")
    assert served.value("shop", "B") == "b"
    assert served.code("shop", None) == (503, "not_loaded")
    assert "at the last good state: shop/prod/B" in served.server.log
    put_key(served.files, "shop/prod", "B", "mended")
    served.seen("shop", "B", "mended")


def test_a_new_file_is_a_new_key_in_every_worker(served: Served):
    put_key(served.files, "shop/prod", "AA", "new")
    served.seen("shop", "AA", "new")
    for at in range(3):
        put_key(served.files, "shop/prod", "AA", f"{at}")
        served.seen("shop", "AA", f"{at}")


def test_a_lost_file_is_409_where_removals_are_recorded_and_its_record_makes_it_404(served: Served):
    served.path("careful", "B").unlink()
    served.server.wait(lambda: served.code("careful", "B") == (409, "not_recorded"))
    assert served.code("careful", None) == (409, "version_needed")
    record = served.files.root / "careful" / "removed" / "prod" / "B.yaml"
    record.parent.mkdir(parents=True)
    record.write_text(RECORD)
    served.server.wait(lambda: served.code("careful", "B") == (404, "key_not_found"))
    assert served.value("careful", "A") == CANARY


def test_a_folder_that_loses_all_its_files_or_goes_is_never_404(served: Served):
    folder = served.path("careful", "A").parent
    for path in list(folder.iterdir()):
        path.unlink()
    served.server.wait_for_log(r"at the last good state: .*careful/prod")
    assert served.value("careful", "A") == CANARY
    shutil.rmtree(folder)
    served.server.wait(lambda: served.code("careful", "A") == (400, "unknown_environment"))
    assert served.value("shop", "A") == CANARY


def test_the_metrics_count_the_keys_that_are_not_loaded(served: Served):
    status, text = scrape(served.server)
    assert status == 200
    assert 'arcan_keys_not_loaded{realm="shop",environment="prod"} 1' in text
    assert 'arcan_keys_not_loaded{realm="shop",environment="dev"} 0' in text
