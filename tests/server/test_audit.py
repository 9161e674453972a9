"""One line for each decision, before the answer; no line, no answer."""

from __future__ import annotations

import json
import os
import resource
import threading
from pathlib import Path

import pytest

from arcan_gitops.server.audit import MAX_LINE_BYTES, AuditFailed, AuditLog
from tests.server.conftest import Running
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles


def test_every_decision_is_recorded_with_who_what_and_the_outcome(running: Running) -> None:
    server = running.server
    answers = [
        server.get("/api/v1/eso/shop/DATABASE_URL?env=prod", running.token, X_Kubernetes_Namespace="shop"),
        server.get("/api/v1/eso/shop/NOPE?env=prod", running.token),
        server.get("/api/v1/eso/shop/PORT?env=prod", running.narrow),
        server.get("/api/v1/eso/shop/%20?env=prod", running.token),
        server.get("/api/v1/eso/shop?env=prod"),
        server.get("/anything", running.token, method="DELETE"),
    ]
    by_id = {line["request_id"]: line for line in server.audit}
    lines = [by_id[answer.headers["x-request-id"]] for answer in answers]
    assert [line["status"] for line in lines] == [200, 404, 403, 400, 401, 405]
    first = lines[0]
    assert first["token_name"] == "all"
    assert first["token_id"] == running.token[4:16]
    assert (first["realm"], first["environment"], first["key"]) == ("shop", "prod", "DATABASE_URL")
    assert first["namespace"] == "shop"
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


def test_if_the_line_cannot_be_written_the_answer_is_503(tmp_path: Path) -> None:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server", "--audit-log", "/dev/full") as server:
        for target, presented in (
            ("/api/v1/eso/shop/A?env=prod", token),
            ("/api/v1/eso/shop/A?env=prod", None),
        ):
            answer = server.get(target, presented)
            assert (answer.status, answer.code) == (503, "audit_unavailable")
            assert CANARY not in answer.body.decode()
        assert server.get("/livez").status == 200


def test_a_file_that_was_rotated_away_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.write("one", {"status": 200})
    path.rename(tmp_path / "audit.log.1")
    log.write("two", {"status": 200})
    assert '"one"' in (tmp_path / "audit.log.1").read_text()
    assert '"two"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640


def test_lines_of_many_threads_and_processes_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))

    def write(many: int) -> None:
        for number in range(many):
            log.write(f"{os.getpid()}-{number}", {"status": 200, "key": "k" * 200})

    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            log.enter_worker()
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
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 1000


def test_a_line_cut_short_is_a_failure_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log.write("whole", {"status": 200})
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
    try:
        with pytest.raises(AuditFailed, match="only a part"):
            log.write("cut", {"status": 200})
        with pytest.raises(AuditFailed, match="cannot be written"):
            log.write("refused", {"status": 200})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.write("after", {"status": 200})
    first, cut, last = path.read_text().splitlines()
    assert len(cut) == 20
    assert json.loads(first)["request_id"] == "whole"
    assert json.loads(last)["request_id"] == "after"


def test_a_log_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditFailed, match="cannot be written"):
        AuditLog(str(tmp_path / "missing" / "audit.log"))
