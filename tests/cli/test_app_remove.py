"""`arcan app remove`: what goes is written into the app's file, named, and asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.overlay.removal import Day
from tests.support.declared_apps import APP, DeclaredApps
from tests.support.live_server import ARCAN
from tests.support.terminal import Terminal

TODAY = Day.today()
GOES = "Kubernetes Secret 'shop' in namespace 'shop' of overlay 'prod' goes"
TWO = """\
# The team of the shop

name: shop   # really
store: vault
namespace: {prod: shop, staging: shop-staging}
secrets:
  # the first
  - name: shop
    keys: [{key: a, property: b, as: pw}]
  - name: more   # the second
    externalSecret: other
    keys:
      - {key: a, property: b, as: pw}
raw:
  - {name: raw, spec: {data: [{secretKey: a, remoteRef: {key: a}}], target: {name: made}}}
"""


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> DeclaredApps:
    return DeclaredApps(tmp_path, monkeypatch, capsys)


@pytest.fixture
def two(arcan: DeclaredApps) -> DeclaredApps:
    """An app in two overlays, with comments."""
    settings = arcan.folder / "kustomize/arcan.yaml"
    settings.write_text(settings.read_text() + "  staging: {environment: staging}\n")
    arcan.app("shop").write_text(TWO)
    return arcan


def test_an_app_does_not_go_without_a_yes(arcan: DeclaredApps):
    before = arcan.files()
    result = arcan("app", "remove", "shop")
    assert result.status == 1
    assert GOES in result.err
    assert "Kubernetes Secrets would go; nothing was changed" in result.err
    assert "--yes" in result.err
    assert arcan.files() == before


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_is_asked_for(answer: str, arcan: DeclaredApps):
    with Terminal([*ARCAN, "app", "remove", "shop"], arcan.folder, {}) as terminal:
        terminal.read_until("continue anyway? [y/N]: ")
        assert GOES in terminal.shown
        terminal.type(f"{answer}\r")
        assert terminal.wait() == (0 if answer == "y" else 1)
    assert ("removed" in arcan.app("shop").read_text()) == (answer == "y")


def test_the_file_keeps_what_is_needed_and_the_comment_at_its_head(two: DeclaredApps):
    assert two("app", "remove", "shop", "--yes").status == 0
    assert two.app("shop").read_text() == (
        "# The team of the shop\nname: shop\n"
        f"namespace: {{prod: shop, staging: shop-staging}}\nremoved: {TODAY}\n"
    )
    assert two("generate", "overlays").status == 0
    assert (two.folder / "kustomize/overlays/staging/shop-staging/kustomization.yaml").is_file()


def test_where_the_app_was_before_stays_in_the_file(arcan: DeclaredApps):
    left = "left: [{namespace: old, overlays: [prod], removed: 2026-01-31}]\n"
    arcan.app("shop").write_text(APP.format(name="shop") + left + "overlays: [prod]\n")
    assert arcan("app", "remove", "shop", "--yes").status == 0
    text = arcan.app("shop").read_text()
    assert text == f"name: shop\nnamespace: shop\noverlays: [prod]\n{left}removed: {TODAY}\n"


@pytest.mark.parametrize(("name", "made"), [("more", "more"), ("raw", "made")])
def test_one_secret_goes_and_all_else_stays_as_it_was(name: str, made: str, two: DeclaredApps):
    result = two("app", "remove", "shop", "--secret", name, "--yes")
    assert result.status == 0
    assert result.err.count("Kubernetes Secret ") == 2
    assert f"Kubernetes Secret '{made}' in namespace 'shop-staging' of overlay 'staging' goes" in result.err
    text = two.app("shop").read_text()
    kept = [line for line in TWO.splitlines() if line in text.splitlines()]
    assert len(kept) >= len(TWO.splitlines()) - 3
    assert f"removed: {TODAY}" in text
    assert two("generate", "overlays").status == 0


def test_an_app_leaves_one_overlay_and_stays_in_the_other(two: DeclaredApps):
    assert two("generate", "overlays").status == 0
    result = two("app", "remove", "shop", "--overlay", "staging", "--yes")
    assert "of overlay 'prod'" not in result.err
    text = two.app("shop").read_text()
    assert text.startswith(TWO)
    assert text.removeprefix(TWO) == (
        f"overlays: [prod]\nleft:\n  - {{namespace: shop-staging, overlays: [staging], removed: {TODAY}}}\n"
    )
    result = two("generate", "overlays")
    assert result.status == 0, result.err
    assert "Kubernetes Secret 'shop' in namespace 'shop-staging' of overlay 'staging' goes: app" in result.err
    assert (two.folder / "kustomize/overlays/prod/shop/apps/shop.yaml").is_file()


def test_an_app_that_leaves_all_its_overlays_goes(two: DeclaredApps):
    two("app", "remove", "shop", "--overlay=prod", "--overlay=staging", "--yes")
    assert f"\nremoved: {TODAY}\n" in two.app("shop").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["shap"], "there is no app 'shap'\narcan: hint: did you mean 'shop'?"),
        (["shop", "--secret=mor"], "has no Secret 'mor'\narcan: hint: did you mean 'more'?"),
        (["shop", "--overlay=stagin"], "is not in overlay 'stagin'\narcan: hint: did you mean 'staging'?"),
        (["shop", "--secret=shop", "--secret=more", "--secret=raw"], "would have no Secret left"),
        (["shop", "--secret=shop", "--overlay=prod"], "exclude each other"),
    ],
)  # fmt: skip
def test_what_is_not_declared_is_refused_with_the_nearest(
    options: list[str], message: str, two: DeclaredApps
):
    before = two.files()
    result = two("app", "remove", *options, "--yes")
    assert result.status in (1, 2)
    assert message in result.err
    assert two.files() == before


def test_an_app_goes_once(arcan: DeclaredApps):
    arcan("app", "remove", "shop", "--yes")
    result = arcan("app", "remove", "shop", "--yes")
    assert result.status == 1
    assert "kustomize/apps/shop.yaml:3: app 'shop' is removed already" in result.err


def test_a_secret_that_stays_is_not_asked_for(arcan: DeclaredApps):
    text = APP.format(name="shop")
    arcan.app("shop").write_text(text.replace("    keys:", "    creationPolicy: Orphan\n    keys:"))
    result = arcan("app", "remove", "shop")
    assert result.status == 0
    assert "goes" not in result.err
