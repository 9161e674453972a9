"""One line for each decision, before the answer; no line, no answer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import threading
import time
from pathlib import Path

import pytest

from arcan_gitops.audit.chain import Head
from arcan_gitops.audit.fields import FIELDS
from arcan_gitops.audit.key import AuditKey
from arcan_gitops.audit.verify import Asked, Verifier
from arcan_gitops.server.audit import MAX_LINE_BYTES, AuditFailed, AuditLog
from arcan_gitops.server.audit_folder import AuditFolder
from arcan_gitops.server.audit_line import encoded
from arcan_gitops.server.gauges import Gauges
from arcan_gitops.server.refusals import MOST_SOURCES, OTHERS, Refusals, Source
from tests.server.conftest import Running
from tests.support.live_server import LiveServer, create_token, decisions, unknown_token
from tests.support.realm_files import CANARY, RealmFiles
from tests.support.signing_cluster import SigningCluster


def test_every_decision_is_recorded_with_who_what_and_the_outcome(running: Running) -> None:
    server = running.server
    time.sleep(1.1)  # of refusals without a valid token the first of a second has a line of its own
    answers = [
        server.get("/api/v1/eso/shop/DATABASE_URL?env=prod", running.token, X_Kubernetes_Namespace="shop"),
        server.get("/api/v1/eso/shop/NOPE?env=prod", running.token),
        server.get("/api/v1/eso/shop/PORT?env=prod", running.narrow),
        server.get("/api/v1/eso/shop/%20?env=prod", running.token),
        server.get("/api/v1/eso/shop?env=prod"),
        server.get("/anything", running.token, method="DELETE"),
    ]
    by_id = {line["request_id"]: line for line in server.audit if "request_id" in line}
    lines = [by_id[answer.headers["x-request-id"]] for answer in answers]
    assert [line["status"] for line in lines] == [200, 404, 403, 400, 401, 405]
    first = lines[0]
    assert first["token_name"] == "all"
    assert first["token_id"] == running.token[4:16]
    assert (first["realm"], first["environment"], first["key"]) == ("shop", "prod", "DATABASE_URL")
    assert first["claimed_namespace"] == "shop"
    assert first["client"] == "127.0.0.1"
    assert first["revision"] == server.ready()["revision"]
    assert first["time"].endswith("Z")
    assert {"worker", "sequence"} <= set(first)
    assert lines[2]["token_name"] == "narrow"
    assert lines[4]["reason"] == "missing"


def test_probes_are_not_decisions(running: Running) -> None:
    before = len(running.server.audit)
    running.server.get("/livez")
    running.server.get("/readyz")
    assert len(running.server.audit) == before


def test_standard_output_carries_audit_lines_only_and_nothing_secret_is_anywhere(running: Running) -> None:
    running.server.get("/api/v1/eso/shop?env=prod", running.token)
    assert all("status" in line for line in running.server.audit)
    for text in (running.server.log, running.server.audit_path.read_text()):
        for secret in (CANARY, running.token, running.narrow, running.files.identity):
            assert secret not in text


def test_a_header_of_any_size_is_cut_and_cannot_break_the_line(running: Running) -> None:
    namespace = "n" * 3000 + "\u00fc"
    answer = running.server.get(
        "/api/v1/eso/shop/PORT?env=prod",
        running.token,
        X_Kubernetes_Namespace=namespace.encode().decode("latin-1"),
    )
    assert answer.status == 200
    raw = running.server.audit_path.read_bytes().splitlines(keepends=True)
    assert all(len(line) <= MAX_LINE_BYTES for line in raw)


def test_a_file_that_was_rotated_away_is_opened_anew_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.write(encoded({"request_id": "0", "status": 200}))
    path.rename(tmp_path / "audit.log.1")
    end = time.monotonic() + 20
    written = 1
    while not path.exists():  # it is looked for now and then, and not for each line
        assert time.monotonic() < end
        log.write(encoded({"request_id": str(written), "status": 200}))
        written += 1
    lines = (tmp_path / "audit.log.1").read_text() + path.read_text()
    assert [line["request_id"] for line in decisions(lines)] == [str(n) for n in range(written)]
    assert len(path.read_text().splitlines()) == 1
    assert path.stat().st_mode & 0o777 == 0o640


def test_lines_of_many_threads_and_processes_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))

    def write(many: int) -> None:
        for number in range(many):
            log.write(encoded({"request_id": f"{os.getpid()}-{number}", "status": 200, "key": "k" * 200}))

    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            gauges = Gauges(1)
            log.enter_worker(gauges.free(), gauges)
            write(200)
            os._exit(0)
        children.append(child)
    threads = [threading.Thread(target=write, args=(100,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for child in children:
        os.waitpid(child, 0)
    assert len(decisions(path.read_text())) == 1000


def test_a_line_cut_short_is_a_failure_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log.write(encoded({"request_id": "whole", "status": 200}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
    try:
        with pytest.raises(AuditFailed, match="only a part"):
            log.write(encoded({"request_id": "cut", "status": 200}))
        with pytest.raises(AuditFailed, match="cannot be written"):
            log.write(encoded({"request_id": "refused", "status": 200}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.write(encoded({"request_id": "after", "status": 200}))
    _, first, cut, resumed, last = path.read_text().splitlines()
    assert len(cut) == 20
    assert json.loads(resumed)["unrecorded"] == 2
    assert json.loads(first)["request_id"] == "whole"
    assert json.loads(last)["request_id"] == "after"


def test_a_log_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditFailed, match="cannot be written"):
        AuditLog(str(tmp_path / "missing" / "audit.log"))


def test_no_line_is_glued_to_a_torn_one_of_another_process(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.write(encoded({"request_id": "whole", "status": 200}))
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, resource.RLIM_INFINITY))
        with contextlib.suppress(AuditFailed):
            log.write(encoded({"request_id": "cut", "status": 200}))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.write(encoded({"request_id": "after", "status": 200}))
    _, *lines = path.read_text().splitlines()
    assert [len(line) == 20 or json.loads(line)["request_id"] for line in lines] == [
        "whole",
        True,
        "after",
    ]


def test_no_line_is_glued_to_one_that_was_torn_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text('{"time":"20')
    AuditLog(str(path)).write(encoded({"request_id": "first", "status": 200}))
    assert json.loads(path.read_text().splitlines()[1])["event"] == "began"


def test_the_documented_fields_are_the_fields(tmp_path: Path) -> None:
    table = (Path(__file__).parents[2] / "docs" / "audit-log.md").read_text()
    assert tuple(re.findall(r"^\| `([a-z_]+)` \|", table, re.M)) == FIELDS


def test_every_field_is_written_and_no_other(tmp_path: Path) -> None:
    """A field that is new, or gone, is a change of the documentation."""
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    token = create_token(files, "shop", "eso")
    cluster = SigningCluster("eu")
    cluster.write(tmp_path / "clusters")
    tokens = files.root / "shop" / "tokens.yaml"
    tokens.write_text(
        tokens.read_text() + "accounts: [{cluster: eu, namespace: shop, serviceAccount: arcan}]\n"
    )
    with LiveServer(files, tmp_path / "server", "--clusters", str(tmp_path / "clusters")) as server:
        server.get("/api/v1/eso/shop/A?env=prod", token, X_Kubernetes_Namespace="shop")
        server.get("/api/v1/eso/shop/A?env=prod", cluster.of_secret("shop", "arcan"))
        server.get("/api/v1/eso/shop/A?env=prod", cluster.of_secret("shop", "default"))
        for _ in range(20):
            server.get("/api/v1/eso/shop/A?env=prod", unknown_token())
        server.wait(lambda: any("count" in line for line in server.audit))
    raw = [json.loads(line) for line in server.audit_path.read_text().splitlines()]
    written = {name for line in raw for name in line}
    of_others = {"unrecorded", "previous_chain", "previous_sequence", "previous_hash"}
    assert written | of_others == set(FIELDS)
    key = AuditKey.read(server.folder / "data/audit/key")
    verdict = Verifier(Asked([key])).verify([str(server.audit_path)])
    assert (verdict.faults, verdict.open_ends) == ([], [])
    assert [chain.sealed for chain in verdict.chains] == [len(raw)]
    last = Head(raw[-1]["chain"], raw[-1]["sequence"], raw[-1]["hash"])
    assert AuditFolder(server.folder / "data").heads() == [last]  # the next server names it
    assert key.secret.decode() not in server.log + server.audit_path.read_text()


def test_refusals_of_callers_without_a_valid_token_are_counted(tmp_path: Path) -> None:
    """Two clients wrote 9.7 MB in 8 s: whoever reaches the port could fill the disk."""
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    token = create_token(files, "shop", "eso", "--key", "OTHER")
    ended = create_token(files, "shop", "ended", "--expires", "1s")
    time.sleep(1)
    with LiveServer(files, tmp_path / "server") as server:
        foreign = [None, "<no value>", "nonsense", unknown_token()]
        refused = 0
        for _ in range(25):
            for presented in foreign:
                assert server.get("/api/v1/eso/shop/A?env=prod", presented).status == 401
                refused += 1
        for _ in range(10):
            assert server.get("/api/v1/eso/shop/A?env=prod", token).status == 403
            assert server.get("/api/v1/eso/shop/A?env=prod", ended).status == 401

        def counted() -> int:
            return sum(
                line.get("count", 1)
                for line in server.audit
                if line["code"] == "unauthorized" and "token_id" not in line
            )

        server.wait(lambda: counted() == refused)
        lines = server.audit
        assert server.log.count("a store sent") == 1
    assert len([line for line in lines if line["code"] == "forbidden"]) == 10
    known = [line for line in lines if line.get("reason") == "expired"]
    assert [line["token_id"] for line in known] == [ended[4:16]] * 10
    seconds = {line["time"][:19] for line in lines}
    assert len(lines) - 20 <= 2 * len(foreign) * (len(seconds) + 1)


def test_counts_of_the_last_second_are_written_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path), clock=lambda: 1000.5)
    for number in range(7):
        log.refuse(
            Source("10.0.0.1", 401, "unauthorized", None), encoded({"request_id": str(number), "status": 401})
        )
    log.close()
    log.close()
    lines = decisions(path.read_text())
    assert [(line.get("request_id"), line.get("count")) for line in lines] == [("0", None), (None, 6)]


def test_addresses_are_told_apart_up_to_a_bound() -> None:
    refusals = Refusals()
    first = [
        refusals.is_first(Source(f"10.0.{n // 256}.{n % 256}", 401, "unauthorized", None), 5.0)
        for n in range(5000)
    ]
    assert sum(first) == MOST_SOURCES
    assert refusals.is_first(Source("10.0.0.1", 401, "unauthorized", None), 5.5) is False
    assert refusals.ended(5.9) == []
    counts = {line["client"]: line["count"] for line in refusals.ended(6.0)}
    assert counts == {"10.0.0.1": 1, OTHERS: 5000 - MOST_SOURCES}
    assert refusals.ended(7.0) == []


def test_a_server_finds_where_the_one_before_it_ended_and_names_that(tmp_path: Path) -> None:
    folder, path = AuditFolder(tmp_path / "data"), tmp_path / "audit.log"
    key = folder.key(None)
    for expected in (0, 1, 1):  # how many chains of before are known
        heads = AuditFolder(tmp_path / "data").heads()
        assert len(heads) == expected
        log, gauges = AuditLog(str(path), key=folder.key(None), before=heads), Gauges(1)
        log.enter_worker(gauges.free(), gauges)
        log.write(encoded({"request_id": "1", "status": 200}))
        log.close()
        folder.save(gauges.chains())
    assert key == folder.key(None)
    verdict = Verifier(Asked([key] if key else [])).verify([str(path)])
    assert (verdict.faults, verdict.open_ends, len(verdict.chains)) == ([], [], 3)
    assert path.read_text().count('"event":"follows"') == 2


def test_a_server_without_a_key_or_a_folder_for_one_goes_on_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "arcan.server")
    (tmp_path / "file").write_text("")
    assert AuditFolder(tmp_path).key(tmp_path / "none") is None  # a Secret that is optional
    assert AuditFolder(tmp_path / "file").key(None) is None
    AuditFolder(tmp_path / "file").save([Head("0" * 16, 1, "0" * 64)])
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert all("not sealed by a key" in record.message for record in caplog.records)


def test_what_is_left_of_the_server_before_may_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    for text in ("", "{", "[1]", '[{"chain": 1}]', '{"a": 1}'):
        (tmp_path / "audit" / "chains.json").write_text(text)
        assert AuditFolder(tmp_path).heads() == []
