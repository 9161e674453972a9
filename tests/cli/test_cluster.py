"""`arcan cluster`: keys by kubectl or from a file, several at once, and never one key in two clusters."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.access import Cluster
from arcan_gitops.errors import ArcanError
from tests.support.account_project import AnsweringKubectl, lay_out, run
from tests.support.signing_cluster import ISSUER, SigningCluster


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AnsweringKubectl:
    kubectl = AnsweringKubectl(tmp_path / "bin", monkeypatch)
    kubectl.answers("configuration", {"issuer": ISSUER, "jwks_uri": "x"})
    return kubectl


def held(name: str = "eu") -> Cluster:
    path = Path("clusters") / f"{name}.yaml"
    return Cluster.parse(path.read_bytes(), str(path), name)


def refused(*arguments: str) -> ArcanError:
    error = run("cluster", *arguments).exception
    assert isinstance(error, ArcanError)
    return error


@pytest.mark.usefixtures("project")
def test_a_cluster_is_added_by_kubectl_and_its_next_key_beside_the_first(kubectl: AnsweringKubectl) -> None:
    cluster = SigningCluster("eu")
    kubectl.answers("jwks", cluster.jwks())
    result = run("cluster", "add", "eu", "--context=europe")
    assert result.exit_code == 0, result.exception
    assert "--context=europe get --raw /openid/v1/jwks" in kubectl.calls
    first = held()
    assert (first.issuer, len(first.keys)) == (ISSUER, 1)

    cluster.rotate()
    kubectl.answers("jwks", cluster.jwks())
    assert run("cluster", "add", "eu").exit_code == 0
    assert held().keys[0].thumbprint == first.keys[0].thumbprint
    assert len(held().keys) == 2

    cluster.keys.pop(0)
    kubectl.answers("jwks", cluster.jwks())
    result = run("cluster", "add", "eu")
    assert (
        f"key {first.keys[0].thumbprint[:12]}: is none of the cluster's any more, and stays" in result.stderr
    )
    assert len(held().keys) == 2
    result = run("cluster", "add", "eu", "--replace")
    assert f"key {first.keys[0].thumbprint[:12]} is out" in result.stderr
    assert first.keys[0].thumbprint not in {key.thumbprint for key in held().keys}


@pytest.mark.usefixtures("project")
def test_another_cluster_under_a_name_that_is_taken_is_refused(kubectl: AnsweringKubectl) -> None:
    kubectl.answers("jwks", SigningCluster("eu").jwks())
    assert run("cluster", "add", "eu").exit_code == 0
    before = Path("clusters/eu.yaml").read_bytes()
    kubectl.answers("jwks", SigningCluster("eu").jwks())
    error = refused("add", "eu")
    assert (
        error.message
        == "clusters/eu.yaml: the cluster that kubectl reaches has none of the keys of this file"
    )
    assert Path("clusters/eu.yaml").read_bytes() == before


@pytest.mark.usefixtures("project")
def test_one_signing_key_in_two_clusters_is_refused(kubectl: AnsweringKubectl) -> None:
    cluster = SigningCluster("eu")
    kubectl.answers("jwks", cluster.jwks())
    assert run("cluster", "add", "eu").exit_code == 0
    error = refused("add", "us")
    assert error.message.startswith("cluster 'eu' has the same signing key")
    assert not Path("clusters/us.yaml").exists()
    Path("clusters/us.yaml").write_text(Path("clusters/eu.yaml").read_text())
    for command in (("cluster", "list"), ("realm", "check")):
        result = run(*command)
        assert result.exit_code == 1
        assert "clusters 'eu' and 'us' have one signing key" in result.stdout + result.stderr


@pytest.mark.usefixtures("project")
def test_keys_come_from_a_file_where_kubectl_cannot_read_them(tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(SigningCluster("eu").jwks()))
    assert run("cluster", "add", "eu", f"--file={keys}").exit_code == 2
    assert run("cluster", "add", "eu", f"--file={keys}", "--issuer=https://k").exit_code == 0
    assert held().issuer == "https://k"
    keys.write_text("[]")
    assert refused("add", "us", f"--file={keys}", "--issuer=https://k").message == (
        "the keys are not a JSON Web Key Set"
    )
    assert run("cluster", "add", "in-cluster", f"--file={keys}").exit_code == 2


@pytest.mark.usefixtures("project")
def test_clusters_are_listed_with_what_they_sign_for(tmp_path: Path) -> None:
    SigningCluster("eu").write(tmp_path / "clusters")
    assert run("account", "add", "eu/shop/arcan-reader", "--realm=production").exit_code == 0
    rows = [line.split() for line in run("cluster", "list").stdout.splitlines()]
    assert rows[1] == ["eu", ISSUER, held().keys[0].thumbprint[:12], "1"]
    assert run("realm", "check").exit_code == 0


def secret(namespace: str, token: str | None) -> dict[str, Any]:
    data = {} if token is None else {"token": base64.b64encode(token.encode()).decode()}
    return {"metadata": {"namespace": namespace, "name": "arcan-reader"}, "data": data}


@pytest.mark.usefixtures("project")
def test_what_still_uses_an_old_key_is_named_and_no_token_is_shown(
    tmp_path: Path, kubectl: AnsweringKubectl
) -> None:
    cluster = SigningCluster("eu")
    cluster.rotate()
    cluster.write(tmp_path / "clusters")
    old, new = (key.thumbprint[:12] for key in held().keys)
    tokens = [cluster.of_secret("shop", "arcan-reader", key=0), cluster.of_secret("web", "arcan-reader")]
    kubectl.answers("secrets", {"items": [secret("shop", tokens[0]), secret("web", tokens[1])]})
    result = run("cluster", "check", "eu")
    assert result.exit_code == 0
    assert result.stdout == f"shop/arcan-reader\tkey {old}\nweb/arcan-reader\tkey {new}\n"
    kubectl.answers("secrets", {"items": [secret("web", tokens[1])]})
    assert f"key {old}: no Secret of an account uses it" in run("cluster", "check", "eu").stderr

    stranger = SigningCluster("eu").of_secret("shop", "arcan-reader")
    kubectl.answers("secrets", {"items": [secret("shop", stranger), secret("web", None)]})
    result = run("cluster", "check", "eu")
    assert result.exit_code == 1
    assert result.stdout == (
        "shop/arcan-reader\tsigned by a key that the file does not have\n"
        "web/arcan-reader\thas no token: Kubernetes has not filled it\n"
    )
    assert not any(token in result.output for token in (*tokens, stranger))
    assert refused("check", "us").hint is not None
