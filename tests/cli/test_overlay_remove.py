"""`arcan overlay remove`: one field more in arcan.yaml, and what is left to do by hand as commands."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from arcan_gitops.overlay.removal import Day
from tests.support.declared_apps import SETTINGS, DeclaredApps

TODAY = Day.today()
ARGO = "argocd: {repository: https://git.example.com/team/secrets.git, project: team}\n"
BLOCK = """\
  staging:   # the second
    # on a cluster of its own

    environment: staging
    cluster: eu
"""
DELETE = "kubectl --namespace argocd delete"
LEFT_OF_EU = [
    f"{DELETE} {one}"
    for one in (
        "application.argoproj.io arcan-eu",
        "applicationset.argoproj.io team.staging",
        "application.argoproj.io external-secrets-eu",
        "appproject.argoproj.io external-secrets-eu",
        "appproject.argoproj.io team-eu",
        "appproject.argoproj.io team-platform-eu",
    )
]


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> DeclaredApps:
    command = DeclaredApps(tmp_path, monkeypatch, capsys)
    (tmp_path / "kustomize/arcan.yaml").write_text(ARGO + SETTINGS + BLOCK)
    return command


def settings(arcan: DeclaredApps) -> Path:
    return arcan.folder / "kustomize/arcan.yaml"


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("prod", f"  prod: {{environment: prod, removed: {TODAY}}}"),
        ("staging", f"    removed: {TODAY}"),
    ],
)
def test_the_day_is_added_and_every_other_line_stays(name: str, added: str, arcan: DeclaredApps):
    before = settings(arcan).read_text().splitlines()
    result = arcan("overlay", "remove", name, "--yes")
    assert result.status == 0
    after = settings(arcan).read_text().splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line.startswith("+")]
    assert changed == [f"+ {added}"]
    assert f"Kubernetes Secret 'shop' in namespace 'shop' of overlay '{name}' goes" in result.err
    assert f"{DELETE} applicationset.argoproj.io team.{name}\n" in result.out


def test_the_last_overlay_of_a_cluster_leaves_more_to_do_by_hand(arcan: DeclaredApps):
    settings(arcan).write_text(settings(arcan).read_text() + "  eu: {environment: prod, cluster: eu}\n")
    first = arcan("overlay", "remove", "staging", "--yes")
    assert first.out == f"{DELETE} applicationset.argoproj.io team.staging\n"
    settings(arcan).write_text(ARGO + SETTINGS + BLOCK)
    last = arcan("overlay", "remove", "staging", "--yes")
    assert last.out.splitlines() == LEFT_OF_EU


def test_it_does_not_go_without_a_yes(arcan: DeclaredApps):
    before = arcan.files()
    result = arcan("overlay", "remove", "prod")
    assert result.status == 1
    assert "nothing was changed" in result.err
    assert arcan.files() == before


def test_its_apps_leave_tombstones_and_nothing_is_deployed_there(arcan: DeclaredApps):
    assert arcan("generate", "overlays").status == 0
    arcan("overlay", "remove", "staging", "--yes")
    result = arcan("generate", "overlays")
    assert result.status == 0
    assert "'mailer' in namespace 'mailer' of overlay 'staging' goes: app 'mailer', removed" in result.err
    names = [path for path in arcan.files() if "/overlays/staging/" in path]
    assert names == [
        f"kustomize/overlays/staging/{path}kustomization.yaml" for path in ("", "mailer/", "shop/")
    ]
    assert "kustomize/argocd/clusters/eu/staging.yaml" in arcan.files()


def test_when_its_line_goes_what_stays_in_argo_cd_is_named(arcan: DeclaredApps):
    arcan("generate", "overlays")
    arcan("overlay", "remove", "staging", "--yes")
    arcan("generate", "overlays")
    settings(arcan).write_text(ARGO + SETTINGS)
    result = arcan("generate", "overlays")
    assert result.status == 0, result.err
    assert result.out.splitlines() == LEFT_OF_EU
    assert arcan("generate", "overlays").out == ""


def test_when_a_tombstone_goes_its_application_is_named(arcan: DeclaredApps):
    arcan("generate", "overlays")
    arcan("app", "remove", "shop", "--yes")
    arcan("generate", "overlays")
    arcan.app("shop").unlink()
    result = arcan("generate", "overlays")
    assert result.status == 0, result.err
    assert result.out.splitlines() == [
        f"{DELETE} application.argoproj.io team.prod.shop",
        f"{DELETE} application.argoproj.io team.staging.shop",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("prd", "there is no overlay 'prd'\narcan: hint: did you mean 'prod'?"),
        ("Prod", "not a valid overlay"),
    ],
)
def test_an_overlay_that_is_not_declared_is_refused(name: str, message: str, arcan: DeclaredApps):
    assert message in arcan("overlay", "remove", name, "--yes").err


def test_an_overlay_goes_once(arcan: DeclaredApps):
    arcan("overlay", "remove", "prod", "--yes")
    assert "overlay 'prod' is removed already" in arcan("overlay", "remove", "prod", "--yes").err
    assert "there is an overlay 'prod' already" in arcan("overlay", "add", "prod", "--env=prod").err


def test_what_another_overlay_takes_over_does_not_go(arcan: DeclaredApps):
    settings(arcan).write_text(ARGO + SETTINGS + "  new: {environment: prod}\n")
    result = arcan("overlay", "remove", "prod")
    assert result.status == 0
    assert "goes" not in result.err


def test_a_file_of_another_form_is_left_alone(arcan: DeclaredApps):
    text = SETTINGS.replace("overlays:\n  prod: {environment: prod}", "overlays: {prod: {environment: prod}}")
    settings(arcan).write_text(text)
    result = arcan("overlay", "remove", "prod", "--yes")
    assert result.status == 1
    assert f"add to it yourself: removed: {TODAY}" in result.err
    assert settings(arcan).read_text() == text
