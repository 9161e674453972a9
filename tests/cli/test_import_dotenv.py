"""`arcan import dotenv`, and what holds for every source: Ctrl-C, a missing package, bad options."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.migrate import Found, Origin
from arcan_gitops.migrate.sources.dotenv import DotenvSource
from arcan_gitops.secret import SecretValue
from tests.support.import_command import ImportCommand
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error

DOTENV = f"API_KEY={CANARY}-api\nexport ORDER_PREFIX=0071\nbad.name_is-fine='{CANARY}'\n"


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    (tmp_path / "old.env").write_text(DOTENV)
    return ImportCommand(tmp_path, monkeypatch, capsys)


def test_a_file_lands_in_a_new_document_and_again_in_the_same(arcan: ImportCommand) -> None:
    result = arcan("dotenv", "old.env")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == {
        "API_KEY": f"{CANARY}-api", "ORDER_PREFIX": "0071", "bad.name_is-fine": CANARY,
    }  # fmt: skip
    before = arcan.path.read_bytes()
    again = arcan("dotenv", "-", stdin=DOTENV.encode() + f"NEW={CANARY}-new\n".encode())
    assert (again.status, arcan.seen_by_sops()["NEW"]) == (0, f"{CANARY}-new")
    assert "imported  NEW -> NEW\n" in again.out
    assert "1 imported, 3 unchanged" in again.err
    assert {line for line in before.splitlines() if b"ENC[" in line and b"mac" not in line} <= set(
        arcan.path.read_bytes().splitlines()
    )


def test_a_document_that_cannot_be_opened_is_left_as_it_is(
    arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert arcan("dotenv", "old.env").status == 0
    before = arcan.path.read_bytes()
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    assert_error(arcan("dotenv", "old.env"), "no age identity")
    assert arcan.path.read_bytes() == before


def test_what_was_read_before_ctrl_c_is_written(
    arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: object) -> Any:
        yield Found(Origin("API_KEY"), SecretValue(f"{CANARY}-api"))
        raise KeyboardInterrupt

    monkeypatch.setattr(DotenvSource, "read", interrupted)
    result = arcan("dotenv", "old.env", "--map=ORDER_PREFIX=PREFIX")
    assert (result.status, arcan.seen_by_sops()) == (130, {"API_KEY": f"{CANARY}-api"})
    assert "interrupted: what was read so far (1) is kept" in result.err


@pytest.mark.parametrize(
    ("extra", "package", "command"),
    [
        ("vault", "hvac", ["vault"]),
        ("aws", "boto3", ["aws"]),
        ("kubernetes", "kubernetes", ["kubernetes", "--namespace=shop"]),
        ("infisical", "infisical_sdk", ["infisical", "--project=x"]),
    ],
)
def test_a_missing_client_library_is_named_with_its_extra(
    extra: str, package: str, command: list[str], arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    result = arcan(*command, VAULT_TOKEN="t", INFISICAL_TOKEN="t")
    assert_error(result, "is not installed", f"arcan: hint: pip install 'arcan-gitops[{extra}]'")


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--map=x", "'x' is not ORIGIN=KEY"),
        ("--map=x=a b", "not a valid key name"),
        ("--map=NOPE=X", "--map: there is no 'NOPE' in the source"),
        ("--map=API_KEY=sops", "failed    API_KEY ('sops' is not a name"),
    ],
)
def test_a_map_that_cannot_be_is_told_of(option: str, problem: str, arcan: ImportCommand) -> None:
    result = arcan("dotenv", "old.env", option)
    assert result.status in (1, 2)
    assert problem in result.out + result.err
