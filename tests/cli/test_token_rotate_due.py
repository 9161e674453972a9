"""`arcan token rotate --due`: a script, run twice, and no Secret that a server would refuse in between."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.access import TokenRecord, add, digest, mint, read_tokens
from arcan_gitops.cli import arcan
from arcan_gitops.sops import encrypt
from tests.bootstrap.cluster import FakeCluster
from tests.support.realm_files import new_identity

APP = "name: {0}\nrealm: production\nnamespace: {0}\ntoken: {1}\nsecrets: [{{name: env, keys: [URL]}}]\n"
FILE = Path("realms/production/tokens.yaml")
TWO = "stores: {fullNames: true}\noverlays: {prod: {environment: prod}, us-1: {environment: prod}}\n"
ONE = "stores: {fullNames: true}\noverlays: {prod: {environment: prod}}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Token `soon` ends in 20 days, `later` in 90, `never` never, `unused` in 20; apps use the first three."""
    folder = tmp_path / "repository"
    (folder / "realms/production").mkdir(parents=True)
    (folder / "kustomize/apps").mkdir(parents=True)
    (folder / "kustomize/arcan.yaml").write_text(ONE)
    document = encrypt({"URL": "x"}, recipients=[new_identity()[1]])
    (folder / "realms/production/prod.sops.yaml").write_bytes(document)
    data: bytes | None = None
    now = datetime.now(UTC).replace(microsecond=0)
    for name, days in (("soon", 20), ("later", 90), ("never", None), ("unused", 20)):
        minted = mint()
        expires = None if days is None else now + timedelta(days=days)
        record = TokenRecord(minted.id, name, "read-only", None, None, now, expires, minted.digest)
        data = add(data, "t", record)
        if name != "unused":
            (folder / f"kustomize/apps/app-{name}.yaml").write_text(APP.format(f"app-{name}", name))
    assert data is not None
    (folder / FILE).write_bytes(data)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    return FakeCluster(tmp_path / "cluster")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["token", "rotate", *arguments])


def script(*arguments: str) -> str:
    result = run("--due=30d", *arguments)
    assert result.exit_code == 0, result.exception
    return result.stdout


def bash(text: str, cluster: FakeCluster, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{cluster.path}:{os.environ['PATH']}"
    return subprocess.run(["bash", "-c", text], env={**os.environ, "PATH": path, **env}, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip


def records() -> list[TokenRecord]:
    return list(read_tokens(FILE.read_bytes(), "t"))


SECRET = "app-soon/arcan-credentials.production.soon"


def test_two_runs_rotate_what_ends_soon_and_hand_it_over(
    repository: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    before = FILE.read_bytes()
    text = script()
    assert FILE.read_bytes() == before, "printing the script rotates nothing"
    cluster.put(f"secret/{SECRET}", token="old")
    values = tmp_path / "values"

    first = bash(text, cluster, VALUES=str(values))
    assert first.returncode == 0, first.stderr
    assert "commit the tokens.yaml files" in first.stderr
    assert cluster.calls == []
    names = [record.name for record in records()]
    assert names == ["soon", "later", "never", "unused", "soon"]
    waiting = values / "tokens/production/soon"
    assert waiting.stat().st_mode & 0o777 == 0o600
    new = waiting.read_text().strip()

    second = bash(text, cluster, VALUES=str(values))
    assert second.returncode == 0, second.stderr
    assert cluster.secret(SECRET) == {"token": new}
    assert digest(new) == records()[-1].digest
    assert cluster.labels(SECRET) == {"external-secrets.io/type": "webhook"}
    assert not waiting.exists()
    for said in (text, first.stdout, first.stderr, second.stdout, second.stderr, repr(cluster.calls)):
        assert new not in said

    third = bash(text, cluster, VALUES=str(values))
    assert third.returncode != 0
    assert "was rotated before" in third.stderr
    assert len(records()) == 5


def test_a_run_that_the_cluster_cut_off_is_finished_by_the_next_one(
    repository: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    text, values = script(), tmp_path / "values"
    cluster.put(f"secret/{SECRET}", token="old")
    assert bash(text, cluster, VALUES=str(values)).returncode == 0
    cluster.goes_away_after(1)
    assert bash(text, cluster, VALUES=str(values)).returncode != 0
    cluster.goes_away_after(None)
    assert bash(text, cluster, VALUES=str(values)).returncode == 0
    assert digest(cluster.secret(SECRET)["token"]) == records()[-1].digest


def test_several_overlays_need_a_context_each_before_anything_is_rotated(
    repository: Path, cluster: FakeCluster, tmp_path: Path
) -> None:
    Path("kustomize/arcan.yaml").write_text(TWO)
    text, values, before = script(), tmp_path / "values", FILE.read_bytes()
    cluster.put(f"secret/{SECRET}", token="old")
    refused = bash(text, cluster, VALUES=str(values), CONTEXT_prod="eu")
    assert refused.returncode == 1
    assert "set CONTEXT_us_1 to the kubectl context of overlay us-1" in refused.stderr
    assert FILE.read_bytes() == before
    contexts = {"CONTEXT_prod": "eu", "CONTEXT_us_1": "us; touch pwned"}
    for _ in range(2):
        assert bash(text, cluster, VALUES=str(values), **contexts).returncode == 0
    into = [call[0] for call in cluster.calls if "apply" in call]
    assert into == ["--context=eu", "--context=us; touch pwned"]
    assert not Path("pwned").exists()


def test_a_folder_for_the_tokens_is_asked_for(repository: Path, cluster: FakeCluster) -> None:
    done = bash(script(), cluster)
    assert done.returncode == 1
    assert "set VALUES to a folder" in done.stderr


def test_what_no_app_uses_is_said_and_left_alone(repository: Path) -> None:
    result = run("--due=30d")
    assert "token 'unused' of realm 'production' expires" in result.stderr
    assert "unused" not in result.stdout
    none = run("--due=1d")
    assert (none.exit_code, none.stdout) == (0, "")
    assert "no token that declared apps use ends within that time" in none.stderr


def test_one_token_or_all_that_are_due(repository: Path) -> None:
    assert run().exit_code == 2
    assert run("soon", "--due=30d").exit_code == 2
    assert run("--due=30d", "--format=secret").exit_code == 2
