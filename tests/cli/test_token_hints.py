"""A hint that offers a token is pasted: what it makes reads what the apps need, ends, and reads nothing else."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.access import TokenRecord, read_tokens
from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import encrypt
from tests.support.realm_files import new_identity

APP = """\
name: shop
realm: production
namespace: shop
token: {dev: shop-dev, prod: shop}
secrets: [{name: shop, keys: [URL]}]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    realm = tmp_path / "realms/production"
    realm.mkdir(parents=True)
    _, recipient = new_identity()
    for environment in ("dev", "prod"):
        document = encrypt({"URL": "x", "PASSWORD": "y"}, recipients=[recipient])
        (realm / f"{environment}.sops.yaml").write_bytes(document)
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(APP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(arcan, list(arguments))


def records() -> dict[str, TokenRecord]:
    found = read_tokens(Path("realms/production/tokens.yaml").read_bytes(), "tokens.yaml")
    return {record.name: record for record in found}


@pytest.mark.parametrize(("realm_file", "days"), [("", 180), ("tokenExpiry: 30d\n", 30)])
def test_the_commands_that_generation_offers_make_all_tokens_and_the_narrowest(
    repository: Path, realm_file: str, days: int
) -> None:
    if realm_file:
        (repository / "realms/production/realm.yaml").write_text(realm_file)
    error = run("generate", "overlays").exception
    assert isinstance(error, ArcanError)
    commands = re.findall(r"create it: arcan (.*)", error.message)
    assert len(commands) == 2
    for command in commands:
        result = run(*shlex.split(command))
        assert result.exit_code == 0, command
    assert run("generate", "overlays").exit_code == 0
    made = records()
    assert made["shop-dev"].environments == ("dev",)
    assert made["shop"].environments == ("prod",)
    for record in made.values():
        assert record.keys == ("URL",)
        assert record.expires == record.created + timedelta(days=days)


def test_the_first_way_that_is_offered_makes_the_token_and_its_secret(repository: Path) -> None:
    error = run("generate", "overlays").exception
    assert isinstance(error, ArcanError)
    offered = re.findall(r"hint: with its Secret in the cluster: arcan (.*?); or create it", error.message)
    assert offered == ["bootstrap dev", "bootstrap prod"]
    for command in offered:
        script = run(*shlex.split(command))
        assert script.exit_code == 0
        assert "arcan token create" in script.output


def test_a_token_expiry_that_is_no_duration_is_an_error_of_the_realm(repository: Path) -> None:
    for text, said in (("soon", "'soon' is not a duration"), ("0d", "'tokenExpiry' is zero")):
        (repository / "realms/production/realm.yaml").write_text(f"allowEmpty: []\ntokenExpiry: {text}\n")
        result = run("realm", "check")
        assert result.exit_code == 1
        assert f"realm.yaml:2: {said}" in result.output.replace("'tokenExpiry': ", "")
