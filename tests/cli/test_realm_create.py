"""`arcan realm create`: a document for whom `.sops.yaml` says, or nothing at all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error

PROD = ("create", "shop", "--env", "prod", "--layout", "document")


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    return RealmCommand(tmp_path, monkeypatch, capsys)


def test_a_document_is_created_with_its_realm(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice bob")
    result = arcan(*PROD, "--key", "DATABASE_URL", "--stdin", stdin=CANARY.encode())
    assert (result.status, result.out) == (0, "")
    assert "created realms/shop/prod.sops.yaml: 1 key(s), for 2 recipient(s) (rule 1)" in result.err
    path = arcan.path("shop")
    assert path.stat().st_mode & 0o777 == 0o644
    for name in ("alice", "bob"):
        assert arcan.values(path, name) == {"DATABASE_URL": CANARY}
    assert not arcan.opens(path, "ci")
    assert [each.name for each in path.parent.iterdir() if each.name != ".lock"] == ["prod.sops.yaml"]
    assert arcan("check").status == 0


def test_it_has_the_key_groups_and_the_selection_rule_of_its_creation_rule(arcan: RealmCommand) -> None:
    arcan.rules(shop="2 of alice | bob | ci")
    config = arcan.folder / ".sops.yaml"
    config.write_text(
        config.read_text() + "    encrypted_regex: ^[A-Z]|^arcan_place$\n    mac_only_encrypted: true\n"
    )
    assert arcan(*PROD, "--key", "A", "--stdin", stdin=b"x").status == 0
    metadata = sops.outline(arcan.path("shop").read_bytes()).metadata
    assert (metadata.rule, metadata.mac_only_encrypted) == (("encrypted_regex", "^[A-Z]|^arcan_place$"), True)
    assert (len(metadata.groups), metadata.shamir_threshold) == (3, 2)
    assert arcan.opens(arcan.path("shop"), "alice ci")
    assert not arcan.opens(arcan.path("shop"), "bob")


def test_key_groups_are_named_since_one_recipient_is_not_enough(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice | bob")
    result = arcan(*PROD, "--key", "A", "--stdin", stdin=b"x")
    assert result.status == 0
    assert (
        "rule 1 has 2 key groups: to open the document takes a recipient of each of 2 of them" in result.err
    )
    assert "list them all in one group" in result.err


def test_the_first_value_can_come_from_a_file_or_be_generated(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    (arcan.folder / "value").write_text("from a file\n")
    assert arcan(*PROD, "--key", "A", "--from-file", "value").status == 0
    assert arcan.values(arcan.path("shop"), "alice") == {"A": "from a file"}
    assert arcan("create", "shop", "--env", "staging", "--key", "A", "--generate").status == 0
    [value] = arcan.values(arcan.path("shop", "staging"), "alice").values()
    assert re.fullmatch(r"[-A-Za-z0-9._~]{32}", value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", f"A={CANARY}\nB=two\n"),
        ("values.yaml", f"A: {CANARY}\nB: two\n"),
        ("secret.yaml", f"apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData: {{A: {CANARY}, B: two}}\n"),
    ],
)  # fmt: skip
def test_it_can_be_created_from_a_file_of_values(name: str, text: str, arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    (arcan.folder / name).write_text(text)
    result = arcan(*PROD, "--import", name)
    assert result.status == 0, result.err
    assert arcan.values(arcan.path("shop"), "alice") == {"A": CANARY, "B": "two"}


def refused(arcan: RealmCommand, *arguments: str, says: str, stdin: bytes = b"x", status: int = 1) -> None:
    """And nothing is written, no folder either."""
    before, folders = arcan.state(), sorted(path for path in arcan.folder.rglob("*") if path.is_dir())
    assert_error(arcan(*arguments, stdin=stdin), *says.split("|"), status=status)
    assert arcan.state() == before
    assert sorted(path for path in arcan.folder.rglob("*") if path.is_dir()) == folders


KEY = ("--key", "A", "--stdin")


def test_a_document_that_is_there_is_left_alone(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    arcan.write("shop", to="alice")
    refused(arcan, *PROD, *KEY, says="is there already|arcan secret set shop KEY --env prod")
    arcan.path("shop").unlink()
    arcan.path("shop").symlink_to("nowhere")
    refused(arcan, *PROD, *KEY, says="is there already")


def test_without_a_rule_the_hint_is_the_one_to_add(arcan: RealmCommand) -> None:
    refused(arcan, *PROD, *KEY, says="there is no .sops.yaml in realms|creation_rules:")
    arcan.rules(platform="alice")
    says = "no rule of .sops.yaml is for it|  - path_regex: ^realms/shop/prod(/[^/]+)?\\.sops\\.yaml$\n    age: age1..."
    refused(arcan, *PROD, *KEY, says=says)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("pgp: ABCD", "rule 1 needs pgp, which is not encrypted for natively"),
        ("encrypted_regex: x", "rule 1 of .sops.yaml is for it, and names no recipient"),
        ("age: nonsense", "'nonsense' is not an age or SSH public key (rule 1)"),
        ("age: 5", "'age' must be a text, or a list of texts (rule 1)"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_named(rule: str, says: str, arcan: RealmCommand) -> None:
    (arcan.folder / ".sops.yaml").write_text(f"creation_rules:\n  - {rule}\n")
    refused(arcan, *PROD, *KEY, says=says)


def test_what_no_server_would_load_is_not_written(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    refused(arcan, *PROD, *KEY, stdin=b"", says="key 'A': ")
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text() + "    encrypted_regex: ^[A-Z]|^arcan_place$\n")
    refused(arcan, *PROD, "--key", "a", "--stdin", says="key 'a': would be written in clear")
    config.write_text(config.read_text().replace("encrypted_regex", "encrypted_comment_regex"))
    refused(arcan, *PROD, *KEY, says="selection by comments")


def test_keys_that_have_no_name_are_all_told(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    (arcan.folder / "values.yaml").write_text(f"a b: {CANARY}\nc d: {CANARY}\nE: x\n")
    says = "2 key(s) cannot be imported|'a b' is not|'c d' is not|--map"
    refused(arcan, *PROD, "--import", "values.yaml", says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name the first with --key NAME, or use --import FILE"),
        (("--key", "A", "--import", "f"), "name the first with --key NAME, or use --import FILE"),
        (("--key", "A"), "there is no terminal to ask at"),
        (("--key", "A", "--stdin", "--generate"), "exclude each other"),
        (("--import", "f", "--stdin"), "go with --key"),
        (("--key", "A", CANARY), "a value is never an argument"),
        (("--key", "A", f"--{CANARY}"), "a value is never an argument"),
        (("--key", f"A={CANARY}"), "what was given, which is not repeated here"),
        (("--key", "A", "--generat"), "did you mean --generate?"),
    ],
)
def test_wrong_usage_is_told_before_anything_happens(
    arguments: tuple[str, ...], says: str, arcan: RealmCommand
) -> None:
    arcan.rules(shop="alice")
    refused(arcan, *PROD, *arguments, says=says, status=2)


def test_names_that_are_none_are_wrong_usage(arcan: RealmCommand) -> None:
    refused(arcan, "create", "../x", "--env", "prod", *KEY, says="is not a valid realm name", status=2)
    refused(arcan, "create", "shop", "--env", "A", *KEY, says="is not a valid environment name", status=2)


def test_a_folder_that_cannot_be_made_leaves_nothing(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    (arcan.folder / "realms").write_text("a file")
    refused(arcan, *PROD, *KEY, says="cannot be made")


def created(arcan: RealmCommand, place: str, *options: str) -> str:
    """How a new environment was laid out."""
    realm, environment = place.split("/")
    done = arcan("create", realm, "--env", environment, *options, held="alice")
    assert done.status == 0, done.err
    files, document = arcan.key_path(realm, "A", environment), arcan.path(realm, environment)
    assert files.is_file() is not document.is_file()
    return "files" if files.is_file() else "document"


def test_the_first_environment_has_a_file_for_each_key_and_the_others_are_laid_out_as_those_that_are_there(
    arcan: RealmCommand,
) -> None:
    arcan.rules(shop="alice", till="alice", desk="alice")
    new = ("--key", "A", "--generate")
    assert created(arcan, "shop/prod", *new) == "files"
    assert created(arcan, "till/prod", *new) == "files", "as the others of the repository"
    assert created(arcan, "till/old", *new, "--layout=document") == "document"
    assert created(arcan, "till/mixed", *new) == "files", "where those of the realm differ"
    assert created(arcan, "till/like", "--like=old", "--copy=*") == "document", "as the one that it is like"
    shutil.rmtree(arcan.folder / "realms/till/prod")
    shutil.rmtree(arcan.folder / "realms/till/mixed")
    assert created(arcan, "till/new", *new) == "document", "as the realm's others, whatever other realms are"
    assert created(arcan, "desk/prod", *new) == "files", "where those of the repository differ"
    assert created(arcan, "shop/staging", *new) == "files"


def test_the_first_environment_is_a_document_where_no_rule_is_for_key_files(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text().replace("^realms/shop/", r"^realms/shop/[a-z]+\.sops\.yaml$"))
    assert created(arcan, "shop/prod", "--key", "A", "--generate") == "document"


def test_where_no_rule_is_for_either_layout_the_one_for_files_is_named(arcan: RealmCommand) -> None:
    arcan.rules(shop="alice")
    refused(arcan, "create", "other", "--env", "prod", *KEY, says="realms/other/prod/A.sops.yaml|path_regex")
