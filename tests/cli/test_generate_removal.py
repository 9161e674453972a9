"""`arcan generate overlays` against what is committed: no Kubernetes Secret goes that nobody said goes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from arcan_gitops.overlay.removal import Day
from tests.support.declared_apps import APP, DeclaredApps
from tests.support.git import GitRepository
from tests.support.kustomize import build


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> DeclaredApps:
    return DeclaredApps(tmp_path, monkeypatch, capsys)


@pytest.fixture
def git(arcan: DeclaredApps) -> GitRepository:
    repository = GitRepository(arcan.folder)
    assert arcan("generate", "overlays").status == 0
    repository.commit()
    return repository


def paste(hint: str, folder: Path) -> None:
    """Run a hint as a person would."""
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(["bash", "-euc", hint], cwd=folder, env=environment, check=True)


def hint_of(err: str) -> str:
    [line] = [line for line in err.splitlines() if "hint: " in line]
    return line.partition("hint: ")[2].removeprefix("say so: ")


@pytest.mark.parametrize("in_git", [True, False])
def test_a_deleted_app_is_refused_and_nothing_is_written(
    in_git: bool, arcan: DeclaredApps, request: pytest.FixtureRequest
):
    assert arcan("generate", "overlays").status == 0
    if in_git:
        request.getfixturevalue("git")
    arcan.app("shop").unlink()
    before = arcan.files()
    result = arcan("generate", "overlays")
    assert result.status == 1
    assert "these would go, and nothing says so" in result.err
    assert "kustomize/apps/shop.yaml: nothing says that app 'shop' goes, with Secret 'shop' in" in result.err
    assert arcan.files() == before
    paste(hint_of(result.err), arcan.folder)
    assert arcan.app("shop").read_text() == (
        f"name: shop\nnamespace: shop\noverlays: [prod]\nremoved: {Day.today()}\n"
    )
    result = arcan("generate", "overlays")
    assert result.status == 0
    assert "Kubernetes Secret 'shop' in namespace 'shop' of overlay 'prod' goes: app 'shop'" in result.err


def test_the_tombstone_is_kept_by_later_runs_and_builds_to_nothing(arcan: DeclaredApps, git: GitRepository):
    arcan.app("shop").write_text(f"{APP.format(name='shop')}removed: 2026-11-28\n")
    assert arcan("generate", "overlays").status == 0
    git.commit()
    tombstone = arcan.folder / "kustomize/overlays/prod/shop/kustomization.yaml"
    text = tombstone.read_text()
    assert arcan("generate", "overlays").status == 0
    assert arcan("generate", "overlays", "--check").status == 0
    assert tombstone.read_text() == text
    assert build(tombstone.parent) == ""
    assert "shop" not in build(tombstone.parent.parent)


def test_the_last_app_of_all_is_refused_too(arcan: DeclaredApps, git: GitRepository):
    for name in ("shop", "mailer"):
        arcan.app(name).unlink()
    result = arcan("generate", "overlays")
    assert result.status == 1
    assert "nothing says that app 'mailer' goes" in result.err
    assert "nothing says that app 'shop' goes" in result.err
    for name in ("shop", "mailer"):
        arcan.app(name).write_text(f"name: {name}\nnamespace: {name}\nremoved: 2026-11-28\n")
    assert arcan("generate", "overlays").status == 0


def test_what_was_never_committed_may_go(arcan: DeclaredApps, git: GitRepository):
    arcan.app("new").write_text(APP.format(name="new"))
    assert arcan("generate", "overlays").status == 0
    arcan.app("new").unlink()
    result = arcan("generate", "overlays")
    assert result.status == 0
    assert "goes" not in result.err


def test_what_is_deleted_from_the_disk_too_is_still_committed(arcan: DeclaredApps, git: GitRepository):
    arcan.app("shop").unlink()
    shutil.rmtree(arcan.folder / "kustomize/overlays/prod/shop")
    assert "nothing says that app 'shop' goes" in arcan("generate", "overlays").err


def test_a_pull_request_is_held_against_the_branch_that_it_goes_to(arcan: DeclaredApps, git: GitRepository):
    git.git("checkout", "-q", "-b", "change")
    arcan.app("shop").unlink()
    shutil.rmtree(arcan.folder / "kustomize/overlays/prod/shop")
    overlay = arcan.folder / "kustomize/overlays/prod/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("- shop\n", "").replace(", apps/shop.yaml", ""))
    git.commit()
    assert arcan("generate", "overlays", "--check").status == 0, "the commit says what the folder says"
    result = arcan("generate", "overlays", "--check", "--base", "main")
    assert result.status == 1
    assert "nothing says that app 'shop' goes" in result.err
    paste(hint_of(result.err), arcan.folder)
    assert arcan("generate", "overlays", "--base", "main").status == 0
    git.commit()
    assert arcan("generate", "overlays", "--check", "--base", "main").status == 0


def test_what_others_have_merged_meanwhile_is_not_missed(arcan: DeclaredApps, git: GitRepository):
    git.git("checkout", "-q", "-b", "change")
    git.git("checkout", "-q", "main")
    arcan.app("new").write_text(APP.format(name="new"))
    assert arcan("generate", "overlays").status == 0
    git.commit()
    git.git("checkout", "-q", "change")
    assert arcan("generate", "overlays", "--check", "--base", "main").status == 0


@pytest.mark.parametrize("base", ["nothing", "--help", "HEAD~7"])
def test_a_base_that_is_not_there_is_told(base: str, arcan: DeclaredApps, git: GitRepository):
    result = arcan("generate", "overlays", "--check", f"--base={base}")
    assert result.status == 1
    assert "git fetch origin" in result.err or "is not the name of a commit" in result.err


def test_a_base_needs_git(arcan: DeclaredApps, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(arcan.folder.parent))
    result = arcan("generate", "overlays", "--check", "--base=main")
    assert result.status == 1
    assert "not in a Git repository" in result.err


def test_a_lost_overlay_is_refused_with_the_commands_that_remove_it(arcan: DeclaredApps, git: GitRepository):
    settings = arcan.folder / "kustomize/arcan.yaml"
    settings.write_text(settings.read_text().replace("prod: {environment: prod}", "eu: {environment: prod}"))
    result = arcan("generate", "overlays")
    assert result.status == 1
    assert "nothing says that overlay 'prod' goes" in result.err
    assert "arcan overlay add prod --env prod && arcan overlay remove prod" in shlex.join(
        shlex.split(hint_of(result.err))
    ).replace("'&&'", "&&")


def test_no_confidential_variable_reaches_git(
    arcan: DeclaredApps, git: GitRepository, monkeypatch: pytest.MonkeyPatch
):
    program = arcan.folder / "bin/git"
    real = shutil.which("git")
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nenv >> {arcan.folder}/seen\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SOPS_AGE_KEY", "canary-identity")
    assert arcan("generate", "overlays", "--check").status == 0
    seen = (arcan.folder / "seen").read_text()
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "canary-identity" not in seen
