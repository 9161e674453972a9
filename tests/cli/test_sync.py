"""`arcan sync`: the commands that make ESO look at once, printed or run."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError, SeveralErrors
from tests.bootstrap.cluster import FakeCluster

APP = "name: {0}\nrealm: production\ntoken: t\n{1}\nsecrets:\n- {{name: {0}-env, keys: [A]}}\n- {{name: {0}-all, all: true}}\n"
SETTINGS = "overlays: {prod: {environment: prod}, eu: {environment: prod}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two overlays; no realm is there, and none is needed."""
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/arcan.yaml").write_text(SETTINGS)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(
        APP.format("shop", "namespace: {prod: shop, eu: shop-eu}")
    )
    (tmp_path / "kustomize/apps/web.yaml").write_text(APP.format("web", "namespaces: [a, b]\noverlays: [eu]"))
    (tmp_path / "kustomize/apps/all.yaml").write_text(
        APP.format("all", "namespaces: {matchLabels: {team: x}}\noverlays: [prod]")
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster(tmp_path / "cluster")
    monkeypatch.setenv("PATH", f"{fake.path}:{os.environ['PATH']}")
    for name in ("shop-env", "shop-all"):
        fake.put(f"externalsecret/shop/{name}")
    return fake


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["sync", *arguments])


@pytest.mark.usefixtures("project")
def test_the_commands_of_each_overlay_are_printed() -> None:
    result = run("--all")
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [
        "# overlay eu",
        *(
            f"kubectl annotate clusterexternalsecret {name} external-secrets.io/force-sync=$(date +%s) --overwrite"
            for name in ("web-all", "web-env")
        ),
        *(
            f"kubectl annotate externalsecret {name} --namespace=shop-eu force-sync=$(date +%s) --overwrite"
            for name in ("shop-all", "shop-env")
        ),
        "# overlay prod",
        *(
            f"kubectl annotate clusterexternalsecret {name} external-secrets.io/force-sync=$(date +%s) --overwrite"
            for name in ("all-all", "all-env")
        ),
        *(
            f"kubectl annotate externalsecret {name} --namespace=shop force-sync=$(date +%s) --overwrite"
            for name in ("shop-all", "shop-env")
        ),
    ]  # fmt: skip


@pytest.mark.usefixtures("project")
def test_what_is_printed_runs_in_a_shell(cluster: FakeCluster) -> None:
    printed = run("shop", "--overlay", "prod").stdout
    subprocess.run(["sh", "-e", "-c", printed], check=True, capture_output=True)
    assert cluster.objects["externalsecret/shop/shop-env"]["annotation"].removeprefix("force-sync=").isdigit()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("run_it", [(), ("--run",)])
def test_an_app_that_does_not_go_there_is_an_error(run_it: tuple[str, ...]) -> None:
    error = run("web", "--overlay", "prod", *run_it).exception
    assert isinstance(error, ArcanError)
    assert error.message == "no ExternalSecret of these apps is in overlay 'prod'"


@pytest.mark.usefixtures("project")
def test_a_context_that_needs_quotes_has_them() -> None:
    line = run("shop", "--overlay", "prod", "--context", "a b").stdout.splitlines()[0]
    assert shlex.split(line)[1] == "--context=a b"


@pytest.mark.usefixtures("project")
def test_run_annotates_them_without_telling_kubectl_what_it_need_not_know(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", "not for kubectl")
    wrapper = cluster.path / "kubectl"
    wrapper.write_text(wrapper.read_text().replace("exec", 'test -z "$SOPS_AGE_KEY" || exit 9\nexec'))
    result = run("shop", "--overlay", "prod", "--run")
    assert result.exit_code == 0, result.exception
    assert result.stdout == ""
    assert "annotated ExternalSecret shop/shop-env" in result.stderr
    assert {call[:3] == ["annotate", "externalsecret", "shop-env"] for call in cluster.calls} == {True, False}


@pytest.mark.usefixtures("project")
def test_two_runs_within_a_second_are_two_refreshes(cluster: FakeCluster) -> None:
    stamps = set()
    for _ in range(3):
        run("shop", "--overlay", "prod", "--run")
        stamps.add(cluster.objects["externalsecret/shop/shop-env"]["annotation"])
    assert len(stamps) == 3


@pytest.mark.usefixtures("project")
def test_one_that_is_not_there_is_named_and_the_others_are_done(cluster: FakeCluster) -> None:
    result = run("--all", "--overlay", "eu", "--run")
    assert isinstance(result.exception, SeveralErrors)
    assert "4 of 4 were not annotated" in result.exception.message
    assert len(cluster.calls) == 4


def test_an_older_eso_cannot_look_at_once_at_what_a_cluster_external_secret_has_made(project: Path) -> None:
    settings = project / "kustomize/arcan.yaml"
    settings.write_text(f"esoVersion: 0.19.2\n{settings.read_text()}")
    result = run("all", "shop", "--overlay", "prod")
    assert ["annotate externalsecret shop" in line for line in result.stdout.splitlines()] == [True, True]
    assert (
        "arcan: warning: ClusterExternalSecret all-env: cannot be done at once with ESO 0.19.2"
        in result.stderr
    )


@pytest.mark.usefixtures("project")
def test_run_asks_which_cluster_it_is() -> None:
    error = run("--all", "--run").exception
    assert isinstance(error, ArcanError)
    assert error.hint == "name one of them: eu, prod"


@pytest.mark.usefixtures("project")
def test_without_kubectl_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    error = run("--all", "--overlay", "eu", "--run").exception
    assert isinstance(error, ArcanError)
    assert error.message == "kubectl is not on PATH"


@pytest.mark.usefixtures("project")
def test_either_apps_or_all_of_them() -> None:
    assert run().exit_code == run("--all", "shop").exit_code == 2
    error = run("shp").exception
    assert isinstance(error, ArcanError)
    assert error.hint == "did you mean 'shop'?"


@pytest.mark.usefixtures("project")
def test_an_overlay_alone_is_all_of_its_apps() -> None:
    assert run("--overlay", "prod").stdout == run("--all", "--overlay", "prod").stdout
    assert "shop-env" in run("--overlay", "prod").stdout
