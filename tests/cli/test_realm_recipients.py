"""`arcan realm recipients`: the table, the JSON, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arcan_gitops.demo import DEMO_RECIPIENT
from tests.support.realm_command import RealmCommand


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    command = RealmCommand(tmp_path, monkeypatch, capsys)
    command.rules(shop="alice bob", platform="2 of alice | bob ci | ci")
    command.write("shop", to="alice bob")
    command.write("platform", to="alice | bob ci | ci", threshold=2)
    return command


def test_the_table_shows_who_can_read_what(arcan: RealmCommand) -> None:
    alice, bob, ci = arcan.public("alice bob ci")
    result = arcan("recipients", "--check")
    assert result.status == 0
    assert result.out == (
        f"1  alice  {alice}\n"
        f"2  bob    {bob}\n"
        f"3  ci     {ci}\n"
        "\n"
        "REALM     ENVIRONMENT  1  2  3\n"
        "platform  prod         a  b  b,c  2 of the groups a, b, c together\n"
        "shop      prod         x  x  .\n"
    )
    assert result.err == "arcan: 2 document(s), all of them as .sops.yaml says\n"


def test_drift_is_marked_and_fails_a_check_only(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice ci", platform="3 of alice | bob ci | ci")
    result = arcan("recipients")
    assert result.status == 0
    lines = result.out.splitlines()
    shop = next(line for line in lines if line.startswith("shop"))
    assert shop.split() == ["shop", "prod", "x", "-", "x+"]
    assert "opens with 2 of its key groups, where the rule says 3" in result.out
    assert "-  cannot read it, and .sops.yaml says that it should" in lines
    assert "+  can read it, and .sops.yaml does not name it" in lines
    assert "2 of 2 document(s) are not as .sops.yaml says" in result.err
    assert "hint: 'arcan realm updatekeys --all --dry-run' shows what would mend that" in result.err
    assert arcan("recipients", "--check").status == 1
    assert "updatekeys shop --dry-run" in arcan("recipients", "shop", "--check").err


def test_a_document_without_a_rule_is_told_with_the_rule_to_add(arcan: RealmCommand) -> None:
    arcan.write("shop-2", to="bob")
    result = arcan("recipients", "--check")
    assert result.status == 1
    assert "no rule of .sops.yaml is for it" in result.out
    assert "path_regex: ^realms/shop-2/prod(/[^/]+)?\\.sops\\.yaml$" in result.err


def test_without_a_configuration_a_check_fails_and_the_table_is_shown(arcan: RealmCommand) -> None:
    (arcan.folder / ".sops.yaml").unlink()
    result = arcan("recipients")
    assert result.status == 0
    assert "shop      prod" in result.out
    assert "there is no .sops.yaml" in result.err
    assert arcan("recipients", "--check").status == 1


def test_what_cannot_be_read_fails_and_hides_nothing(arcan: RealmCommand) -> None:
    arcan.path("shop").write_text("A: in clear\n")
    result = arcan("recipients")
    assert result.status == 1
    assert "platform  prod" in result.out
    assert "realms/shop/prod.sops.yaml: not encrypted" in result.err


def test_json_says_the_same(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice ci")
    alice, bob, ci = arcan.public("alice bob ci")
    told = json.loads(arcan("recipients", "shop", "--format=json").out)
    assert told["config"] == ".sops.yaml"
    assert told["recipients"] == [
        {"recipient": recipient, "name": name}
        for recipient, name in ((alice, "alice"), (ci, "ci"), (bob, "bob"))
    ]
    [document] = told["documents"]
    assert document.pop("problem").startswith("realms/shop/prod.sops.yaml: its recipients are not those of")
    assert document == {
        "realm": "shop",
        "environment": "prod",
        "path": "realms/shop/prod.sops.yaml",
        "groups": [[alice, bob]],
        "groupsNeeded": 1,
        "lacking": [ci],
        "surplus": [bob],
    }
    assert told["problems"] == []


def test_the_demo_identity_is_called_what_it_is(arcan: RealmCommand) -> None:
    (arcan.folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {DEMO_RECIPIENT} # alice\n")
    assert arcan("create", "demo", "--env", "prod", "--key", "A", "--generate").status == 0
    assert "demo identity, which everybody has" in arcan("recipients", "demo").out


def test_keys_of_other_types_are_shown_by_type(arcan: RealmCommand) -> None:
    path = arcan.path("shop")
    key = f"created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: {'A' * 40}"
    path.write_bytes(path.read_bytes().replace(b"sops:\n", f"sops:\n    pgp:\n        - {key}\n".encode()))
    out = arcan("recipients", "shop").out
    assert "3         keys of the type pgp" in out
    assert out.splitlines()[5].split() == ["shop", "prod", "x", "x", "x+"]


def test_what_would_control_a_terminal_is_not_shown(arcan: RealmCommand) -> None:
    (arcan.folder / ".sops.yaml").write_text(
        f"creation_rules:\n  - age: {arcan.public('alice')[0]} # al\u202eice\u2028\n"
    )
    result = arcan("recipients", "shop")
    assert "al\ufffdice" in result.out
    assert "\u202e" not in result.out + result.err
