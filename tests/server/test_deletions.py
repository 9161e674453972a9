"""In a realm that records what is removed, a key is 404 only where its record is; what is lost deletes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.support.live_server import Answer, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

RECORD = "version: 0123456789ab\ndate: '2026-01-31'\nreason: not needed\n"


class Served:
    def __init__(self, folder: Path) -> None:
        self.files = RealmFiles(folder)
        self.document = self.files.write("shop", "prod", f"A: {CANARY}\nB: b\nC: c\n")
        self.rules = self.document.with_name("realm.yaml")
        self.rules.write_text("deletions: recorded\n")
        self.files.write("plain", "prod", "A: a\nB: b\n")
        self.token = create_token(self.files, "shop", "eso")
        self.plain = create_token(self.files, "plain", "eso")
        self.server = LiveServer(self.files, folder / "server")

    def record(self, key: str, text: str = RECORD) -> Path:
        path = self.files.root / "shop" / "removed" / "prod" / f"{key}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write(self, plain: str) -> None:
        self.files.write("shop", "prod", plain)

    def read(self, key: str | None, version: str = "") -> Answer:
        path = f"/{key}" if key else ""
        return self.server.get(f"/api/v1/eso/shop{path}?env=prod&version={version}", self.token)

    def codes(self, *keys: str) -> list[tuple[int, str | None]]:
        answers = [self.read(key) for key in keys]
        return [(each.status, None if each.status == 200 else each.code) for each in answers]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    with served.server:
        yield served


LOST = (409, "not_recorded")
GONE = (404, "key_not_found")


def test_a_key_that_is_lost_is_409_and_one_whose_removal_is_recorded_404(served: Served) -> None:
    assert served.codes("A", "NEVER") == [(200, None), LOST]
    served.record("B")
    served.write(f"A: {CANARY}\n")
    served.server.wait(lambda: served.codes("A", "B", "C") == [(200, None), GONE, LOST])
    served.server.wait_for_log("keys are gone, and answered 404: B")
    served.server.wait_for_log(
        "keys are gone, and answered 409, for no record says that they were removed: C"
    )
    served.record("C")
    served.server.wait(lambda: served.codes("C") == [GONE])


def test_a_record_that_comes_later_is_seen_without_a_signal(served: Served) -> None:
    served.write(f"A: {CANARY}\nC: c\n")
    served.server.wait(lambda: served.codes("B") == [LOST])
    record = served.record("B")
    served.server.wait(lambda: served.codes("B") == [GONE])
    record.unlink()
    served.server.wait(lambda: served.codes("B") == [LOST])


@pytest.mark.parametrize("text", ["", "version: 0123456789ab\n", RECORD + "and: more\n", "\0", "- a\n"])
def test_a_record_that_is_torn_or_empty_says_nothing(served: Served, text: str) -> None:
    served.record("B", text)
    served.write(f"A: {CANARY}\n")
    served.server.wait(lambda: served.codes("A", "B") == [(200, None), LOST])


def test_a_key_that_is_there_is_served_whatever_a_record_says(served: Served) -> None:
    served.record("A")
    served.server.reload()
    assert served.read("A").json["value"] == CANARY


def test_a_bulk_read_must_name_its_version(served: Served) -> None:
    refused = served.read(None)
    assert (refused.status, refused.code) == (409, "version_needed")
    version = sops.digests(served.document.read_bytes()).document
    assert len(served.read(None, version).json["data"]) == 3
    served.write("A: a\n")
    served.server.wait(lambda: served.read(None, version).status == 503)
    assert served.read(None, version).code == "version_not_loaded"


def test_without_the_setting_all_stays_as_it_was(served: Served) -> None:
    get = served.server.get
    assert get("/api/v1/eso/plain/NEVER?env=prod", served.plain).status == 404
    assert len(get("/api/v1/eso/plain?env=prod", served.plain).json["data"]) == 2


def test_a_realm_file_that_is_lost_does_not_turn_what_is_missing_into_what_was_removed(
    served: Served,
) -> None:
    served.rules.unlink()
    served.write(f"A: {CANARY}\n")
    served.server.wait(lambda: served.codes("A", "B") == [(200, None), LOST])
    served.server.wait_for_log("realm.yaml says nothing of deletions any more; they stay recorded")
    served.rules.write_text("tokenExpiry: 90d\n")
    served.server.reload()
    assert served.codes("A", "B") == [(200, None), LOST]
    served.rules.write_text("deletions: unrecorded\n")
    served.server.wait(lambda: served.codes("B") == [GONE])


def test_records_cannot_be_links_out_of_the_realm(served: Served, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "B.yaml").write_text(RECORD)
    (served.files.root / "shop" / "removed").mkdir()
    (served.files.root / "shop" / "removed" / "prod").symlink_to(outside)
    served.write(f"A: {CANARY}\n")
    served.server.wait(lambda: served.codes("B") == [LOST])
