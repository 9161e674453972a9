"""A file or folder that has no place among the realms hides nothing that is good."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from tests.support.realm_files import RealmFiles


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", "A: x\n")
    monkeypatch.chdir(tmp_path)
    return files


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, arguments)


def test_what_is_misplaced_is_named_and_the_realms_are_listed(files: RealmFiles) -> None:
    (files.root / "stray.sops.yaml").write_text("x: y\n")
    result = run("realm", "list")
    assert result.stdout == "shop\tprod\n"
    assert "stray.sops.yaml: a document must be in the folder of a realm" in result.stderr
    assert result.exit_code == 1


def test_a_token_can_be_revoked_whatever_lies_beside_the_realms(files: RealmFiles) -> None:
    assert run("token", "create", "--realm=shop", "--name=app").exit_code == 0
    (files.root / "stray.sops.yaml").write_text("x: y\n")
    assert run("token", "revoke", "app").exit_code == 0
    assert "id:" not in (files.root / "shop/tokens.yaml").read_text()


def test_a_mistyped_realm_is_told_and_not_what_lies_beside_it(files: RealmFiles) -> None:
    (files.root / "stray.sops.yaml").write_text("x: y\n")
    error = run("secret", "list", "shp", "--env=prod").exception
    assert "there is no realm 'shp'" in str(error)
    assert "did you mean 'shop'?" in str(getattr(error, "hint", ""))


def test_a_realm_that_is_a_link_out_of_the_tree_is_told_once(files: RealmFiles, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (files.root / "far").symlink_to(tmp_path / "far")
    assert run("realm", "check").stdout.count("is a link out of the folder") == 1
    error = run("secret", "list", "far", "--env=prod").exception
    assert "realm create" not in str(getattr(error, "hint", ""))
