"""Accounts of Kubernetes clusters on a live server: who is let in, who is not, and what the audit log says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.live_server import ARCAN, LiveServer, create_token, started
from tests.support.realm_files import CANARY, RealmFiles
from tests.support.signing_cluster import UID, SigningCluster, unsigned

TARGET = "/api/v1/eso/shop/A?env=prod"
BULK = "/api/v1/eso/shop?env=prod"


class World:
    """A realm, two clusters, and what the realm grants."""

    def __init__(self, folder: Path) -> None:
        self.files = RealmFiles(folder)
        self.files.write("shop", "prod", f"A: {CANARY}\nB: two\n")
        self.folder = folder / "clusters"
        self.eu, self.us = SigningCluster("eu"), SigningCluster("us")
        self.eu.write(self.folder)
        self.us.write(self.folder)
        self.grant({"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan"})

    def grant(self, *accounts: dict[str, Any]) -> None:
        """What stands in the realm's tokens.yaml from now on."""
        text = json.dumps({"version": 1, "accounts": list(accounts)})
        self.files.replace(self.files.root / "shop" / "tokens.yaml", text.encode())

    def server(self, folder: Path, *options: str) -> LiveServer:
        return LiveServer(self.files, folder / "server", "--clusters", str(self.folder), *options)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def line_of(server: LiveServer, token: str, target: str = TARGET) -> tuple[int, dict[str, Any]]:
    """(status, audit line) of one read."""
    answer = server.get(target, token)
    found = [line for line in server.audit if line.get("request_id") == answer.headers["x-request-id"]]
    return answer.status, found[0]


def test_the_account_that_a_realm_grants_reads_and_the_log_names_it(world: World, tmp_path: Path) -> None:
    with world.server(tmp_path, "--workers", "2") as server:
        for token in (world.eu.of_secret("shop", "arcan"), world.eu.bound("shop", "arcan")):
            status, line = line_of(server, token)
            assert status == 200
            assert (line["cluster"], line["namespace"], line["account"]) == ("eu", "shop", "arcan")
            assert not {"token_id", "claimed_account", "claimed_token_id"} & set(line)
            assert server.get(BULK, token).json == {"data": {"A": CANARY, "B": "two"}}
            assert token not in server.log + server.audit_path.read_text()


@pytest.mark.parametrize(
    ("what", "token", "reason", "claimed"),
    [
        ("another namespace", lambda w: w.eu.of_secret("other", "arcan"), "unknown_account", "eu/other/arcan"),
        ("another cluster", lambda w: w.us.of_secret("shop", "arcan"), "unknown_account", "us/shop/arcan"),
        ("another account", lambda w: w.eu.of_secret("shop", "default"), "unknown_account", "eu/shop/default"),
        ("nobody's key", lambda w: SigningCluster("eu").of_secret("shop", "arcan"), "wrong_signature",
         "?/shop/arcan"),
        ("alg none", lambda w: unsigned(w.eu.of_secret("shop", "arcan")), "wrong_algorithm", "?/shop/arcan"),
        ("another audience", lambda w: w.eu.bound("shop", "arcan", audience="vault"), "wrong_audience",
         "eu/shop/arcan"),
        ("no claims", lambda w: "a.b.c", "malformed_jwt", None),
    ],
)  # fmt: skip
def test_whom_no_realm_grants_is_refused_and_the_log_says_whom_it_claimed_to_be(
    world: World,
    tmp_path: Path,
    what: str,
    token: Callable[[World], str],
    reason: str,
    claimed: str | None,
) -> None:
    with world.server(tmp_path) as server:
        status, line = line_of(server, token(world))
    assert (status, line["code"], line["reason"]) == (401, "unauthorized", reason), what
    assert line.get("claimed_account") == claimed
    assert not {"cluster", "namespace", "account", "token_id"} & set(line)


def test_a_scope_holds_for_accounts_as_it_does_for_tokens(world: World, tmp_path: Path) -> None:
    world.grant({"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan", "keys": ["A"]})
    token = world.eu.of_secret("shop", "arcan")
    with world.server(tmp_path) as server:
        outcomes = [
            line_of(server, token, target)
            for target in (TARGET, "/api/v1/eso/shop/B?env=prod", BULK, "/api/v1/eso/elsewhere/A?env=prod")
        ]
    assert [(status, line.get("code")) for status, line in outcomes] == [
        (200, None),
        (403, "forbidden"),
        (403, "bulk_needs_all_keys"),
        (403, "forbidden"),
    ]
    assert all(line["account"] == "arcan" for _, line in outcomes)


def test_what_goes_is_out_within_a_second_and_what_is_broken_holds_on(world: World, tmp_path: Path) -> None:
    token, other = world.eu.of_secret("shop", "arcan"), world.us.of_secret("shop", "arcan")
    mine = {"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan"}
    theirs = {**mine, "cluster": "us"}
    world.grant(mine, theirs)

    def within_a_second(status: int, presented: str) -> None:
        began = time.monotonic()
        server.wait(lambda: server.get(TARGET, presented).status == status, 5)
        took = time.monotonic() - began
        assert took < 2.0, took  # half a second here; a busy machine has its own pace

    with world.server(tmp_path, "--workers", "2") as server:
        assert server.get(TARGET, token).status == server.get(TARGET, other).status == 200
        (world.folder / "us.yaml").unlink()
        within_a_second(401, other)
        server.wait_for_log("cluster us is gone")
        world.us.write(world.folder)
        within_a_second(200, other)

        (world.folder / "eu.yaml").write_text("issuer: x\nkeys: []\n")
        server.wait_for_log("'keys' must have 1 to 16 keys.*; what was there before holds on")
        assert server.get(TARGET, token).status == 200
        assert server.ready()["reload"] == "failed"
        world.eu.write(world.folder)
        server.wait(lambda: server.ready()["reload"] == "ok")

        world.grant(theirs)
        within_a_second(401, token)
        _, line = line_of(server, token)  # it was valid: evidence, and no stranger's
        assert (line["reason"], line["account"]) == ("revoked", "arcan")
        assert server.get(TARGET, other).status == 200


def test_an_old_key_signs_nothing_once_it_is_out_of_git(world: World, tmp_path: Path) -> None:
    old = world.eu.of_secret("shop", "arcan")
    with world.server(tmp_path) as server:
        world.eu.rotate()
        world.eu.write(world.folder)
        new = world.eu.of_secret("shop", "arcan")
        server.wait(lambda: server.get(TARGET, new).status == 200)
        assert server.get(TARGET, old).status == 200
        world.eu.keys.pop(0)
        world.eu.write(world.folder)
        server.wait(lambda: server.get(TARGET, old).status == 401)
        assert server.get(TARGET, new).status == 200
        time.sleep(1.1)  # of refusals the first of a second has a line of its own
        _, line = line_of(server, old)
        assert line["claimed_account"] == "?/shop/arcan"


def test_a_key_that_another_cluster_has_does_not_move_to_the_newcomer(world: World, tmp_path: Path) -> None:
    token = world.eu.of_secret("shop", "arcan")
    with world.server(tmp_path) as server:
        thief = SigningCluster("aa")
        thief.keys = [*world.eu.keys]
        thief.write(world.folder)
        server.wait_for_log("clusters 'eu' and 'aa' have one signing key")
        status, line = line_of(server, token)
    assert (status, line["cluster"]) == (200, "eu")


@pytest.mark.parametrize("as_folder", [False, True], ids=["file", "folder"])
def test_the_list_of_the_revoked_takes_accounts(world: World, tmp_path: Path, as_folder: bool) -> None:
    world.grant(
        {"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan.one"},
        {"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan.two"},
    )
    one, two = world.eu.of_secret("shop", "arcan.one"), world.eu.of_secret("shop", "arcan.two")
    path = tmp_path / "revoked"
    with world.server(tmp_path, "--revoked", str(path)) as server:
        assert server.get(TARGET, one).status == 200
        if as_folder:
            path.mkdir()
            (path / "eu.shop.arcan.one").touch()
        else:
            path.write_text("eu/shop/arcan.one\n")
        server.wait(lambda: server.get(TARGET, one).status == 401)
        _, line = line_of(server, one)
        assert (line["reason"], line["account"]) == ("revoked", "arcan.one")
        assert server.get(TARGET, two).status == 200


def test_a_pinned_life_of_an_account_ends_with_it(world: World, tmp_path: Path) -> None:
    world.grant({"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan", "uid": UID})
    with world.server(tmp_path) as server:
        assert server.get(TARGET, world.eu.of_secret("shop", "arcan")).status == 200
        status, line = line_of(server, world.eu.of_secret("shop", "arcan", uid="another"))
    assert (status, line["reason"]) == (401, "wrong_uid")


def test_without_clusters_the_log_says_what_the_server_lacks(world: World, tmp_path: Path) -> None:
    token = create_token(world.files, "shop", "one")
    with LiveServer(world.files, tmp_path / "server") as server:
        status, line = line_of(server, world.eu.of_secret("shop", "arcan"))
        assert (status, line["reason"]) == (401, "no_clusters")
        assert server.get(TARGET, token).status == 200


def test_a_bad_file_at_a_sound_start_refuses_its_own_cluster_and_no_other(
    world: World, tmp_path: Path
) -> None:
    """Nobody knows whose a key is that two files have: neither gets it."""
    world.grant(
        *({"cluster": name, "namespace": "shop", "serviceAccount": "arcan"} for name in ("eu", "us", "cn"))
    )
    (world.folder / "us.yaml").write_text("issuer: x\n")
    (world.folder / "notes.txt").write_text("")
    shared, twin = SigningCluster("cn"), SigningCluster("aa")
    twin.keys = [*shared.keys]
    shared.write(world.folder)
    twin.write(world.folder)
    with world.server(tmp_path) as server:
        assert server.get(TARGET, world.eu.of_secret("shop", "arcan")).status == 200
        for refused in (world.us, shared):
            assert server.get(TARGET, refused.of_secret("shop", "arcan")).status == 401
        assert server.ready()["reload"] == "failed"
        assert "'keys' must have 1 to 16 keys; no account of that cluster is let in" in server.log
        assert "clusters 'aa' and 'cn' have one signing key" in server.log
        (world.folder / "aa.yaml").unlink()
        (world.folder / "notes.txt").unlink()
        world.us.write(world.folder)
        server.wait(lambda: server.ready()["reload"] == "ok")
        for mended in (world.us, shared):
            assert server.get(TARGET, mended.of_secret("shop", "arcan")).status == 200


def test_a_whole_start_says_all_that_is_wrong_with_the_clusters(world: World, tmp_path: Path) -> None:
    (world.folder / "in-cluster.yaml").write_text("{}")
    (world.folder / "notes.txt").write_text("")
    (world.folder / "us.yaml").write_text("issuer: x\n")
    command = [
        *ARCAN, "serve", "--realms", str(world.files.root), "--identity-file", str(world.files.identity_file),
        "--data-dir", str(tmp_path / "data"), "--port", "0", "--clusters", str(world.folder),
        "--start", "whole",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log, started(command, stderr=log) as process:
        assert process.wait(30) == 1
    text = (tmp_path / "log").read_text()
    assert "in-cluster.yaml: 'in-cluster' is not a valid cluster name" in text
    assert "notes.txt: is not the file of a cluster" in text
    assert "us.yaml:1: 'keys' must have 1 to 16 keys" in text
