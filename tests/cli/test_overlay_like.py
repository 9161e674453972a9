"""`arcan overlay add --like`: another cluster or environment in one go, and all that is missing at once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from arcan_gitops.cli import main
from arcan_gitops.overlay import read_settings
from tests.cli.test_generate import token
from tests.support.realm_files import CANARY, RealmFiles

SETTINGS = """\
credentials: token
argocd: {repository: https://git.example.com/team/secrets.git}
overlays:
  # the first
  oslo:
    environment: prod
    cluster: oslo # there
    refreshInterval: 15m
    server: {url: "https://arcan.oslo.example.com:9797"}
    stores: {fullNames: true, name: own}
"""
EVERYWHERE = """\
name: shop
realm: production
namespace: shop
token: shop
secrets:
  - {name: shop, keys: [DATABASE_URL]}
"""
NAMED = """\
name: mailer   # by overlay
realm: production
namespace: {oslo: mail}
token: {oslo: mailer}
overlays: [oslo]
secrets:
  - {name: mailer, keys: [GREETING]}   # one
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Arcan = Callable[..., Ran]


@pytest.fixture(scope="module")
def realms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = RealmFiles(tmp_path_factory.mktemp("project"))
    files.write("production", "prod", f"DATABASE_URL: {CANARY}\nGREETING: hello\n")
    text = token("A", "shop") + token("B", "mailer", keys="[GREETING]").replace(
        "keys:", "environments: [prod], keys:"
    )
    (files.root / "production/tokens.yaml").write_text(f"version: 1\ntokens:\n{text}")
    return files.root


@pytest.fixture
def arcan(
    tmp_path: Path, realms: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Arcan:
    shutil.copytree(realms, tmp_path / "realms")
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/arcan.yaml").write_text(SETTINGS)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(EVERYWHERE)
    (tmp_path / "kustomize/apps/mailer.yaml").write_text(NAMED)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["arcan", *arguments])
        with pytest.raises(SystemExit) as exited:
            main()
        captured = capsys.readouterr()
        assert CANARY not in captured.out + captured.err
        assert "unexpected" not in captured.err
        return Ran(int(exited.value.code or 0), captured.out, captured.err)

    return run


def test_another_cluster_has_the_settings_of_the_first_but_those_that_are_given(arcan: Arcan) -> None:
    result = arcan("overlay", "add", "berlin", "--like=oslo", "--cluster=berlin", "--eso-namespace=eso")
    assert result.status == 0, result.err
    assert Path("kustomize/arcan.yaml").read_text().startswith(SETTINGS)
    oslo, berlin = sorted(read_settings(Path("kustomize")).declared, key=lambda one: one.name, reverse=True)
    assert (berlin.name, berlin.environment, berlin.cluster) == ("berlin", "prod", "berlin")
    assert berlin.settings.eso_namespace == "eso"
    same = ("server_url", "refresh", "store_name", "full_names", "scope")
    for setting in same:
        assert getattr(berlin.settings, setting) == getattr(oslo.settings, setting)


def test_it_generates_at_once_and_nobody_edits_an_app(arcan: Arcan) -> None:
    result = arcan("overlay", "add", "berlin", "--like=oslo", "--cluster=berlin")
    assert "missing" not in result.err
    assert Path("kustomize/apps/shop.yaml").read_text() == EVERYWHERE
    assert Path("kustomize/apps/mailer.yaml").read_text() == NAMED.replace(
        "{oslo: mail}", "{oslo: mail, berlin: mail}"
    ).replace("{oslo: mailer}", "{oslo: mailer, berlin: mailer}").replace("[oslo]", "[oslo, berlin]")
    result = arcan("generate", "overlays")
    assert result.status == 0, result.err
    for path in ("shop/apps/shop.yaml", "mail/apps/mailer.yaml"):
        assert Path("kustomize/overlays/berlin", path).is_file()


def test_all_that_another_environment_lacks_is_told_at_once(arcan: Arcan) -> None:
    result = arcan("overlay", "add", "staging", "--like=oslo", "--env=staging", "--cluster=staging")
    assert result.status == 0
    assert "arcan realm create production --env staging --like prod --ask '*'" in result.err
    assert "no token is given for overlay 'staging'" in result.err or "token" in result.err
    assert Path("kustomize/apps/mailer.yaml").read_text() == NAMED.replace(
        "{oslo: mail}", "{oslo: mail, staging: mail}"
    ).replace("[oslo]", "[oslo, staging]"), "the token of production is no matter of staging"
    missing = [line for line in result.err.splitlines() if "missing: " in line]
    assert len(missing) == 2
    assert "DATABASE_URL" not in result.err, "the keys are those of the other environment"


def test_what_was_wrong_before_is_not_told_as_missing(arcan: Arcan) -> None:
    Path("kustomize/apps/shop.yaml").write_text(EVERYWHERE.replace("DATABASE_URL", "NOTHING"))
    result = arcan("overlay", "add", "berlin", "--like=oslo", "--cluster=berlin")
    assert result.status == 0
    assert "NOTHING" not in result.err


def test_a_cluster_of_its_own_keys_does_not_inherit_them(arcan: Arcan) -> None:
    settings = Path("kustomize/arcan.yaml")
    settings.write_text(SETTINGS.replace("    cluster: oslo", "    clusterKeys: oslo\n    cluster: oslo"))
    arcan("overlay", "add", "berlin", "--like=oslo", "--cluster=berlin")
    assert "clusterKeys" not in settings.read_text().splitlines()[-1]
    arcan("overlay", "add", "second", "--like=oslo", "--env=prod")
    assert "clusterKeys: oslo" in settings.read_text().splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--like=osl"], "there is no overlay 'osl'\narcan: hint: did you mean 'oslo'?"),
        ([], "which environment? --env NAME, or --like OVERLAY"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    options: list[str], message: str, arcan: Arcan
) -> None:
    result = arcan("overlay", "add", "berlin", *options)
    assert result.status in (1, 2)
    assert message in result.err
    assert Path("kustomize/arcan.yaml").read_text() == SETTINGS


def test_an_overlay_without_a_line_can_be_the_other_one(arcan: Arcan) -> None:
    settings = Path("kustomize/arcan.yaml")
    settings.write_text("refreshInterval: 1h0m0s\n")
    Path("kustomize/apps/mailer.yaml").unlink()
    result = arcan("overlay", "add", "eu", "--like=prod", "--cluster=eu")
    assert result.status == 0, result.err
    declared = {each.name: each.environment for each in read_settings(Path("kustomize")).declared}
    assert declared == {"prod": "prod", "eu": "prod"}
