"""A file is the old one or the whole new one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from arcan_gitops.atomic import CannotWrite, replace_file


def test_the_content_is_replaced_and_the_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_new_file_gets_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    replace_file(tmp_path / "key", b"x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_the_group_stays_with_the_permissions_that_it_has(tmp_path: Path) -> None:
    """Who could read the old file by its group, a server for one, can read the new one."""
    path = tmp_path / "f"
    path.write_text("old")
    own = os.getegid()
    other = 12345 if os.geteuid() == 0 else next((group for group in os.getgroups() if group != own), own)
    os.chown(path, -1, other)
    path.chmod(0o640)
    replace_file(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (os.geteuid(), other)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_an_interrupted_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left on device"):
        replace_file(path, b"new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_file_that_can_be_made_again_is_replaced_as_a_whole_and_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o640)

    def slow(_: int) -> None:
        raise AssertionError("waited for the disk")

    monkeypatch.setattr(os, "fsync", slow)
    replace_file(path, b"new", durable=False)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="No such file or directory"):
        replace_file(tmp_path / "missing" / "f", b"x")
