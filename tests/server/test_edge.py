"""The application as Granian calls it: what it answers is committed, byte for byte, with the audit line of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arcan_gitops.access import Account, Caller
from arcan_gitops.server.answers import Answer
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.edge import Edge
from tests.support import edge_answers
from tests.support.realm_files import CANARY


def test_every_request_of_the_table_is_answered_as_it_always_was() -> None:
    """Of what differs on purpose, `python -m tests.support.edge_answers` writes the table anew."""
    assert edge_answers.answers().split("\n\n") == edge_answers.GOLDEN.read_text().split("\n\n")


def test_the_table_has_every_kind_of_answer() -> None:
    text = edge_answers.GOLDEN.read_text()
    for status in (200, 400, 401, 403, 404, 405, 503):
        assert f"\n  {status};" in text
    assert "raises" not in text


def answer(process: edge_answers.Process, audit: AuditLog, asked: edge_answers.Asked) -> Answer:
    return Edge(process, audit, process, clock=lambda: edge_answers.NOW).respond(asked.environ())


def test_a_bug_in_a_decision_is_500_is_recorded_and_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(edge_answers.Process):
        def revoked(self, caller: Caller | Account) -> bool:
            raise RuntimeError(CANARY)

    path = tmp_path / "audit.log"
    answered = answer(Broken(), AuditLog(str(path)), edge_answers.Asked(edge_answers.ONE))
    assert (answered.status, json.loads(answered.body)["error"]["code"]) == (500, "internal_error")
    assert json.loads(path.read_text().splitlines()[-1])["code"] == "internal_error"
    assert "unexpected RuntimeError at test_edge.py" in caplog.text
    assert CANARY not in caplog.text + answered.body.decode() + path.read_text()


def test_a_bug_in_the_audit_log_is_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(AuditLog):
        def write(self, *_: object) -> None:
            raise RuntimeError(CANARY)

    answered = answer(
        edge_answers.Process(), Broken(str(tmp_path / "log")), edge_answers.Asked(edge_answers.ONE)
    )
    assert (answered.status, json.loads(answered.body)["error"]["code"]) == (503, "audit_unavailable")
    assert CANARY not in caplog.text + answered.body.decode()


@pytest.mark.parametrize(
    "path", ["/api/v1/eso/shop/\u6f22", "/api/v1/eso/sh\u043ep/X", "/\ud800", "/livez\u0661"]
)
def test_a_path_that_no_server_hands_over_is_refused_as_any_other(tmp_path: Path, path: str) -> None:
    for token, status in (("full", 400), (None, 401)):
        asked = edge_answers.Asked(path, token=token)
        assert answer(edge_answers.Process(), AuditLog(str(tmp_path / "log")), asked).status == status


def test_a_target_that_was_answered_before_is_decided_anew(tmp_path: Path) -> None:
    """Targets that were parsed are kept, and nothing of a decision is."""
    process, audit = edge_answers.Process(), AuditLog(str(tmp_path / "log"))

    def status(token: str, target: str = edge_answers.ONE) -> int:
        return answer(process, audit, edge_answers.Asked(target, token=token)).status

    assert status("full") == 200
    assert status("other") == 403
    assert status("unknown") == 401
    held, process.held = process.held, None
    assert status("full") == 503
    process.held = held
    assert status("full") == 200
