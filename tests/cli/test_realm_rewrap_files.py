"""`arcan realm rotate` and `updatekeys` where each key has a file: who shares a data key, and who must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    arcan = RealmCommand(tmp_path, monkeypatch, capsys)
    arcan.rules(shop="alice bob")
    files(arcan, "A", "B", "C")
    return arcan


def files(arcan: RealmCommand, *keys: str, to: str = "alice bob") -> None:
    """Key files of shop/prod, each with a data key of its own."""
    for key in keys:
        path = arcan.key_path("shop", key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sops.encrypt({key: CANARY}, recipients=arcan.public(to), place="shop/prod"))


def rule_for_one_key(arcan: RealmCommand, key: str, whom: str, others: str = "alice bob") -> None:
    arcan.rules(shop=others)
    config = arcan.folder / ".sops.yaml"
    own = f"creation_rules:\n  - path_regex: /{key}\\.\n    age: [{', '.join('*' + name for name in whom.split())}]\n"
    config.write_text(config.read_text().replace("creation_rules:\n", own))


def data_keys(arcan: RealmCommand, held: str = "alice") -> dict[str, bytes | None]:
    folder = arcan.key_path("shop", "A").parent
    return {
        path.name.split(".")[0]: sops.load(path.read_bytes(), identities=[arcan.people[held][0]]).key_digest
        for path in sorted(folder.iterdir())
    }


def stanzas(arcan: RealmCommand, key: str) -> tuple[object, ...]:
    return sops.outline(arcan.key_path("shop", key).read_bytes()).metadata.groups


def test_rotate_gives_files_for_the_same_recipients_one_data_key_wrapped_once(arcan: RealmCommand) -> None:
    before = data_keys(arcan)
    assert len(set(before.values())) == 3
    result = arcan("rotate", "shop", held="alice")
    assert result.status == 0, result.err
    assert "shop/prod (A, B, C): one new data key, everything encrypted again" in result.out
    assert "3 document(s) rotated, 0 failed" in result.err
    after = data_keys(arcan)
    assert len(set(after.values())) == 1
    assert set(after.values()).isdisjoint(before.values())
    assert stanzas(arcan, "A") == stanzas(arcan, "B") == stanzas(arcan, "C")
    for key in "ABC":
        assert arcan.values(arcan.key_path("shop", key), "bob") == {key: CANARY}
    assert arcan("check", "realms").status == 0


def test_files_with_other_recipients_or_of_another_rule_never_share_one(arcan: RealmCommand) -> None:
    rule_for_one_key(arcan, "B", "alice")
    assert arcan("rotate", "shop", held="alice").status == 0
    keys = data_keys(arcan)
    assert keys["A"] == keys["C"] != keys["B"]
    assert not arcan.opens(arcan.key_path("shop", "B"), "bob")
    rule_for_one_key(arcan, "B", "bob alice")  # the same people, by a rule that may change on its own
    assert arcan("rotate", "shop", held="alice").status == 0
    keys = data_keys(arcan)
    assert keys["A"] == keys["C"] != keys["B"]


def test_rotate_of_all_realms_and_environments_shares_nothing_between_them(arcan: RealmCommand) -> None:
    path = arcan.write("shop", "staging", to="alice bob")
    assert arcan("rotate", held="alice").status == 2
    result = arcan("rotate", "--all", held="alice")
    assert result.status == 0, result.err
    assert "4 document(s) rotated" in result.err
    staging = sops.load(path.read_bytes(), identities=[arcan.people["alice"][0]]).key_digest
    assert staging not in data_keys(arcan).values()


def test_updatekeys_of_all_files_of_a_data_key_keeps_it(arcan: RealmCommand) -> None:
    assert arcan("rotate", "shop", held="alice").status == 0
    before = data_keys(arcan)
    arcan.rules(shop="alice bob ci")
    result = arcan("updatekeys", "shop", held="alice")
    assert result.status == 0, result.err
    assert "(ci)" in result.out
    assert data_keys(arcan, "ci") == before
    assert stanzas(arcan, "A") == stanzas(arcan, "B") == stanzas(arcan, "C")
    again = arcan("updatekeys", "shop", held="alice")
    assert "shop/prod: 3 key(s) up to date" in again.out


def test_updatekeys_that_widens_one_of_the_files_of_a_data_key_makes_a_new_one_first(
    arcan: RealmCommand,
) -> None:
    assert arcan("rotate", "shop", held="alice").status == 0
    before = data_keys(arcan)
    rule_for_one_key(arcan, "B", "alice bob ci")
    result = arcan("updatekeys", "shop", held="alice")
    assert result.status == 0, result.err
    assert "shop/prod/B: new data key, everything encrypted again" in result.out
    after = data_keys(arcan)
    assert (after["A"], after["C"]) == (before["A"], before["C"])
    assert after["B"] != before["B"]
    assert arcan.values(arcan.key_path("shop", "B"), "ci") == {"B": CANARY}
    assert not arcan.opens(arcan.key_path("shop", "A"), "ci")
    assert arcan("check", "realms").status == 0


@pytest.mark.parametrize("garbage", ["AA", "\n<<<<<<< HEAD\n"])
def test_updatekeys_takes_a_new_key_where_a_file_of_the_same_one_cannot_be_opened(
    garbage: str, arcan: RealmCommand
) -> None:
    assert arcan("rotate", "shop", held="alice").status == 0
    before = data_keys(arcan)
    broken = arcan.key_path("shop", "C")
    broken.write_text(
        broken.read_text().replace("C: ENC[AES256_GCM,data:", f"C: ENC[AES256_GCM,data:{garbage}")
    )
    arcan.rules(shop="alice bob ci")
    result = arcan("updatekeys", "shop", held="alice")
    assert result.status == 1
    assert "C.sops.yaml" in result.err
    broken.unlink()
    after = data_keys(arcan)
    assert after["A"] == after["B"] != before["A"]


def test_a_file_that_cannot_be_opened_does_not_keep_the_others_from_being_rotated(
    arcan: RealmCommand,
) -> None:
    files(arcan, "B", to="bob")
    result = arcan("rotate", "shop", held="alice")
    assert_error(result, "B.sops.yaml: no identity opens it")
    assert "shop/prod (A, C): one new data key" in result.out
    assert "2 document(s) rotated, 1 failed" in result.err


def test_a_rule_that_would_leave_a_value_in_clear_rotates_nothing_unless_the_key_is_named(
    arcan: RealmCommand,
) -> None:
    (arcan.folder / "realms/shop/realm.yaml").write_text("allowUnencrypted: [A, B]\n")
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text() + "    unencrypted_regex: ^[AB]$\n")
    before = arcan.state()
    result = arcan("rotate", "shop", "--env", "prod", "--allow-clear", "C", held="alice")
    assert_error(result, "would stand in clear", "--allow-clear A")
    assert {path: data for path, data in arcan.state().items() if path.name[0] in "AB"} == {
        path: data for path, data in before.items() if path.name[0] in "AB"
    }
