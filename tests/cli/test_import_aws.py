"""`arcan import aws`, against moto's server: Secrets Manager and Parameter Store as AWS answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.support.import_command import ImportCommand
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error

BINARY = b"\xff\x00" + CANARY.encode()
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], endpoint: str
) -> ImportCommand:
    arcan = ImportCommand(tmp_path, monkeypatch, capsys)
    variables = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
                 "AWS_ENDPOINT_URL": endpoint, "AWS_MAX_ATTEMPTS": "1"}  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return arcan


@pytest.fixture(scope="module")
def secrets_manager(endpoint: str) -> Any:
    client: Any = boto3.client("secretsmanager", region_name=REGION, endpoint_url=endpoint,
                               aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
    client.create_secret(
        Name="prod/shop/db", SecretString=f'{{"user": "shop", "password": "{CANARY}-db", "port": 5432}}'
    )
    client.create_secret(Name="prod/shop/api", SecretString=f"{CANARY}-api")
    client.create_secret(Name="prod/shop/blob", SecretBinary=BINARY)
    client.create_secret(Name="prod/shopping", SecretString=f"{CANARY}-other")
    return client


@pytest.fixture(scope="module")
def parameter_store(endpoint: str) -> None:
    client: Any = boto3.client("ssm", region_name=REGION, endpoint_url=endpoint,
                               aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
    for number in range(23):
        client.put_parameter(Name=f"/prod/many/k{number:02}", Value=f"{CANARY}-{number}", Type="SecureString")
    client.put_parameter(Name="/prod/shop/list", Value="a,b", Type="StringList")
    client.put_parameter(Name="bare", Value=f"{CANARY}-bare", Type="String")


@pytest.mark.usefixtures("secrets_manager")
def test_the_fields_of_a_json_secret_are_keys_and_bytes_are_base64(arcan: ImportCommand) -> None:
    result = arcan("aws", "--path=prod/shop")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == {
        "api": f"{CANARY}-api",
        "blob": base64.b64encode(BINARY).decode(),
        "db.password": f"{CANARY}-db",
        "db.port": "5432",
        "db.user": "shop",
    }
    assert "imported  prod/shop/db#password -> db.password\n" in result.out
    assert "imported  prod/shop/blob -> blob (is not UTF-8 text: kept as base64" in result.out
    assert f"reading AWS Secrets Manager in {REGION}, prod/shop" in result.err


@pytest.mark.usefixtures("secrets_manager")
def test_json_stays_in_one_piece_where_it_is_wanted_so(arcan: ImportCommand) -> None:
    assert arcan("aws", "--whole=prod/shop/db").status == 0
    assert (
        arcan.seen_by_sops()["prod.shop.db"] == f'{{"user": "shop", "password": "{CANARY}-db", "port": 5432}}'
    )
    assert arcan.seen_by_sops()["prod.shopping"] == f"{CANARY}-other"


def test_the_external_secrets_of_a_store_are_declared(arcan: ImportCommand, secrets_manager: Any) -> None:
    arn = secrets_manager.describe_secret(SecretId="prod/shop/db")["ARN"]
    Path("cluster").mkdir()
    Path("cluster/shop.yaml").write_text(f"""\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: shop, namespace: shop}}
spec:
  secretStoreRef: {{name: aws, kind: ClusterSecretStore}}
  data:
    - {{secretKey: PASSWORD, remoteRef: {{key: "{arn}", property: password}}}}
    - {{secretKey: API, remoteRef: {{key: prod/shop/api, version: AWSCURRENT}}}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: all, namespace: shop}}
spec:
  secretStoreRef: {{name: aws, kind: ClusterSecretStore}}
  data:
    - {{secretKey: DB, remoteRef: {{key: prod/shop/db}}}}
""")
    result = arcan("aws", "--path=prod/shop", "--external-secrets=cluster", "--format=json")
    assert result.status == 1
    text = Path("kustomize/apps/shop.yaml").read_text()
    assert "- key: db.password\n    as: PASSWORD\n  - key: api\n    as: API\n" in text
    assert (
        "entry 'DB' reads prod/shop/db, which this run did not import, which is several keys now"
        in result.out
    )
    assert "--whole" in result.out
    assert "overlays:" not in text  # there is one environment


SHOP = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: shop, namespace: shop}
spec:
  data: [{secretKey: API, remoteRef: {key: prod/shop/api}}]
"""


@pytest.mark.parametrize(
    ("overlays", "written"),
    [
        ("{prod: {environment: prod}}", None),
        (
            "{a: {environment: prod}, b: {environment: test}, '3': {environment: prod}}",
            "overlays:\n- '3'\n- a\n",
        ),
        ("", "overlays:\n- prod\n"),  # one for each environment, and another realm has a second
    ],
)
@pytest.mark.usefixtures("secrets_manager")
def test_an_app_goes_to_the_overlays_of_the_environment(
    overlays: str, written: str | None, arcan: ImportCommand
) -> None:
    Path("es.yaml").write_text(SHOP)
    Path("kustomize").mkdir()
    if overlays:
        Path("kustomize/arcan.yaml").write_text(f"overlays: {overlays}\n")
    else:
        arcan.files.root.mkdir()
        arcan.files.write("other", "staging", "A: b\n")
    assert arcan("aws", "--path=prod/shop", "--external-secrets=es.yaml").status == 0
    text = Path("kustomize/apps/shop.yaml").read_text()
    assert ("overlays:" in text) == (written is not None)
    assert written is None or text.endswith(written)


@pytest.mark.usefixtures("secrets_manager")
def test_an_environment_without_an_overlay_is_an_error_before_anything_is_written(
    arcan: ImportCommand,
) -> None:
    Path("es.yaml").write_text(SHOP)
    Path("kustomize").mkdir()
    Path("kustomize/arcan.yaml").write_text("overlays: {test: {environment: test}}\n")
    result = arcan("aws", "--path=prod/shop", "--external-secrets=es.yaml")
    assert result.status == 1
    assert "no overlay has the environment 'prod'" in result.err
    assert "arcan overlay add prod --env prod" in result.err
    assert not arcan.path.exists()


@pytest.mark.usefixtures("parameter_store")
def test_parameters_are_one_key_each(arcan: ImportCommand) -> None:
    result = arcan("aws", "--service=parameter-store")
    assert result.status == 0, result.err
    seen = arcan.seen_by_sops()
    assert len(seen) == 25
    assert (seen["prod.many.k22"], seen["prod.shop.list"], seen["bare"]) == (
        f"{CANARY}-22",
        "a,b",
        f"{CANARY}-bare",
    )
    assert "imported  /prod/shop/list -> prod.shop.list" in result.out


@pytest.mark.usefixtures("parameter_store")
def test_parameters_below_a_path(arcan: ImportCommand) -> None:
    assert arcan("aws", "--service=parameter-store", "--path=/prod/shop").status == 0
    assert arcan.seen_by_sops() == {"list": "a,b"}


@pytest.mark.usefixtures("secrets_manager")
@pytest.mark.parametrize("service", ["secrets-manager", "parameter-store"])
def test_nothing_at_all_is_an_error(service: str, arcan: ImportCommand) -> None:
    result = arcan("aws", f"--service={service}", "--path=nowhere")
    assert_error(result, "there is nothing", "check the region and the path")
    assert not arcan.files.root.exists()


def test_without_a_region_the_hint_names_it(arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    assert_error(arcan("aws"), "AWS cannot be asked: NoRegionError", "--region")


def test_without_credentials_the_error_has_the_name_alone(
    arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert_error(arcan("aws"), "cannot be listed: NoCredentialsError")
