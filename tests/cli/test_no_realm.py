"""A repository whose apps read Vault only: it has no realm, and every command about overlays works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from arcan_gitops.cli import main
from tests.support.realm_files import RealmFiles

SETTINGS = """\
stores:
  vault:
    vault:
      scope: cluster
      server: https://vault.example.com:8200
      path: secret
      auth: {kubernetes: {role: eso, serviceAccountRef: {name: eso}}}
argocd:
  repository: https://git.example.com/platform/secrets.git
"""
OVERLAYS = "overlays:\n  prod: {environment: prod}\n"
APP = """\
name: shop
store: vault
namespace: team
secrets:
  - name: shop
    keys: [{key: a, property: b, as: pw}]
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Arcan = Callable[..., Ran]


@pytest.fixture
def arcan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Arcan:
    monkeypatch.chdir(tmp_path)
    Path("kustomize/apps").mkdir(parents=True)
    Path("kustomize/arcan.yaml").write_text(SETTINGS + OVERLAYS)
    Path("kustomize/apps/shop.yaml").write_text(APP)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["arcan", *arguments])
        with pytest.raises(SystemExit) as exited:
            main()
        captured = capsys.readouterr()
        return Ran(int(exited.value.code or 0), captured.out, captured.err)

    return run


COMMANDS = [
    "generate overlays",
    "generate overlays --check",
    "generate argocd --check",
    "generate app kustomize/apps/shop.yaml --output elsewhere",
    "validate",
    "lint manifests kustomize",
    "bootstrap prod",
    "sync shop",
]


def test_every_command_about_overlays_works_without_any_realm(arcan: Arcan):
    for command in COMMANDS:
        ran = arcan(*command.split())
        assert ran.status == 0, (command, ran)
        assert "realm" not in ran.err, (command, ran)
    assert list(Path("kustomize/overlays/prod").rglob("shop.yaml"))
    assert list(Path("elsewhere/prod").rglob("shop.yaml"))


def test_a_realm_that_cannot_be_read_is_no_error_of_apps_that_read_none(arcan: Arcan):
    Path("realms/production").mkdir(parents=True)
    Path("realms/production/prod.sops.yaml").write_text("nonsense: [\n")
    for command in COMMANDS:
        ran = arcan(*command.split())
        assert ran.status == 0, (command, ran)
    ran = arcan("generate", "overlays")
    assert "warning: no declared app reads a realm, and what is wrong here changes nothing: realms" in ran.err


def test_an_app_that_reads_a_realm_needs_all_of_them_to_be_well(arcan: Arcan):
    realm_app = APP.replace("store: vault", "realm: production\ntoken: shop").replace(
        "name: shop", "name: own"
    )
    realm_app = realm_app.replace("{key: a, property: b, as: pw}", "a")
    Path("kustomize/apps/own.yaml").write_text(realm_app)
    ran = arcan("generate", "overlays")
    assert ran.status == 1
    assert "realms: cannot be read" in ran.err
    assert not Path("kustomize/overlays").exists()


def test_a_server_needs_the_realms_though_no_app_reads_them(arcan: Arcan):
    deploy = "server: {deploy: {image: 'registry.example.com/arcan:1.0.0'}}\n"
    Path("kustomize/arcan.yaml").write_text(deploy + SETTINGS + OVERLAYS)
    ran = arcan("generate", "overlays")
    assert ran.status == 1
    assert "realms: cannot be read" in ran.err


@pytest.mark.parametrize("command", ["generate overlays", "generate argocd", "bootstrap", "sync shop"])
def test_without_a_realm_and_a_declared_overlay_there_is_nothing_to_generate(arcan: Arcan, command: str):
    Path("kustomize/arcan.yaml").write_text(SETTINGS)
    ran = arcan(*command.split())
    assert ran.status == 1
    assert "there is no overlay: kustomize/arcan.yaml declares none" in ran.err
    assert "hint: arcan overlay add prod --env prod" in ran.err
    assert arcan("overlay", "add", "prod", "--env", "prod").status == 0
    assert arcan("generate", "overlays").status == 0


def test_overlays_that_are_environments_need_readable_realms(arcan: Arcan, tmp_path: Path):
    Path("kustomize/arcan.yaml").write_text(SETTINGS)
    RealmFiles(tmp_path).write("production", "prod", "PASSWORD: canary\n")
    assert arcan("generate", "overlays").status == 0
    Path("realms/production/staging.sops.yaml").write_text("nonsense: [\n")
    assert arcan("generate", "overlays").status == 1
