"""What somebody without a key can do to key files in a pull request, and who notices, and when."""

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
    for key in "AB":
        path = arcan.key_path("shop", key)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = sops.encrypt({key: CANARY}, recipients=arcan.public("alice bob"), place="shop/prod")
        path.write_bytes(data)
    return arcan


def entry(arcan: RealmCommand, of: bytes, name: str) -> str:
    """The wrapped key of a recipient, as it stands in a document."""
    [found] = [
        key.enc for group in sops.outline(of).metadata.groups for key in group.age
        if key.recipient == arcan.people[name][1]
    ]  # fmt: skip
    return found


def with_entry(arcan: RealmCommand, path: Path, name: str, new: str) -> None:
    """Put another wrapped key into the entry of a recipient."""
    old = entry(arcan, path.read_bytes(), name)
    indent = "            "

    def lines(text: str) -> str:
        return "".join(f"{indent}{line}\n" for line in text.strip().splitlines())

    text = path.read_text()
    assert lines(old) in text
    path.write_text(text.replace(lines(old), lines(new)))


def test_a_recipient_that_is_added_in_a_file_alone_is_told_without_a_key_and_reads_nothing(
    arcan: RealmCommand,
) -> None:
    path = arcan.key_path("shop", "A")
    ci = arcan.people["ci"][1]
    enc = "".join(f"            {line}\n" for line in entry(arcan, path.read_bytes(), "bob").splitlines())
    text = path.read_text()
    path.write_text(
        text.replace(
            "    lastmodified:", f"        - recipient: {ci}\n          enc: |\n{enc}    lastmodified:"
        )
    )
    checked = arcan("check", "realms")
    assert checked.status == 1
    assert (
        f"A.sops.yaml: its recipients are not those of .sops.yaml: has {ci}, whom the rule does not name"
        in checked.out
    )
    assert not arcan.opens(path, "ci")
    assert arcan("rotate", "shop", held="bob").status == 0
    assert arcan("check", "realms").status == 0


def test_garbage_in_the_entry_of_one_recipient_is_found_by_the_drill_and_mended_by_rotate(
    arcan: RealmCommand,
) -> None:
    path = arcan.key_path("shop", "A")
    other = sops.encrypt({"X": "x"}, recipients=arcan.public("alice"))
    with_entry(arcan, path, "alice", entry(arcan, other, "alice"))  # it opens, to another data key
    assert arcan("check", "realms").status == 0  # without a key nobody can tell
    assert arcan("verify", held="bob").status == 0  # and with the key of another, neither
    drill = arcan("verify", "--all-must-open", held="alice")
    assert drill.status == 1
    assert "A.sops.yaml" in drill.out
    both = arcan("verify", "--all-must-open", held="bob alice")
    assert both.status == 1
    assert "hold different keys" in both.out
    assert arcan("rotate", "shop", held="bob").status == 0
    assert arcan("verify", "--all-must-open", held="alice").status == 0


def test_an_entry_that_does_not_open_at_all_is_found_too_and_one_for_a_stranger_does_not_count(
    arcan: RealmCommand,
) -> None:
    path = arcan.key_path("shop", "B")
    with_entry(arcan, path, "alice", entry(arcan, path.read_bytes(), "bob"))
    drill = arcan("verify", "--all-must-open", held="bob alice")
    assert drill.status == 1
    assert "does not open with its identity" in drill.out
    assert arcan("verify", "--all-must-open", held="bob").status == 0
    nobody = arcan("verify", "--all-must-open", held="ci")
    assert nobody.status == 1
    assert "no identity opens it" in nobody.out


def test_the_drill_looks_at_no_other_identity_than_those_that_are_named(
    arcan: RealmCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(arcan.folder / "bob.key"))
    assert arcan("verify", held="ci").status == 0
    assert arcan("verify", "--all-must-open", held="ci").status == 1
    assert_error(arcan("verify", "--all-must-open"), "name one", status=2)


def test_a_value_that_is_not_of_its_kind_is_found_by_who_has_a_key(arcan: RealmCommand) -> None:
    (arcan.folder / "realms/shop/realm.yaml").write_text("kinds:\n  A: integer\n")
    assert arcan("check", "realms").status == 0
    found = arcan("verify", held="alice")
    assert found.status == 1
    assert "key 'A': is not an integer in decimal" in found.out
