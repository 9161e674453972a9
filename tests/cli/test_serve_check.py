"""`arcan serve --check`: what a pod's init container runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli.serve import serve
from tests.support.realm_files import CANARY, RealmFiles


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\nB: two\n")
    files.write("shop", "staging", f"A: {CANARY}\n")
    return files


def checked(files: RealmFiles, *options: str) -> Result:
    data = files.root.parent / "data"
    given = [
        "--realms",
        str(files.root),
        "--identity-file",
        str(files.identity_file),
        "--data-dir",
        str(data),
    ]
    done = CliRunner().invoke(serve, ["--check", *given, *options], catch_exceptions=True)
    assert CANARY not in done.output
    assert not data.exists(), "it is only a look"
    return done


def test_what_is_whole_is_told_and_nothing_is_left_behind(files: RealmFiles) -> None:
    done = checked(files)
    assert done.exit_code == 0
    assert "shop/prod: 2 keys, verified" in done.stderr
    assert "2 environments: a server would start, at revision " in done.stderr
    assert done.stdout == ""


def test_one_bad_document_fails_it_though_a_sound_start_would_go_on(files: RealmFiles) -> None:
    files.tamper(files.path("shop", "prod"), "B")
    for start in ("sound", "whole"):
        done = checked(files, "--start", start)
        assert done.exit_code == 1
        assert "prod.sops.yaml" in str(done.exception.__dict__)
    assert checked(files, "--select", "*/staging").exit_code == 0


def test_everything_that_is_wrong_is_told_at_once(files: RealmFiles, tmp_path: Path) -> None:
    files.tamper(files.path("shop", "prod"), "B")
    clusters = tmp_path / "clusters"
    clusters.mkdir()
    (clusters / "eu.yaml").write_text("{}")
    pair = ("--tls-cert", str(tmp_path / "none.crt"), "--tls-key", str(tmp_path / "none.key"))
    done = checked(files, "--clusters", str(clusters), *pair)
    told = "\n".join(each.message for each in done.exception.problems)
    assert all(name in told for name in ("prod.sops.yaml", "eu.yaml", "none.crt"))
