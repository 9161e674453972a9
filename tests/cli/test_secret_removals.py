"""What takes a key away writes that down, in a realm that records it; what brings it back deletes the record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.realms.check import check
from arcan_gitops.realms.removals import Removal
from tests.support.secret_command import SecretCommand

UNSET = ("unset", "shop", "PORT", "--env", "prod")


@pytest.fixture
def secret(secret_command: SecretCommand) -> SecretCommand:
    secret_command.path.with_name("realm.yaml").write_text("deletions: recorded\n")
    return secret_command


def record(secret: SecretCommand, key: str) -> Path:
    return secret.files.root / "shop" / "removed" / "prod" / f"{key}.yaml"


def problems(secret: SecretCommand) -> list[str]:
    return [problem.message for problem in check(secret.files.root).problems]


def test_unset_records_the_version_that_went_the_day_and_the_reason(secret: SecretCommand) -> None:
    version = sops.digests(secret.path.read_bytes()).keys["PORT"]
    result = secret(*UNSET, "--reason", "the app has its own port")
    assert result.status == 0
    assert "recorded, commit it too: realms/shop/removed/prod/PORT.yaml" in result.err
    found = Removal.parse(record(secret, "PORT").read_bytes(), "a record")
    assert found == Removal(version, datetime.now(UTC).date(), "the app has its own port")
    assert problems(secret) == []


def test_rename_records_the_old_name(secret: SecretCommand) -> None:
    assert secret("rename", "shop", "PORT", "HTTP_PORT", "--env", "prod").status == 0
    assert Removal.parse(record(secret, "PORT").read_bytes(), "").reason == "renamed to HTTP_PORT"
    assert not record(secret, "HTTP_PORT").exists()
    assert secret("rename", "shop", "HTTP_PORT", "PORT", "--env", "prod").status == 0
    assert not record(secret, "PORT").exists()
    assert record(secret, "HTTP_PORT").exists()


@pytest.mark.parametrize("how", ["set", "generate", "import"])
def test_a_key_that_is_there_again_loses_its_record(secret: SecretCommand, how: str) -> None:
    assert secret(*UNSET).status == 0
    arguments = {
        "set": ("set", "shop", "PORT", "--env", "prod", "--stdin"),
        "generate": ("generate", "shop", "PORT", "--env", "prod"),
        "import": ("import", "shop", "-", "--env", "prod", "--format", "dotenv"),
    }[how]
    assert secret(*arguments, stdin=b"PORT=1\n").status == 0
    assert not record(secret, "PORT").exists()
    assert not (secret.files.root / "shop" / "removed").exists()


def test_a_key_of_a_document_of_another_name_and_a_dot_key_have_records_too(secret: SecretCommand) -> None:
    assert secret("set", "shop", ".dockerconfigjson", "--env", "prod", "--stdin", stdin=b"{}").status == 0
    assert secret("unset", "shop", ".dockerconfigjson", "--env", "prod").status == 0
    assert record(secret, ".dockerconfigjson").exists()
    assert problems(secret) == []


def test_a_part_of_a_map_that_goes_is_no_removal(secret: SecretCommand) -> None:
    assert secret("unset", "shop", "LIMITS.per_day", "--env", "prod", "--path").status == 0
    assert not (secret.files.root / "shop" / "removed").exists()


def test_without_the_setting_nothing_is_recorded(secret: SecretCommand) -> None:
    secret.path.with_name("realm.yaml").unlink()
    result = secret(*UNSET)
    assert (result.status, "recorded" in result.err) == (0, False)
    assert not (secret.files.root / "shop" / "removed").exists()


def test_what_cannot_be_recorded_is_not_removed(secret: SecretCommand) -> None:
    before = secret.path.read_bytes()
    (secret.files.root / "shop" / "removed").write_text("no folder")
    result = secret(*UNSET)
    assert result.status == 1
    assert "the record of a removal cannot be written" in result.err
    assert secret.path.read_bytes() == before


def test_a_document_that_cannot_be_written_leaves_no_record(
    secret: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("arcan_gitops.realms.editing.write_document", full)
    assert secret(*UNSET).status != 0
    assert not (secret.files.root / "shop" / "removed").exists()


def test_check_holds_records_against_what_is_there(secret: SecretCommand) -> None:
    assert secret(*UNSET).status == 0
    data = record(secret, "PORT").read_bytes()
    record(secret, "DATABASE_URL").write_bytes(data)
    record(secret, "EMPTY").write_bytes(b"")
    record(secret, "ODD").write_bytes(data.replace(b"version:", b"versoin:"))
    record(secret, "NO_DAY").write_bytes(data.replace(b"date: ", b"date: x"))
    record(secret, "PORT").with_name("notes.txt").write_text("x")
    (secret.files.root / "shop" / "removed" / "Not-An-Env").mkdir()
    (secret.files.root / "shop" / "removed" / "stray").write_text("x")
    elsewhere = secret.files.root / "shop" / "removed" / "gone"
    elsewhere.mkdir()
    (elsewhere / "KEY.yaml").write_text("nonsense: 1\n")
    found = "\n".join(problems(secret))
    for said in (
        "DATABASE_URL.yaml: says that DATABASE_URL was removed, and it is there",
        "EMPTY.yaml",
        "ODD.yaml",
        "'date' is no day",
        "notes.txt: not the record of a removed key",
        "'Not-An-Env' is not a valid environment name",
        "stray: not the folder of an environment",
        "gone/KEY.yaml",
    ):
        assert said in found, said
    assert "PORT.yaml" not in found
