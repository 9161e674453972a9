"""What a server says of itself: on its private socket, and over HTTPS to a token that reads nothing."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.access import Scope
from arcan_gitops.cli import arcan
from arcan_gitops.server.status import narrowed
from tests.support.key_files import key_path, put_keys
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

KEY = "SECRET_KEY_NAME"


@dataclass
class Running:
    files: RealmFiles
    server: LiveServer
    status: str  # a token
    reader: str
    folder: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("status")
    files = RealmFiles(folder)
    files.write("shop", "prod", f"{KEY}: {CANARY}\nB: b\n")
    files.write("shop", "staging", "S: s\n")
    files.write("other", "prod", "O: o\n")
    status = create_token(files, "shop", "watcher", "--policy", "status", "--env", "prod")
    reader = create_token(files, "shop", "eso", "--expires", "10d")
    with LiveServer(files, folder / ("long-name-" * 10), "--workers", "2", "--metrics-port", "0") as server:
        server.wait((server.folder / "data/run/status.sock").exists)
        yield Running(files, server, status, reader, folder)


def run(running: Running, *options: str, token: str = "") -> Result:
    return CliRunner().invoke(
        arcan,
        ["status", "--realms", str(running.files.root), "--no-clusters", *options],
        env={"ARCAN_TOKEN": token, "ARCAN_CA_FILE": str(running.server.ca)},
    )


def by_socket(running: Running, *options: str) -> Result:
    return run(running, "--data-dir", str(running.server.folder / "data"), *options)


def by_url(running: Running, token: str, *options: str) -> Result:
    return run(running, "--url", f"https://localhost:{running.server.port}", *options, token=token)


def only(done: Result) -> dict[str, Any]:
    [server] = json.loads(done.stdout)["servers"]
    found: dict[str, Any] = server["status"]
    return found


def test_the_private_socket_tells_of_all_realms(running: Running) -> None:
    done = by_socket(running, "--format", "json")
    assert done.exit_code == 3, done.output  # a token ends in 10 days
    status = only(done)
    assert status["revision"] == running.server.ready()["revision"]
    assert {realm["realm"]: len(realm["environments"]) for realm in status["realms"]} == {
        "other": 1,
        "shop": 2,
    }
    assert status["realms"][1]["environments"][0] == {"environment": "prod", "keys": 2, "state": "loaded"}
    assert status["workers"] == {"serving": 2, "wanted": 2}
    assert status["counts"].pop("requests") >= 0
    assert status["counts"] == {
        "realms": 2, "environments": 3, "keys": 4, "tokens": 2, "accounts": 0, "clusters": 0, "gone": 0
    }  # fmt: skip
    assert status["sink"]["failing"] is False
    assert len(status["sink"]["key_id"]) == 16
    [finding] = status["findings"]
    assert (finding["severity"], finding["realm"]) == ("warning", "shop")
    assert finding["what"].startswith("token eso ends in 9 days")


def test_the_socket_is_private_and_at_a_path_of_any_length(running: Running) -> None:
    path = running.server.folder / "data/run/status.sock"
    assert len(str(path)) > 108  # what sockaddr_un has room for
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_status_token_sees_its_realm_and_reads_no_secret(running: Running) -> None:
    status = only(by_url(running, running.status, "--format", "json"))
    assert [realm["realm"] for realm in status["realms"]] == ["shop"]
    assert [one["environment"] for one in status["realms"][0]["environments"]] == ["prod"]
    for target in (
        f"/api/v1/eso/shop/{KEY}?env=prod",
        "/api/v1/eso/shop?env=prod",
        "/api/v1/eso/shop/NOPE?env=prod",
    ):
        assert running.server.get(target, running.status).status == 403
    line = next(line for line in running.server.audit if line.get("token_name") == "watcher")
    assert (line["status"], "realm" in line) == (200, False)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v1/status"),
        ("GET", "/api/v1/status?env=prod"),
        ("HEAD", "/api/v1/status"),
        ("POST", "/api/v1/status"),
        ("GET", "/api/v1/status/"),
        ("GET", "/api/v1/status/x"),
    ],
)
def test_nobody_else_is_told_and_nothing_is_404(running: Running, method: str, target: str) -> None:
    for token in (None, running.reader, running.status):
        answer = running.server.get(target, token, method=method)
        assert answer.status != 404
        told = token == running.status and (method, target) == ("GET", "/api/v1/status")
        assert (answer.status == 200) is told, (answer.status, method, target)


def test_neither_a_value_nor_a_key_name_is_in_any_answer(running: Running) -> None:
    for style in ("text", "json", "html"):
        for done in (
            by_socket(running, "--format", style),
            by_url(running, running.status, "--format", style),
        ):
            assert CANARY not in done.output
            assert KEY not in done.output
            assert running.status not in done.output


def test_who_cannot_be_asked_is_an_error_with_what_to_do(running: Running, tmp_path: Path) -> None:
    cases = [
        (by_url(running, running.reader), "it needs --policy=status"),
        (by_url(running, ""), "there is no token"),
        (run(running, "--data-dir", str(tmp_path)), "no server answers"),
        (run(running, "--url", "http://localhost", token="x"), "is not the URL of a server"),
        (run(running, "--url", "https://localhost:1", token=running.status), "no answer"),
    ]
    for done, says in cases:
        assert done.exit_code == 1
        error = done.exception
        assert says in f"{error} {getattr(error, 'hint', '')}"


def test_what_is_wrong_is_told_with_its_place_kind_and_severity(running: Running, tmp_path: Path) -> None:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"{KEY}: {CANARY}\n")
    files.write("shop", "broken", f"{KEY}: {CANARY}\n")
    put_keys(files, "shop/keyed", {KEY: CANARY, "SOUND": "s"})
    spoilt = key_path(files, "shop", "keyed", KEY)
    files.replace(spoilt, spoilt.read_bytes().replace(b"data:", b"data:AAAA", 1))
    broken = files.path("shop", "broken")
    files.replace(broken, broken.read_bytes().replace(b"ENC[", b"ENC{"))
    with LiveServer(files, tmp_path / "server") as server:
        here = Running(files, server, "", "", tmp_path)
        server.wait((server.folder / "data/run/status.sock").exists)
        done = by_socket(here, "--format", "json")
        assert done.exit_code == 4
        finding, part = only(done)["findings"]
        assert (finding["severity"], finding["realm"], finding["environment"]) == (
            "critical",
            "shop",
            "broken",
        )
        assert (part["severity"], part["environment"]) == ("critical", "keyed")
        assert part["what"].startswith("1 keys are not loaded: reads of them are answered 503 (")
        keyed = only(done)["realms"][0]["environments"][1]
        assert (keyed["state"], keyed["keys"], keyed["keys_not_loaded"]) == ("partly_loaded", 1, 1)
        assert "is not loaded: reads are answered 503" in finding["what"]
        assert KEY not in done.output
        prod = files.path("shop", "prod")
        files.replace(prod, b"nonsense: 1\n")
        server.process.send_signal(1)
        server.wait(lambda: "last_good" in by_socket(here, "--format", "json").stdout)
        text = by_socket(here).stdout
        assert "warning: shop/prod: stands at its last good state since" in text
        assert "(not encrypted)" in text
    assert not (server.folder / "data/run/status.sock").exists()


def test_a_token_is_told_how_bad_it_is_elsewhere_and_nothing_else() -> None:
    finding = {"severity": "critical", "what": "x", "realm": "other", "environment": "prod"}
    own = {"severity": "warning", "what": "y", "realm": "shop"}
    status = {
        "realms": [{"realm": "other", "environments": []}],
        "findings": [finding, own],
        "severity": "critical",
    }
    seen = narrowed(status, "shop", Scope(None, None))
    assert seen["realms"] == []
    assert seen["findings"] == [
        own,
        {"severity": "critical", "what": "1 findings in what this token does not see"},
    ]
    assert "other" not in json.dumps(seen)
