"""`arcan keygen`: an identity that opens what is encrypted for the printed recipient, and never inside Git."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops import sops
from arcan_gitops.cli import arcan
from arcan_gitops.cli.private_files import InWorkTree
from arcan_gitops.errors import ArcanError
from tests.support.realm_files import decrypt_to_json


def keygen(path: Path) -> Result:
    return CliRunner().invoke(arcan, ["keygen", "-o", str(path)])


def test_the_recipient_is_printed_and_the_file_opens_what_is_encrypted_for_it(tmp_path: Path) -> None:
    result = keygen(tmp_path / "identity.txt")
    assert result.exit_code == 0, result.exception
    recipient = result.stdout.removesuffix("\n")
    assert re.fullmatch(r"age1[0-9a-z]{58}", recipient)
    text = (tmp_path / "identity.txt").read_text()
    document = sops.encrypt({"URL": "x"}, recipients=[recipient])
    assert sops.load(document, identities=[text]).tree == {"URL": "x"}
    assert f"# public key: {recipient}\n" in text
    private = text.splitlines()[-1]
    assert decrypt_to_json(document, private).returncode == 0  # sops reads it too
    assert private not in result.output


@pytest.mark.parametrize("umask", [0o000, 0o277])
def test_only_the_owner_can_read_the_file_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert keygen(tmp_path / "identity.txt").exit_code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "identity.txt").stat().st_mode & 0o7777 == 0o600


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    keygen(tmp_path / "identity.txt")
    before = (tmp_path / "identity.txt").read_bytes()
    result = keygen(tmp_path / "identity.txt")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert (tmp_path / "identity.txt").read_bytes() == before
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert keygen(tmp_path / "link").exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("place", ["identity.txt", "sub/identity.txt", "link/identity.txt"])
def test_a_git_work_tree_is_refused_with_a_place_outside_of_it(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    (repository / "sub").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    (tmp_path / "link").symlink_to(repository / "sub")
    monkeypatch.chdir(tmp_path if place.startswith("link") else repository)
    result = keygen(Path(place))
    assert isinstance(result.exception, InWorkTree)
    assert "belongs in no repository" in result.exception.message
    assert list(tmp_path.rglob("identity.txt")) == []
    offered = str(result.exception.hint).rpartition(" such as ")[2]
    assert keygen(Path(offered)).exit_code == 0


def test_a_work_tree_of_a_worktree_or_submodule_is_one_too(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /elsewhere\n")
    assert isinstance(keygen(tmp_path / "identity.txt").exception, InWorkTree)


def test_a_folder_that_is_missing_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert keygen(tmp_path / "keys" / "identity.txt").exit_code == 0
    assert (tmp_path / "keys").stat().st_mode & 0o7777 == 0o700


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("x")
    assert isinstance(keygen(tmp_path / "keys" / "identity.txt").exception, ArcanError)
