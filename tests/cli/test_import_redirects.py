"""`arcan import` and answers that send on to elsewhere: no credential follows to where others read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.import_command import ImportCommand
from tests.support.infisical import CLIENT, PROJECT, Infisical, infisical_secret
from tests.support.json_server import JsonServer, Request
from tests.support.key_value_vault import TOKEN, KeyValueVault
from tests.support.kubernetes_api import KubernetesApi, secret
from tests.support.realm_files import CANARY
from tests.support.secret_command import Result, assert_error
from tests.support.tls_server import TestAuthority, redirecting


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


@pytest.fixture
def authority(tmp_path: Path) -> TestAuthority:
    folder = tmp_path / "tls"
    folder.mkdir()
    return TestAuthority(folder)


@pytest.fixture
def vault() -> Iterator[KeyValueVault]:
    with KeyValueVault(secrets={"shop": {"KEY": CANARY}}) as vault:
        yield vault


@pytest.fixture
def infisical(monkeypatch: pytest.MonkeyPatch) -> Iterator[Infisical]:
    monkeypatch.setenv("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", CLIENT["clientId"])
    monkeypatch.setenv("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", CLIENT["clientSecret"])
    with Infisical(secrets=[infisical_secret("/", "KEY", CANARY)]) as infisical:
        yield infisical


def test_vault_over_tls_does_not_send_its_token_on_to_plain_http(
    arcan: ImportCommand, authority: TestAuthority, vault: KeyValueVault
) -> None:
    with authority.redirect(vault.address) as address:
        result = arcan("vault", VAULT_ADDR=address, VAULT_CACERT=str(authority.ca), VAULT_TOKEN=TOKEN)
    assert_error(result, f"VAULT_ADDR: {address} redirects to {vault.address}, plain http", "https://")
    assert vault.requests == []


def test_vault_on_this_machine_does_not_send_its_token_on_to_plain_http_of_another(
    arcan: ImportCommand,
) -> None:
    with redirecting("http://vault-0.vault-internal:8200") as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        result = arcan("vault", VAULT_ADDR=address, VAULT_TOKEN=TOKEN)
    assert_error(result, "redirects to http://vault-0.vault-internal:8200, plain http", "VAULT_ADDR")


def test_vault_does_not_send_its_token_on_to_another_server(
    arcan: ImportCommand, authority: TestAuthority, vault: KeyValueVault
) -> None:
    other = authority.wrap(vault._server)
    with authority.redirect(other) as address:
        result = arcan("vault", VAULT_ADDR=address, VAULT_CACERT=str(authority.ca), VAULT_TOKEN=TOKEN)
    assert_error(result, f"VAULT_ADDR: {address} redirects to {other}, another server", "set VAULT_ADDR to")
    assert vault.requests == []


def test_vault_that_redirects_to_itself_without_end_is_told_of(arcan: ImportCommand) -> None:
    with redirecting("") as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        result = arcan("vault", VAULT_ADDR=address, VAULT_TOKEN=TOKEN)
    assert_error(result, "it redirects without end")


def infisical_at(arcan: ImportCommand, address: str, authority: TestAuthority, token: str = "") -> Result:
    return arcan(
        "infisical",
        f"--project={PROJECT}",
        INFISICAL_DOMAIN=address,
        REQUESTS_CA_BUNDLE=str(authority.ca),
        INFISICAL_TOKEN=token,
    )


@pytest.mark.parametrize("token", ["", f"token-{CANARY}"])
def test_infisical_over_tls_does_not_send_its_credentials_on_to_plain_http(
    token: str, arcan: ImportCommand, authority: TestAuthority, infisical: Infisical
) -> None:
    with authority.redirect(infisical.address) as address:
        result = infisical_at(arcan, address, authority, token)
    assert_error(
        result, f"INFISICAL_DOMAIN: {address} redirects to {infisical.address}, plain http", "https://"
    )
    assert infisical.requests == []


def test_infisical_does_not_send_its_login_on_to_another_host(
    arcan: ImportCommand, authority: TestAuthority, infisical: Infisical
) -> None:
    other = authority.wrap(infisical._server)
    with authority.redirect(other) as address:
        result = infisical_at(arcan, address, authority)
    assert_error(
        result, f"INFISICAL_DOMAIN: {address} redirects to {other}, another server", "INFISICAL_DOMAIN"
    )
    assert infisical.requests == []


def test_a_redirect_that_is_no_plain_address_is_not_shown(
    arcan: ImportCommand, authority: TestAuthority
) -> None:
    with authority.redirect(f"http://{CANARY}\x1b[31m.example.com") as address:
        result = arcan("vault", VAULT_ADDR=address, VAULT_CACERT=str(authority.ca), VAULT_TOKEN=TOKEN)
    assert_error(result, "VAULT_ADDR")
    assert "\x1b" not in result.err


def test_the_kubernetes_client_follows_nothing(
    arcan: ImportCommand, authority: TestAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        KubernetesApi(secrets=[secret("shop", {"KEY": CANARY})]) as cluster,
        authority.redirect(cluster.address) as address,
    ):
        path = arcan.folder / "test.kubeconfig"
        cluster.write_kubeconfig(path)
        text = path.read_text().replace(
            f"server: {cluster.address}", f"server: {address}\n    certificate-authority: {authority.ca}"
        )
        path.write_text(text)
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
        result = arcan("kubernetes", "--namespace=shop")
        assert_error(result, "redirects to another address (307)", "name in the kubeconfig the server")
        assert cluster.requests == []


class Anything(JsonServer):
    def answer(self, request: Request) -> tuple[int, Any]:
        return 200, {}


def test_the_client_of_aws_follows_nothing(arcan: ImportCommand, authority: TestAuthority) -> None:
    with Anything() as elsewhere, authority.redirect(elsewhere.address) as address:
        result = arcan(
            "aws",
            AWS_ENDPOINT_URL=address,
            AWS_CA_BUNDLE=str(authority.ca),
            AWS_ACCESS_KEY_ID="AKIATEST",
            AWS_SECRET_ACCESS_KEY="x",
            AWS_SESSION_TOKEN="y",
            AWS_REGION="eu-central-1",
        )
        assert_error(result, "AWS Secrets Manager in eu-central-1: cannot be listed")
        assert elsewhere.requests == []
