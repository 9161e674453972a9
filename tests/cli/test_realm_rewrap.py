"""`arcan realm updatekeys` and `arcan realm rotate`: for whom `.sops.yaml` names, each file whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY, run_sops, sops_binary
from tests.support.secret_command import assert_error


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    """`shop` is to be Alice's and the CI's, and is Alice's and Bob's; `platform` is as it is to be."""
    command = RealmCommand(tmp_path, monkeypatch, capsys)
    command.rules(shop="alice ci", platform="2 of alice | bob | ci")
    command.write("shop", to="alice bob")
    command.write("shop", "staging", to="alice ci")
    command.write("platform", to="alice | bob | ci", threshold=2)
    return command


def sops_finds_nothing_to_do(arcan: RealmCommand, path: Path) -> bool:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    command = [sops_binary(), "updatekeys", "--yes", str(path)]
    done = subprocess.run(
        command, cwd=arcan.folder, env=environment, capture_output=True, text=True, check=False
    )
    return "already up to date" in done.stderr


def sealed(path: Path) -> bytes:
    """Everything but the wrapped keys."""
    return re.sub(rb"    age:\n(?: {8}.*\n)+", b"", path.read_bytes())


def test_updatekeys_wraps_for_whom_the_rule_names_and_changes_nothing_else(arcan: RealmCommand) -> None:
    prod, others = arcan.path("shop"), (arcan.path("shop", "staging"), arcan.path("platform"))
    before, sealed_before = [path.read_bytes() for path in others], sealed(prod)
    [bob], [ci] = arcan.public("bob"), arcan.public("ci")
    result = arcan("updatekeys", "--all", held="alice bob")
    assert result.status == 0
    assert result.out == (
        "platform/prod: up to date\n"
        f"shop/prod: added {ci} (ci)\n"
        f"shop/prod: took away {bob} (bob)\n"
        "shop/staging: up to date\n"
    )
    assert "1 document(s) changed, 2 up to date, 0 failed" in result.err
    assert [path.read_bytes() for path in others] == before
    assert sealed(prod) == sealed_before
    assert arcan.values(prod, "ci") == {"A": CANARY, "B": CANARY}
    assert not arcan.opens(prod, "bob")
    assert sops_finds_nothing_to_do(arcan, prod)
    assert arcan("updatekeys", "--all").out.count("up to date") == 3
    assert arcan("recipients", "--check").status == 0


def test_who_is_taken_away_is_warned_of(arcan: RealmCommand) -> None:
    result = arcan("updatekeys", "shop", held="alice")
    assert "warning: who was taken away still knows the data key of shop/prod: run 'arcan realm rotate'" in (
        result.err
    )
    arcan.rules(shop="alice bob ci")
    assert "warning" not in arcan("updatekeys", "shop", held="alice").err


def test_a_dry_run_says_the_same_without_an_identity_and_writes_nothing(arcan: RealmCommand) -> None:
    before = arcan.state()
    [bob], [ci] = arcan.public("bob"), arcan.public("ci")
    result = arcan("updatekeys", "shop", "--dry-run")
    assert result.status == 0
    assert result.out == (
        f"shop/prod: would add {ci} (ci)\nshop/prod: would take away {bob} (bob)\nshop/staging: up to date\n"
    )
    assert "1 document(s) would change, 1 up to date, 0 failed" in result.err
    assert arcan.state() == before


def test_one_environment_can_be_named(arcan: RealmCommand) -> None:
    assert arcan("updatekeys", "shop", "--env", "staging").out == "shop/staging: up to date\n"
    assert arcan("updatekeys", "--all", "--env", "prod", "--dry-run").out.count("staging") == 0


@pytest.mark.parametrize(
    ("whom", "line"),
    [
        ("alice | bob", "shop/prod: opens with 2 of its 2 key groups"),
        ("2 of alice | bob | ci", "shop/prod: opens with 2 of its 3 key groups"),
    ],
)
def test_one_group_becomes_several_and_one_again(whom: str, line: str, arcan: RealmCommand) -> None:
    prod = arcan.path("shop")
    arcan.rules(shop=whom)
    assert line in arcan("updatekeys", "shop", "--env", "prod", held="alice").out
    assert arcan.opens(prod, "alice bob")
    assert not arcan.opens(prod, "alice")
    assert sops_finds_nothing_to_do(arcan, prod)
    arcan.rules(shop="alice bob ci" if "ci" in whom else "alice bob")
    result = arcan("updatekeys", "shop", "--env", "prod", held="alice bob")
    assert "shop/prod: has one key group" in result.out
    assert arcan.opens(prod, "alice")
    assert b"shamir_threshold" not in prod.read_bytes()
    assert sops_finds_nothing_to_do(arcan, prod)


def test_a_threshold_that_the_rule_does_not_name_is_kept_and_told(arcan: RealmCommand) -> None:
    arcan.rules(platform="alice | bob | ci")
    before = arcan.path("platform").read_bytes()
    result = arcan("updatekeys", "platform")
    assert result.out == (
        "platform/prod: up to date; opens with 2 of its key groups, where the rule has no shamir_threshold, "
        "and so means 3\n"
    )
    assert arcan.path("platform").read_bytes() == before
    arcan.rules(platform="3 of alice | bob | ci")
    assert "opens with 3 of its 3" in arcan("updatekeys", "platform", held="alice bob").out
    assert not arcan.opens(arcan.path("platform"), "alice bob")


def test_rotate_gives_each_document_a_new_data_key(arcan: RealmCommand) -> None:
    paths = arcan.path("shop"), arcan.path("shop", "staging")
    ciphertext = re.compile(rb"data:[^,]+")
    before = {text for path in paths for text in ciphertext.findall(path.read_bytes())}
    result = arcan("rotate", "shop", held="alice")
    assert result.status == 0
    [bob], [ci] = arcan.public("bob"), arcan.public("ci")
    assert result.out == (
        "shop/prod: new data key, everything encrypted again\n"
        f"shop/prod: added {ci} (ci)\n"
        f"shop/prod: took away {bob} (bob)\n"
        "shop/staging: new data key, everything encrypted again\n"
    )
    assert "warning: who was taken away still has the old files of shop/prod" in result.err
    assert "2 document(s) rotated, 0 failed" in result.err
    for path in paths:
        assert arcan.values(path, "ci") == {"A": CANARY, "B": CANARY}
        assert not arcan.opens(path, "bob")
        assert not before & set(ciphertext.findall(path.read_bytes()))


def test_rotate_keeps_key_groups(arcan: RealmCommand) -> None:
    assert arcan("rotate", "platform", "--env", "prod", held="bob ci").status == 0
    assert arcan.opens(arcan.path("platform"), "alice ci")
    assert not arcan.opens(arcan.path("platform"), "ci")


@pytest.mark.parametrize("command", [("updatekeys", "--all"), ("rotate", "shop")])
def test_all_that_can_be_done_is_done_and_all_failures_are_told(
    command: tuple[str, ...], arcan: RealmCommand
) -> None:
    arcan.write("shop", "broken", to="alice").write_text(f"A: {CANARY}\n")
    arcan.write("shop", "dev", to="bob")
    before = {name: arcan.path("shop", name).read_bytes() for name in ("broken", "dev")}
    result = arcan(*command, held="alice")
    assert_error(
        result,
        "2 document(s) failed, and are as they were:",
        "realms/shop/broken.sops.yaml: not encrypted",
        "realms/shop/dev.sops.yaml: no identity opens it",
    )
    assert {name: arcan.path("shop", name).read_bytes() for name in before} == before
    assert arcan.opens(arcan.path("shop"), "ci")


@pytest.mark.parametrize("command", ["updatekeys", "rotate"])
def test_a_document_that_was_tampered_with_is_not_given_new_keys(command: str, arcan: RealmCommand) -> None:
    path = arcan.path("shop")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(b"B:")))
    before = path.read_bytes()
    assert_error(arcan(command, "shop", "--env", "prod", held="alice"), "the MAC does not match")
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["updatekeys", "rotate"])
@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("pgp: ABCD", ".sops.yaml: rule 1 needs pgp, which is not encrypted for natively"),
        ("path_regex: ^other/", "realms/shop/prod.sops.yaml: no rule of .sops.yaml is for it"),
        ("age: 5", "'age' must be a text, or a list of texts (rule 1)"),
    ],
)
def test_a_rule_that_cannot_be_followed_changes_nothing(
    command: str, rule: str, says: str, arcan: RealmCommand
) -> None:
    (arcan.folder / ".sops.yaml").write_text(f"creation_rules:\n  - {rule}\n")
    before = arcan.state()
    assert_error(arcan(command, "shop", "--env", "prod", held="alice"), says)
    assert arcan.state() == before


@pytest.mark.parametrize("command", ["updatekeys", "rotate"])
def test_keys_of_other_types_are_left_to_sops(command: str, arcan: RealmCommand) -> None:
    path = arcan.path("shop")
    key = f"created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: {'A' * 40}"
    path.write_bytes(path.read_bytes().replace(b"sops:\n", f"sops:\n    pgp:\n        - {key}\n".encode()))
    before = path.read_bytes()
    assert_error(arcan(command, "shop", "--env", "prod", held="alice"), "pgp", f"'sops {command}'")
    assert path.read_bytes() == before


def test_a_file_that_somebody_else_changes_meanwhile_is_theirs(arcan: RealmCommand) -> None:
    """The identity comes through a pipe, so that the real sops can set a value after we read the file."""
    path, private = arcan.path("shop"), arcan.people["alice"][0]
    pipe = arcan.folder / "pipe.key"
    os.mkfifo(pipe)

    def meanwhile() -> None:
        with pipe.open("w") as identity:
            assert run_sops("set", str(path), '["A"]', '"theirs"', identity=private).returncode == 0
            identity.write(private)

    somebody = threading.Thread(target=meanwhile)
    somebody.start()
    result = arcan("updatekeys", "shop", "--env", "prod", held="pipe")
    somebody.join()
    assert_error(result, "was changed meanwhile; nothing was written")
    assert arcan.values(path, "bob")["A"] == "theirs"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("updatekeys",), "name a realm, or give --all"),
        (("updatekeys", "shop", "--all"), "name a realm, or give --all"),
        (("rotate",), "name a realm, or give --all"),
        (("rotate", "a/b"), "is not a valid realm name"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], says: str, arcan: RealmCommand) -> None:
    assert_error(arcan(*arguments, held="alice"), says, status=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("updatekeys", "shpo"), "did you mean 'shop'?"),
        (("rotate", "shop", "--env", "prd"), "did you mean 'prod'?"),
        (("updatekeys", "--all", "--env", "prd"), "did you mean 'prod'?"),
        (("updatekeys", "shop"), "no age identity"),
        (("rotate", "shop"), "no age identity"),
    ],
)
def test_what_is_not_there_is_an_error(arguments: tuple[str, ...], says: str, arcan: RealmCommand) -> None:
    before = arcan.state()
    assert_error(arcan(*arguments), says)
    assert arcan.state() == before


def test_without_a_configuration_nobody_is_guessed(arcan: RealmCommand) -> None:
    (arcan.folder / ".sops.yaml").unlink()
    for command in ("updatekeys", "rotate"):
        assert_error(arcan(command, "shop", held="alice"), "there is no .sops.yaml", "creation_rules:")


def test_a_rule_that_is_not_native_is_no_failure_where_there_is_nothing_to_do(arcan: RealmCommand) -> None:
    path = arcan.path("shop")
    key = f"created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: {'A' * 40}"
    path.write_bytes(path.read_bytes().replace(b"sops:\n", f"sops:\n    pgp:\n        - {key}\n".encode()))
    whom = ", ".join(arcan.public("alice bob"))
    (arcan.folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: [{whom}]\n    pgp: {'A' * 40}\n")
    result = arcan("updatekeys", "shop", "--env", "prod", held="alice")
    assert (result.status, result.out) == (0, "shop/prod: up to date\n")
    assert_error(arcan("rotate", "shop", "--env", "prod", held="alice"), "rule 1 needs pgp")


RULE = "    encrypted_regex: ^A\n    mac_only_encrypted: true\n"


def with_rule(arcan: RealmCommand, lines: str = RULE) -> None:
    arcan.rules(shop="alice ci")
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text() + lines)


def test_a_changed_selection_rule_is_drift_that_only_rotate_mends(arcan: RealmCommand) -> None:
    with_rule(arcan)
    staging = arcan.path("shop", "staging")
    before = staging.read_bytes()
    said = arcan("check", "realms/shop/staging.sops.yaml").out
    assert "staging.sops.yaml: is not as the rule of" in said
    assert (
        "is encrypted by unencrypted_suffix '_unencrypted', where the rule has encrypted_regex '^A'" in said
    )
    assert "has a MAC over all values, where the rule says encrypted values only (mac_only_encrypted)" in said
    assert "run 'arcan realm rotate shop --env staging'" in said
    assert arcan("recipients", "shop", "--check").status == 1
    result = arcan("updatekeys", "shop", "--env", "staging", held="ci")
    assert "up to date; is encrypted by" in result.out
    assert "'arcan realm rotate' applies that" in result.out
    assert staging.read_bytes() == before


def test_rotate_puts_nothing_into_clear_that_was_encrypted_unless_it_is_named(arcan: RealmCommand) -> None:
    with_rule(arcan)
    staging = arcan.path("shop", "staging")
    before = staging.read_bytes()
    rotate = ("rotate", "shop", "--env", "staging")
    refused = arcan(*rotate, held="ci")
    assert refused.status == 1
    assert "encrypted_regex: 'B' would stand in clear, and is encrypted now" in refused.err
    assert "--allow-clear B" in refused.err
    assert staging.read_bytes() == before
    assert "key 'B': would be written in clear" in arcan(*rotate, "--allow-clear", "B", held="ci").err
    (staging.parent / "realm.yaml").write_text("allowUnencrypted: [B]\n")
    other = arcan(*rotate, "--allow-clear", "A", held="ci").err
    assert "'B' would stand in clear" in other
    assert "hint: if that is meant: --allow-clear A --allow-clear B" in other
    assert staging.read_bytes() == before
    result = arcan(*rotate, "--allow-clear", "B", held="ci")
    assert result.status == 0
    assert "shop/staging: by the rule now: encrypted_regex '^A', mac_only_encrypted" in result.out
    assert arcan.values(staging, "ci") == {"A": CANARY, "B": CANARY}
    assert f"B: {CANARY}\n".encode() in staging.read_bytes()
    assert b"unencrypted_suffix" not in staging.read_bytes()
    assert arcan("check", str(staging)).status == 0


def test_rotate_encrypts_what_a_changed_rule_wants_encrypted(arcan: RealmCommand) -> None:
    with_rule(arcan)
    staging = arcan.path("shop", "staging")
    (staging.parent / "realm.yaml").write_text("allowUnencrypted: [B]\n")
    assert arcan("rotate", "shop", "--env", "staging", "--allow-clear", "B", held="ci").status == 0
    with_rule(arcan, "")
    result = arcan("rotate", "shop", "--env", "staging", held="ci")
    assert "by the rule now: unencrypted_suffix '_unencrypted'" in result.out
    assert CANARY.encode() not in staging.read_bytes()
    assert b"mac_only_encrypted" not in staging.read_bytes()
    assert arcan.values(staging, "ci") == {"A": CANARY, "B": CANARY}
    assert arcan("check", str(staging)).status == 0


def test_rotate_applies_the_threshold_of_the_rule(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice ci", platform="3 of alice | bob | ci")
    assert "opens with 2 of its key groups, where the rule says 3" in arcan("check", "realms/platform").out
    assert arcan("rotate", "platform", held="alice ci").status == 0
    assert arcan("check", "realms/platform").status == 0
    arcan.rules(shop="alice ci", platform="2 of alice | bob | ci")
    assert arcan("rotate", "platform", held="alice bob ci").status == 0
    arcan.rules(shop="alice ci", platform="alice | bob | ci")
    assert arcan("rotate", "platform", held="alice ci").status == 0
    assert arcan("check", "realms/platform").status == 0
    assert not arcan.opens(arcan.path("platform"), "alice ci")


def test_what_sops_would_read_elsewhere_is_said_to_be_ignored(
    arcan: RealmCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (arcan.folder / ".sops.yml").write_text("creation_rules: []\n")
    monkeypatch.setenv("SOPS_CONFIG", "/elsewhere/.sops.yaml")
    for arguments in (("check", "realms"), ("recipients",), ("updatekeys", "--all", "--dry-run")):
        said = arcan(*arguments).err
        assert ".sops.yml: is ignored, by sops too: the file must be called .sops.yaml" in said
        assert "SOPS_CONFIG is ignored" in said
