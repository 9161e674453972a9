"""The Secrets of a token: those that the stores of the declared apps read, in every overlay; and private files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from arcan_gitops.access import digest, read_tokens
from arcan_gitops.cli import arcan

SETTINGS = """\
stores: {fullNames: true}
overlays:
  dev: {environment: dev}
  eu: {environment: prod}
  us: {environment: prod, stores: {scope: cluster}, tokenSecret: {name: other, key: text}}
"""
APP = "name: shop\nrealm: production\nnamespace: web\ntoken: shop\nsecrets: [{name: env, keys: [URL]}]\n"
CREATE = ("create", "--realm=production", "--name=shop", "--format=secret")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "realms/production").mkdir(parents=True)
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/arcan.yaml").write_text(SETTINGS)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(APP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, ["token", *arguments])


def secrets(result: Result) -> dict[str, dict[str, str]]:
    """`namespace/name` -> the values."""
    assert result.exit_code == 0, result.exception
    documents: list[Any] = list(yaml.safe_load_all(result.stdout))
    for each in documents:
        assert each["metadata"]["labels"] == {"external-secrets.io/type": "webhook"}
    return {
        "/".join([each["metadata"].get("namespace", ""), each["metadata"]["name"]]): each["stringData"]
        for each in documents
    }


@pytest.mark.parametrize("rotated", [False, True])
def test_the_secrets_are_those_that_the_stores_of_each_overlay_read(rotated: bool) -> None:
    result = run(*CREATE)
    if rotated:
        result = run("rotate", "shop", "--format=secret")
    made = secrets(result)
    assert {place: list(values) for place, values in made.items()} == {
        "external-secrets/other.production.shop": ["text"],
        "web/arcan-credentials.production.shop": ["token"],
    }
    record = read_tokens(Path("realms/production/tokens.yaml").read_bytes(), "t")[-1]
    assert {digest(text) for values in made.values() for text in values.values()} == {record.digest}
    assert "# for overlays dev, eu\n" in result.stdout
    assert "Secret web/arcan-credentials.production.shop is for overlays dev, eu" in result.stderr


def test_one_overlay_or_one_namespace_can_be_asked_for() -> None:
    assert list(secrets(run(*CREATE, "--overlay=us"))) == ["external-secrets/other.production.shop"]
    rotate = ("rotate", "shop", "--format=secret")
    assert list(secrets(run(*rotate, "--namespace=web"))) == ["web/arcan-credentials.production.shop"]
    assert list(secrets(run(*rotate, "--namespace=web", "--name=mine"))) == ["web/mine"]
    assert list(secrets(run(*rotate, "--secret-name=mine"))) == ["external-secrets/mine", "web/mine"]
    before = Path("realms/production/tokens.yaml").read_bytes()
    wrong = run(*rotate, "--overlay=uss")
    assert wrong.exit_code == 1
    assert Path("realms/production/tokens.yaml").read_bytes() == before


def test_a_namespace_that_no_store_reads_is_said_with_those_that_do() -> None:
    result = run(*CREATE, "--namespace=wob")
    assert list(secrets(result)) == ["wob/arcan-credentials.production.shop"]
    assert (
        "no store reads token 'shop' in namespace wob, but: external-secrets/other.production.shop, web/"
        in (result.stderr)
    )


def test_a_token_that_no_app_uses_yet_gets_the_name_that_its_stores_will_read(repository: Path) -> None:
    (repository / "kustomize/apps/shop.yaml").unlink()
    assert list(secrets(run(*CREATE))) == ["/arcan-credentials.production.shop"]
    refused = run("create", "--realm=production", "--name=Shop_1", "--format=secret")
    assert refused.exit_code == 1  # no Secret can be called so
    assert "Shop_1" not in Path("realms/production/tokens.yaml").read_text()
    assert (
        run("create", "--realm=production", "--name=Shop_1", "--format=secret", "--secret-name=x").exit_code
        == 0
    )


def test_an_app_that_cannot_be_read_stops_it_before_anything_is_recorded(repository: Path) -> None:
    (repository / "kustomize/apps/shop.yaml").write_text("name: shop\n")
    assert run(*CREATE).exit_code == 1
    assert not Path("realms/production/tokens.yaml").exists()
    assert run("create", "--realm=production", "--name=shop").exit_code == 0  # no Secret, no apps needed


def test_the_old_name_of_the_option_warns() -> None:
    result = run(*CREATE[:-1], "--output=secret", "--overlay=eu")
    assert list(secrets(result)) == ["web/arcan-credentials.production.shop"]
    assert "warning: '--output secret' is now '--format secret'" in result.stderr


# Private files


def test_a_file_gets_the_token_and_nobody_else_can_read_it(repository: Path) -> None:
    before = os.umask(0)
    try:
        result = run("create", "--realm=production", "--name=shop", "--output-file=keys/shop")
    finally:
        os.umask(before)
    assert result.exit_code == 0, result.exception
    assert result.stdout == ""
    text = Path("keys/shop").read_text()
    assert Path("keys/shop").stat().st_mode & 0o7777 == 0o600
    (record,) = read_tokens(Path("realms/production/tokens.yaml").read_bytes(), "t")
    assert digest(text.strip()) == record.digest
    assert text.strip() not in result.stderr
    assert "is inside the Git work tree" not in result.stderr
    (repository / ".git").mkdir()
    rotated = run("rotate", "shop", "--output-file=shop.yaml", "--format=secret", "--overlay=eu")
    assert "warning: shop.yaml: is inside the Git work tree" in rotated.stderr
    assert yaml.safe_load(Path("shop.yaml").read_text())["stringData"]["token"].startswith("arc_")


def test_a_file_that_is_there_is_not_replaced_and_no_token_is_made() -> None:
    Path("mine").write_text("mine\n")
    result = run("create", "--realm=production", "--name=shop", "--output-file=mine")
    assert result.exit_code == 1
    assert Path("mine").read_text() == "mine\n"
    assert not Path("realms/production/tokens.yaml").exists()


def test_a_token_that_cannot_be_recorded_leaves_no_file() -> None:
    run("create", "--realm=production", "--name=shop")
    assert run("create", "--realm=production", "--name=shop", "--output-file=token").exit_code == 1
    assert not Path("token").exists()


# What is said of a token


def test_a_token_without_an_end_is_said_to_have_none_and_how_it_gets_one(repository: Path) -> None:
    (repository / "realms/production/realm.yaml").write_text("tokenExpiry: 45d\n")
    result = run("create", "--realm=production", "--name=shop")
    assert "token 'shop' never ends; to give it an end: arcan token scope" in result.stderr
    command = result.stderr.partition("to give it an end: arcan token ")[2].splitlines()[0]
    assert command.endswith("--expires 45d")
    assert run(*command.split()).exit_code == 0
    (record,) = read_tokens(Path("realms/production/tokens.yaml").read_bytes(), "t")
    assert record.expires is not None
    assert "never" not in run("create", "--realm=production", "--name=two", "--expires=9d").stderr
