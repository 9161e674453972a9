"""`arcan realm check`: what a pull request can be told without any key."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.live_server import ARCAN, create_token
from tests.support.realm_files import CANARY, RealmFiles, new_identity


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"DATABASE_URL: {CANARY}\n")
    files.write("platform", "prod", "TOKEN: t\n")
    (tmp_path / ".sops.yaml").write_text(
        "keys:\n  - &team " + files.recipient + "\n"
        "creation_rules:\n"
        "  - path_regex: ^realms/shop/prod\\.sops\\.yaml$\n    age: *team\n"
        "  - path_regex: ^realms/platform/\n    key_groups:\n      - age: [*team]\n"
    )
    return files


def check(*path: Path | str, status: int = 1, cwd: Path | None = None) -> str:
    command = [*ARCAN, "realm", "check", *map(str, path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == status, done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_sound_realms_pass(files: RealmFiles) -> None:
    assert "2 file(s) checked, 0 problem(s)" in check(files.root, status=0)


def test_one_realm_and_one_file_can_be_checked(files: RealmFiles) -> None:
    (files.root / "platform" / "wrong.txt").touch()
    assert "1 file(s) checked" in check(files.root / "shop", status=0)
    assert "1 file(s) checked" in check(files.path("shop", "prod"), status=0)
    assert "1 file(s) checked" in check("prod.sops.yaml", status=0, cwd=files.root / "shop")
    assert "wrong.txt: not a document" in check(files.root)
    assert "there is no such file" in check(files.root / "shopp")


def test_all_findings_of_a_document_are_problems_of_their_own(files: RealmFiles) -> None:
    _, stranger = new_identity()
    files.write("shop", "prod", 'a: x\nb_unencrypted: y\nc: ""\nd e: z\n', recipient=stranger)
    output = check(files.root)
    for said in (
        "key 'b_unencrypted': is in clear",
        "key 'c': is empty",
        "'d e' is not a valid key name",
        "lacks",
    ):
        assert said in output
    assert "4 problem(s)" in output


def test_a_document_beside_the_realms_is_the_only_problem(files: RealmFiles) -> None:
    (files.root / "x.sops.yaml").write_bytes(files.path("shop", "prod").read_bytes())
    output = check(files.root)
    assert "2 file(s) checked, 1 problem(s)" in output
    assert "x.sops.yaml: a document must be in the folder of a realm" in output


@pytest.mark.parametrize(
    "command", [["check", "realms"], ["verify"], ["list"], ["create", "far", "--env", "prod"]]
)
def test_a_realm_that_is_a_link_out_of_the_tree_is_refused(files: RealmFiles, command: list[str]) -> None:
    outside = files.root.parent / "outside"
    (files.root / "shop").rename(outside)
    (files.root / "far").symlink_to(outside)
    before = sorted(outside.iterdir())
    key = ["--key", "A", "--generate"] if command[0] == "create" else []
    done = subprocess.run(
        [*ARCAN, "realm", *command, *key], capture_output=True, text=True, check=False, cwd=files.root.parent
    )
    assert done.returncode == 1, done.stderr
    assert "far: is a link out of the folder 'realms'" in done.stdout + done.stderr
    assert sorted(outside.iterdir()) == before


def test_recipients_other_than_those_of_sops_yaml_are_found(files: RealmFiles) -> None:
    _, stranger = new_identity()
    files.write("shop", "prod", "A: x\n", recipient=stranger)
    output = check(files.root)
    assert f"lacks {files.recipient}" in output
    assert f"has {stranger}, whom the rule does not name" in output
    assert "arcan realm updatekeys shop --env prod" in output


def test_a_document_that_no_rule_is_for_is_found(files: RealmFiles) -> None:
    files.write("shop", "staging", "A: x\n")
    assert "staging.sops.yaml: no rule of" in check(files.root)


def test_a_document_copied_from_another_realm_is_found(files: RealmFiles) -> None:
    files.replace(files.path("platform", "prod"), files.path("shop", "prod").read_bytes())
    assert "has the data key of" in check(files.root)


def test_spaces_in_a_wrapped_key_do_not_hide_a_copy(files: RealmFiles) -> None:
    copied = files.path("shop", "prod").read_bytes().replace(b"-----END AGE", b"\n            -----END AGE")
    files.replace(files.path("platform", "prod"), copied)
    assert "has the data key of" in check(files.root)


def test_a_token_that_is_in_two_realms_is_found(files: RealmFiles) -> None:
    create_token(files, "shop", "eso")
    (files.root / "platform" / "tokens.yaml").write_bytes((files.root / "shop" / "tokens.yaml").read_bytes())
    assert "is in realm 'platform' and in realm 'shop'" in check(files.root)


def test_every_problem_of_a_realm_is_named_at_once(files: RealmFiles) -> None:
    (files.root / "shop" / "notes.txt").touch()
    (files.root / "shop" / "Z.sops.yaml").touch()
    (files.root / "shop" / "plain.sops.yaml").write_text("a: b\n")
    (files.root / "shop" / "realm.yaml").write_text("nonsense: 1\n")
    output = check(files.root)
    for name in ("notes.txt", "Z.sops.yaml", "realm.yaml:1"):
        assert name in output


@pytest.mark.parametrize(
    ("plain", "problem"),
    [
        ("a b: x\n", "'a b' is not a valid key name"),
        ("a_unencrypted: x\nb: y\n", "key 'a_unencrypted': is in clear"),
        ('a: ""\nb: y\n', "key 'a': is empty"),
    ],
)
def test_what_the_server_would_refuse_is_found_without_a_key(
    files: RealmFiles, plain: str, problem: str
) -> None:
    files.write("shop", "prod", plain)
    assert problem in check(files.root)


def test_nonsense_in_the_files_beside_is_found(files: RealmFiles) -> None:
    (files.root / "shop" / "tokens.yaml").write_text(
        "version: 1\ntokens:\n  - name: x\n    polcy: read-only\n"
    )
    (files.root / "platform" / "realm.yaml").write_text("allowEmpty: yes please\n")
    output = check(files.root)
    assert "tokens.yaml:3" in output or "tokens.yaml:4" in output
    assert "realm.yaml:1: 'allowEmpty' must be a list of texts" in output


def test_a_plain_file_and_a_broken_one_are_found(files: RealmFiles) -> None:
    files.replace(files.path("shop", "prod"), f"A: {CANARY}\n".encode())
    files.replace(files.path("platform", "prod"), b"<<<<<<< HEAD\nA: x\n")
    output = check(files.root)
    assert "shop/prod.sops.yaml: not encrypted" in output
    assert "platform/prod.sops.yaml: line 1: a conflict marker of Git" in output


def test_realm_list_needs_no_identity(files: RealmFiles) -> None:
    def run(*arguments: str, status: int = 0) -> str:
        command = [*ARCAN, "realm", *arguments, "--realms", str(files.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == status
        return done.stdout + done.stderr

    assert run("list") == "platform\tprod\nshop\tprod\n"
