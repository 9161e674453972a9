"""`--revoked`: a token is refused whatever the realms say, and no fault of the list brings it back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

TARGET = "/api/v1/eso/shop/A?env=prod"


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    return files


def refused(server: LiveServer, token: str) -> bool:
    answer = server.get(TARGET, token)
    assert answer.status in (200, 401)
    return answer.status == 401


def test_a_list_that_appears_refuses_and_only_its_own_words_give_back(
    files: RealmFiles, tmp_path: Path
) -> None:
    by_id, by_name = create_token(files, "shop", "one"), create_token(files, "shop", "two")
    other = create_token(files, "shop", "three")
    path = tmp_path / "revoked"
    with LiveServer(files, tmp_path / "server", "--workers", "2", "--revoked", str(path)) as server:
        assert not any(refused(server, token) for token in (by_id, by_name, other))
        path.write_text(f"{by_id[4:16]}\nshop/two\nnonsense here\n")
        server.wait(lambda: refused(server, by_id) and refused(server, by_name))
        assert all(refused(server, by_id) for _ in range(8))  # by both workers
        assert not refused(server, other)
        server.wait_for_log("revoked:3: neither the id of a token nor REALM/NAME")
        lines = [line for line in server.audit if line.get("reason") == "revoked"]
        assert {line["token_id"] for line in lines} == {by_id[4:16], by_name[4:16]}

        path.unlink()
        server.wait_for_log("revoked: is gone; what it said holds on")
        files.write("shop", "prod", f"A: {CANARY}\nNEW: key\n")  # a reload does not bring it back either
        server.reload()
        assert refused(server, by_id)
        path.write_text("shop/two\n")
        server.wait(lambda: not refused(server, by_id))
        assert refused(server, by_name)
        for token in (by_id, by_name):
            assert token not in server.log + server.audit_path.read_text()


def test_a_mounted_config_map_is_read_before_the_first_request(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "one")
    folder = tmp_path / "revoked"  # as the kubelet lays it out
    (folder / "..2026_01_01").mkdir(parents=True)
    (folder / "..2026_01_01" / token[4:16]).write_text("shop/one")
    (folder / "..data").symlink_to("..2026_01_01")
    (folder / token[4:16]).symlink_to(f"..data/{token[4:16]}")
    with LiveServer(files, tmp_path / "server", "--revoked", str(folder)) as server:
        assert refused(server, token)
        (folder / token[4:16]).unlink()  # what is left when the ConfigMap is deleted
        server.wait_for_log("revoked: is gone; what it said holds on")
        time.sleep(0.5)
        assert refused(server, token)


def test_a_token_that_is_revoked_while_it_runs_is_evidence_and_no_stranger(
    files: RealmFiles, tmp_path: Path
) -> None:
    token = create_token(files, "shop", "one")
    with LiveServer(files, tmp_path / "server", "--workers", "2") as server:
        assert not refused(server, token)
        (files.root / "shop" / "tokens.yaml").unlink()
        server.wait(lambda: refused(server, token))
        files.write("shop", "prod", "A: newer\n")
        server.reload()
        before = len(server.audit)
        forged = f"{token[:-8]}AAAAAAAA"
        assert all(refused(server, each) for each in [token] * 10 + [forged] * 10)
        server.wait(lambda: any("count" in line for line in server.audit[before:]))
        lines = server.audit[before:]
    revoked = [line for line in lines if line.get("reason") == "revoked"]
    assert [line["token_id"] for line in revoked] == [token[4:16]] * 10
    assert all("token_id" not in line for line in lines if line not in revoked)
