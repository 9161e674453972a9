"""The application as Granian calls it: what it answers is committed, byte for byte, with the audit line of each."""

from __future__ import annotations

from tests.support import edge_answers


def test_every_request_of_the_table_is_answered_as_it_always_was() -> None:
    """Of what differs on purpose, `python -m tests.support.edge_answers` writes the table anew."""
    assert edge_answers.answers().split("\n\n") == edge_answers.GOLDEN.read_text().split("\n\n")


def test_the_table_has_every_kind_of_answer() -> None:
    text = edge_answers.GOLDEN.read_text()
    for status in (200, 400, 401, 403, 404, 405, 503):
        assert f"\n  {status};" in text
    assert "raises" not in text
