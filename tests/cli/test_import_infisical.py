"""`arcan import infisical`: an environment with its folders, imports and personal values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.import_command import ImportCommand
from tests.support.infisical import CLIENT, PROJECT, Infisical, infisical_secret
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


@pytest.fixture
def infisical(arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Infisical]:
    with Infisical() as infisical:
        infisical.secrets = [
            infisical_secret("/", "API_KEY", f"{CANARY}-api"),
            infisical_secret("/db", "PASSWORD", f"{CANARY}-db"),
            infisical_secret("/", "MINE", CANARY, type="personal"),
            infisical_secret("/", "HIDDEN", "<hidden>", secretValueHidden=True),
        ]
        shared = [
            infisical_secret("/shared", "API_KEY", "no"),
            infisical_secret("/shared", "SMTP", f"{CANARY}-smtp"),
        ]
        infisical.imports = [
            {"secretPath": "/shared", "environment": "prod", "folderId": "1", "secrets": shared}
        ]
        monkeypatch.setenv("INFISICAL_DOMAIN", infisical.address)
        monkeypatch.setenv("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", CLIENT["clientId"])
        monkeypatch.setenv("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", CLIENT["clientSecret"])
        yield infisical


def test_an_environment_lands_with_its_folders_and_imports(
    arcan: ImportCommand, infisical: Infisical
) -> None:
    result = arcan("infisical", f"--project={PROJECT}")
    assert result.status == 1  # one value is hidden
    assert arcan.seen_by_sops() == {
        "API_KEY": f"{CANARY}-api", "SMTP": f"{CANARY}-smtp", "db.PASSWORD": f"{CANARY}-db",
    }  # fmt: skip
    assert "skipped   MINE (somebody's personal value" in result.out
    assert "failed    HIDDEN (its value is hidden from this identity)" in result.out
    assert "imported  SMTP -> SMTP (imported from prod /shared)" in result.out


def test_a_path_is_no_part_of_the_names_and_external_secrets_find_it(
    arcan: ImportCommand, infisical: Infisical
) -> None:
    infisical.imports = []
    Path("es.yaml").write_text("""\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: shop, namespace: shop}
spec:
  data:
    - {secretKey: password, remoteRef: {key: PASSWORD}}
    - {secretKey: again, remoteRef: {key: /db/PASSWORD}}
""")
    result = arcan("infisical", f"--project={PROJECT}", "--path=/db", "--external-secrets=es.yaml")
    assert (result.status, arcan.seen_by_sops()) == (0, {"PASSWORD": f"{CANARY}-db"})
    assert "declared  kustomize/apps/shop.yaml (Secrets shop)" in result.out


def test_a_wrong_login_shows_nothing_that_was_sent(arcan: ImportCommand, infisical: Infisical) -> None:
    result = arcan("infisical", f"--project={PROJECT}", INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET=CANARY)
    assert_error(result, "no login: HTTP 401", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID")


@pytest.mark.parametrize("options", [[f"--project={PROJECT}", "--from-env=nope"], ["--project=other"]])
def test_what_is_not_there_is_an_error(
    options: list[str], arcan: ImportCommand, infisical: Infisical
) -> None:
    assert_error(arcan("infisical", *options), "cannot be read: HTTP 404", "check the project's id")


def test_without_credentials_the_hint_names_them(arcan: ImportCommand) -> None:
    assert_error(arcan("infisical", "--project=x"), "no credentials", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID")
