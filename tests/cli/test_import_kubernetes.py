"""`arcan import kubernetes`: the Secrets of a namespace, and the apps that its ExternalSecrets declare."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcan_gitops.overlay import App
from tests.support.import_command import ImportCommand
from tests.support.kubernetes_api import KubernetesApi, secret
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error

BINARY = b"\x00\xff\xfe" + CANARY.encode()
SECRETS = [
    secret("backend", {"DATABASE_URL": f"{CANARY}-db", "EMPTY": "", "blob": BINARY}),
    secret("web-tls", {"tls.crt": "C", "tls.key": f"{CANARY}-key"}, type="kubernetes.io/tls"),
    secret("default-token-x", {"token": CANARY}, type="kubernetes.io/service-account-token"),
    secret("sh.helm.release.v1.shop.v1", {"release": CANARY}, type="helm.sh/release.v1"),
    secret("issued", {"tls.key": CANARY}, annotations={"cert-manager.io/certificate-name": "x"}),
    secret("arcan-credentials", {"token": CANARY}, labels={"external-secrets.io/type": "webhook"}),
]


def external_secret(name: str, target: str | None = None) -> dict[str, object]:
    spec = {
        "secretStoreRef": {"name": "vault"},
        "refreshInterval": "15m",
        "target": {"name": target} if target else {},
        "dataFrom": [{"find": {"name": {"regexp": ".*"}}}],
    }
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


@pytest.fixture
def cluster(arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesApi]:
    with KubernetesApi(secrets=list(SECRETS)) as cluster:
        path = arcan.folder / "test.kubeconfig"
        cluster.write_kubeconfig(path)
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
        yield cluster


def test_the_secrets_of_a_namespace_land_and_those_of_machines_do_not(
    arcan: ImportCommand, cluster: KubernetesApi
) -> None:
    result = arcan("kubernetes", "--namespace=shop")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == {
        "backend.DATABASE_URL": f"{CANARY}-db",
        "backend.blob": base64.b64encode(BINARY).decode(),
        "web-tls.tls.crt": "C",
        "web-tls.tls.key": f"{CANARY}-key",
    }
    for line in (
        "skipped   backend#EMPTY -> backend.EMPTY (is empty",
        "imported  backend#blob -> backend.blob (is not UTF-8 text: kept as base64",
        "skipped   default-token-x (a service account's token",
        "skipped   sh.helm.release.v1.shop.v1 (a release of Helm's",
        "skipped   issued (a certificate of cert-manager's",
        "skipped   arcan-credentials (a token that ESO shows to a webhook",
    ):
        assert line in result.out
    assert "4 imported, 5 skipped" in result.err


def test_the_keys_of_a_single_secret_keep_their_names(arcan: ImportCommand, cluster: KubernetesApi) -> None:
    assert arcan("kubernetes", "--namespace=shop", "--secret=web-tls").status == 0
    assert set(arcan.seen_by_sops()) == {"tls.crt", "tls.key"}


def test_a_secret_that_is_not_there_is_a_failure(arcan: ImportCommand, cluster: KubernetesApi) -> None:
    result = arcan("kubernetes", "--namespace=shop", "--secret=web-tls", "--secret=backnd")
    assert result.status == 1
    assert "failed    backnd (there is no such Secret)" in result.out
    assert set(arcan.seen_by_sops()) == {"web-tls.tls.crt", "web-tls.tls.key"}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_what_external_secrets_made_is_declared(
    version: str, arcan: ImportCommand, cluster: KubernetesApi
) -> None:
    cluster.version = version
    cluster.external_secrets = [
        external_secret("a", "backend"), external_secret("web-tls"), external_secret("never-synced"),
    ]  # fmt: skip
    cluster.external_secrets[1]["spec"]["target"] = {"template": {"type": "kubernetes.io/tls"}}
    result = arcan("kubernetes", "--namespace=shop", "--adopt", "--token=eso")
    assert result.status == 1
    assert "declared  kustomize/apps/shop.yaml (Secrets backend, web-tls)" in result.out
    assert (
        "failed    ExternalSecret shop/never-synced (the Secret 'never-synced' that it makes was not"
        in result.out
    )
    path = Path("kustomize/apps/shop.yaml")
    app = App.parse(path.read_bytes(), str(path))
    assert (str(app.namespace if hasattr(app, "namespace") else app.place), str(app.name)) == ("shop", "shop")
    assert [(one.name, one.type and one.type.name) for one in app.secrets] == [
        ("backend", None), ("web-tls", "kubernetes.io/tls"),
    ]  # fmt: skip
    assert [(key.key, name, key.decode) for one in app.secrets for name, key in (one.keys or {}).items()] == [
        ("backend.DATABASE_URL", "DATABASE_URL", "None"),
        ("backend.blob", "blob", "Base64"),
        ("web-tls.tls.crt", "tls.crt", "None"),
        ("web-tls.tls.key", "tls.key", "None"),
    ]
    assert "refreshInterval: 15m" in path.read_text()


def test_a_user_who_may_not_list_is_told_so(arcan: ImportCommand, cluster: KubernetesApi) -> None:
    cluster.write_kubeconfig(arcan.folder / "test.kubeconfig", token="wrong")
    assert_error(
        arcan("kubernetes", "--namespace=shop"), "cannot be read: 401", "kubectl auth can-i list secrets"
    )


def test_a_kubeconfig_that_is_not_there_is_an_error(arcan: ImportCommand, cluster: KubernetesApi) -> None:
    (arcan.folder / "test.kubeconfig").unlink()
    assert_error(arcan("kubernetes", "--namespace=shop"), "the kubeconfig cannot be used", "KUBECONFIG")


def test_a_context_that_is_not_there_is_an_error(arcan: ImportCommand, cluster: KubernetesApi) -> None:
    assert_error(arcan("kubernetes", "--namespace=shop", "--context=no"), "the kubeconfig cannot be used")
