"""`arcan doctor`: a repository and a cluster in, findings and an exit status out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.access import read_tokens
from arcan_gitops.bootstrap.kubectl import Answer, Kubectl
from arcan_gitops.certificates import new_ca
from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import digests
from tests.doctor.scene import PLACE, Scene, encoded_token
from tests.support.realm_files import CANARY, RealmFiles

APP = "name: shop\nrealm: production\ntoken: shop\nnamespace: shop\nsecrets:\n- {name: shop-env, keys: [K]}\n"


class Repository:
    """A realm with one key, a token of it, and the app that is in the cluster of `scene`."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        files = RealmFiles(folder)
        files.write("production", "prod", f"K: {CANARY}\n")
        (folder / "kustomize/apps").mkdir(parents=True)
        (folder / "kustomize/arcan.yaml").write_text("overlays: {prod: {environment: prod}}\n")
        (folder / "kustomize/apps/shop.yaml").write_text(APP)
        made = CliRunner().invoke(
            arcan,
            [
                "token",
                "create",
                "--realm=production",
                "--name=shop",
                "--policy=read-only",
                "--realms",
                str(files.root),
            ],
        )
        assert made.exit_code == 0, made.output
        self.token = made.stdout.strip()
        self.tokens = files.root / "production/tokens.yaml"
        scene.token["data"]["token"] = encoded_token(self.token)
        scene.objects["ConfigMap", "shop", "arcan-ca"]["data"]["ca.crt"] = new_ca().chain().decode()
        version = digests(files.path("production", "prod").read_bytes()).keys["K"]
        scene.external["spec"]["data"][0]["remoteRef"]["version"] = version


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene()

    class Stub(Kubectl):
        def answer(
            self, arguments: Sequence[str], environment: Mapping[str, str], data: bytes = b""
        ) -> Answer:
            return scene.answer([word for word in arguments if not word.startswith("--context=")], data)

    monkeypatch.setattr(Kubectl, "find", classmethod(lambda cls: Stub("kubectl")))
    return scene


@pytest.fixture
def repository(tmp_path: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    scene.external["status"]["refreshTime"] = "2999-01-01T00:00:00Z"  # as fresh as can be
    return Repository(tmp_path, scene)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["doctor", *arguments])


@pytest.mark.usefixtures("repository")
def test_a_healthy_one_is_told_of_in_one_line() -> None:
    result = run("shop/shop-env", "--no-network")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "nothing is wrong with 1 ExternalSecret\n" in result.stdout


def test_the_token_is_compared_with_git_and_shown_nowhere(repository: Repository, scene: Scene) -> None:
    (entry,) = read_tokens(repository.tokens.read_bytes(), "tokens.yaml")
    repository.tokens.write_text("version: 1\ntokens: []\n")
    result = run("shop/shop-env", "--no-network", "--format", "json")
    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)["findings"]
    assert finding["check"] == "token-known"
    assert entry.id in finding["what"]
    assert repository.token not in result.output
    assert CANARY not in result.output


@pytest.mark.usefixtures("repository")
def test_its_fix_names_the_app_and_the_overlay_that_git_knows(scene: Scene) -> None:
    scene.remove("Secret", *PLACE)
    result = run("-n", "shop", "--no-network", "--context", "c1")
    assert result.exit_code == 1
    assert "    fix: arcan sync shop --overlay prod --run --context c1\n" in result.stdout


def test_without_a_repository_the_cluster_is_looked_at_all_the_same(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scene.remove("Secret", "shop", "arcan-credentials")
    result = run("--no-network")
    assert "error token-secret: Secret shop/arcan-credentials is not there" in result.stdout
    assert "there is no folder of realms here (token-known)" in result.stdout


def test_an_audit_log_says_what_eso_no_longer_does(
    repository: Repository, scene: Scene, tmp_path: Path
) -> None:
    scene.fails("could not get secret data from provider")
    lines = [
        {"status": 200, "realm": "production", "environment": "prod", "key": "K", "time": "a"},
        {"status": 503, "code": "version_not_loaded", "realm": "production", "environment": "prod", "key": "K",
         "token_name": "shop", "time": "2026-06-01T11:00:00Z"},
    ]  # fmt: skip
    log = tmp_path / "audit.log"
    log.write_text("torn {\n" + "".join(f"{json.dumps(line)}\n" for line in lines))
    result = run("shop/shop-env", "--no-network", "--audit-log", str(log))
    said = "the server answered 503 version_not_loaded to shop at 2026-06-01T11:00:00Z"
    assert f"error audit-log: ExternalSecret shop/shop-env {said}" in result.stdout


@pytest.mark.usefixtures("repository")
def test_the_job_is_printed_alone() -> None:
    result = run("shop/shop-env", "--in-cluster", "--image", "ghcr.io/x/arcan:1")
    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith("---\napiVersion: v1\nkind: ConfigMap\n")
    assert "nothing is wrong" not in result.stdout


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize(
    "arguments",
    [
        ("shop",),
        ("shop/A_B",),
        ("shop/x", "-n", "shop"),
        ("--in-cluster",),
        ("--image", "x:1"),
        ("--connect-to", "x"),
    ],
)
def test_wrong_usage_is_told_apart_from_findings(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_without_kubectl_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run()
    assert isinstance(result.exception, ArcanError)
    assert "kubectl is not on PATH" in result.exception.message
