"""What `arcan import` prints of names from elsewhere: none begins a line, where `::error::` is a command."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.support.import_command import ImportCommand
from tests.support.realm_files import encrypt
from tests.support.secret_command import Result

NAME = "x\n::error file=x::forged\n##[error]forged"


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


def assert_not_forged(result: Result) -> None:
    lines = (result.out + result.err).splitlines()
    assert any("forged" in line for line in lines), "the name is not shown at all"
    assert [line for line in lines if line.lstrip().startswith(("::", "##["))] == []


@pytest.mark.parametrize("options", [[], ["--json"], ["--dry-run"]])
def test_a_report_has_a_line_for_each_value(options: list[str], arcan: ImportCommand) -> None:
    data = {NAME: base64.b64encode(b"x").decode(), f"{NAME}2": "?"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "data": data}
    other = {"apiVersion": "v1", "kind": NAME, "metadata": {"name": "y"}}
    items = {"apiVersion": "v1", "kind": "List", "items": [secret, other]}
    (arcan.folder / "all.yaml").write_bytes(encrypt(json.dumps(items), arcan.files.recipient))
    result = arcan("sops", "all.yaml", *options)
    assert result.status == 1
    assert_not_forged(result)


@pytest.mark.parametrize("command", [["dotenv", NAME], ["sops", NAME, "other"]])
def test_the_name_of_a_file_begins_no_line(command: list[str], arcan: ImportCommand) -> None:
    result = arcan(*command)
    assert result.status == 1
    assert_not_forged(result)


def test_the_name_of_a_file_that_is_read_begins_no_line(arcan: ImportCommand) -> None:
    name = NAME.replace("/", "")
    (arcan.folder / name).write_text("A=x\n1B=y\n")
    assert_not_forged(arcan("dotenv", name))
    (arcan.folder / name).write_text("A=x\n")
    assert_not_forged(arcan("dotenv", name))
