"""Edits on disk: one at a time, and whole or not at all."""

import multiprocessing
import os
from datetime import UTC, datetime

import pytest

from arcan_gitops.access import TokenRecord, add, edit_file, mint, read_tokens
from arcan_gitops.atomic import CannotWrite
from arcan_gitops.errors import ArcanError


def add_one(path, name):
    minted = mint()
    record = TokenRecord(
        minted.id, name, "read-only", None, None, datetime(2026, 5, 1, tzinfo=UTC), None, minted.digest
    )
    edit_file(path, lambda data: (add(data, str(path), record), None))


def add_many(path, worker):
    for number in range(5):
        add_one(path, f"token-{worker}-{number}")


def test_edits_at_the_same_time_lose_nothing(tmp_path):
    path = tmp_path / "tokens.yaml"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_many, args=(path, worker)) for worker in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(read_tokens(path.read_bytes(), "tokens.yaml")) == 20
    assert os.listdir(tmp_path) == ["tokens.yaml"]


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "tokens.yaml"
    add_one(path, "one")
    before = path.read_bytes()
    with pytest.raises(ArcanError, match="exists"):
        add_one(path, "one")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["tokens.yaml"]


def test_the_result_of_the_change_is_given_back(tmp_path):
    path = tmp_path / "tokens.yaml"
    assert edit_file(path, lambda data: (b"x", data)) is None
    assert edit_file(path, lambda data: (b"y", data)) == b"x"


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CannotWrite, match="no-realm"):
        edit_file(tmp_path / "no-realm" / "tokens.yaml", lambda data: (b"", None))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "tokens.yaml").mkdir()
    with pytest.raises(ArcanError, match="cannot be read"):
        edit_file(tmp_path / "tokens.yaml", lambda data: (b"", None))
