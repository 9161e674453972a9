"""The commands that read realms, over an environment of key files: what they show, and what they find."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.names import EnvironmentName, RealmName
from tests.support.key_files import key_path, one_data_key, put_key, put_keys
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY, RealmFiles, new_identity


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    return RealmCommand(tmp_path, monkeypatch, capsys)


class Files(RealmFiles):
    """Realm `shop`, `prod` in key files and `dev` a document, for Alice and by the rules."""

    def __init__(self, arcan: RealmCommand) -> None:
        super().__init__(arcan.folder)
        self.identity, self.recipient = arcan.people["alice"]
        put_keys(self, "shop/prod", {"A": CANARY, "B": "b", ".dot": "d"})
        self.document = self.path("shop", "dev")
        self.document.write_bytes(self.made("shop/dev", A="a"))
        rules = f"creation_rules:\n  - path_regex: ^realms/shop/\n    age: {self.recipient}\n"
        (arcan.folder / ".sops.yaml").write_text(rules)

    def made(self, place: str, **values: str) -> bytes:
        return sops.encrypt(dict(values), recipients=[self.recipient], place=place)

    def key(self, name: str) -> Path:
        return key_path(self, "shop", "prod", name)


@pytest.fixture
def files(arcan: RealmCommand) -> Files:
    return Files(arcan)


def test_list_shows_each_environment_once_and_how_many_key_files_it_has(arcan: RealmCommand, files: Files):
    assert arcan("list").out == "shop\tdev, prod (3 key files)\n"


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("realms", 4),
        ("realms/shop", 4),
        ("realms/shop/prod", 3),
        ("realms/shop/prod/A.sops.yaml", 1),
        ("realms/shop/dev.sops.yaml", 1),
    ],
)
@pytest.mark.parametrize("beside", ["a document", "key files alone"])
def test_check_takes_a_folder_or_a_file_of_either_layout(
    arcan: RealmCommand, files: Files, path: str, checked: int, beside: str
):
    if beside == "key files alone":
        if path.endswith("dev.sops.yaml"):
            return
        files.document.unlink()
        checked -= checked == 4
    result = arcan("check", path)
    assert (result.status, result.err) == (0, f"{checked} file(s) checked, 0 problem(s)\n")


def test_check_knows_a_key_file_that_could_be_named_for_an_environment(arcan: RealmCommand, files: Files):
    files.document.unlink()
    for key in ("A", "B", ".dot"):
        files.key(key).unlink()
    put_key(files, "shop/prod", "token", "t")
    for path in ("realms", "realms/shop", "realms/shop/prod", "realms/shop/prod/token.sops.yaml"):
        assert arcan("check", path).err == "1 file(s) checked, 0 problem(s)\n"


def another_key(files: Files) -> None:
    put_key(files, "shop/prod", "A", "x", name="B")


def two_keys(files: Files) -> None:
    put_key(files, "shop/prod", "B", "x", beside={"A": "x"})


def copied_from_an_environment(files: Files) -> None:
    with one_data_key():
        put_key(files, "shop/prod", "B", "b")
        files.document.write_bytes(files.made("shop/dev", A="a"))


def a_recipient_in_the_file_alone(files: Files) -> None:
    put_key(files, "shop/prod", "B", "b", recipients=(files.recipient, new_identity()[1]))


def one_data_key_for_two_sets_of_recipients(files: Files) -> None:
    with one_data_key():
        put_key(files, "shop/prod", "A", "a")
        data = files.key("A").read_bytes()
        put_key(files, "shop/prod", "B", "b", recipients=(files.recipient, new_identity()[1]))
    armored = re.compile(rb"-----BEGIN AGE.*?END AGE ENCRYPTED FILE-----", re.DOTALL)
    [wrapped] = armored.findall(data)
    files.key("B").write_bytes(armored.sub(wrapped, files.key("B").read_bytes(), count=1))


def two_names_but_for_their_case(files: Files) -> None:
    put_key(files, "shop/prod", "b", "x")


def both_layouts(files: Files) -> None:
    files.path("shop", "prod").write_bytes(files.made("shop/prod", A="a"))


def a_stray_file(files: Files) -> None:
    files.key("A").with_name("C.yaml").write_text("C: clear\n")


def a_manifest(files: Files) -> None:
    put_key(files, "shop/prod", "data", {"A": "x"}, name="B", beside={"apiVersion": "v1", "kind": "Secret"})


def in_clear(files: Files) -> None:
    files.key("B").write_text("B: clear\n")


def unbound_where_it_must_be(files: Files) -> None:
    put_key(files, "shop/prod", "B", "b", bound=None)
    (files.root / "shop" / "realm.yaml").write_text("binding: required\n")


def removed_and_there(files: Files) -> None:
    record = files.root / "shop" / "removed" / "prod" / "B.yaml"
    record.parent.mkdir(parents=True)
    record.write_text("version: 0123456789ab\ndate: '2026-01-31'\nreason: no\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (another_key, "B.sops.yaml: holds 'A', where 'B' is wanted"),
        (two_keys, "B.sops.yaml: holds 'A' beside 'B'"),
        (
            copied_from_an_environment,
            "has the data key of realms/shop/dev.sops.yaml, document of another place",
        ),
        (a_recipient_in_the_file_alone, "prod/B.sops.yaml: its recipients are not those of .sops.yaml"),
        (
            one_data_key_for_two_sets_of_recipients,
            "has the data key of realms/shop/prod/A.sops.yaml and other",
        ),
        (two_names_but_for_their_case, "realms/shop/prod: B and b differ only in case"),
        (both_layouts, "realms/shop/prod: the environment is there twice"),
        (a_stray_file, "prod/C.yaml: not the file of a key"),
        (a_manifest, "prod/B.sops.yaml: is an encrypted Kubernetes manifest"),
        (
            in_clear,
            "hint: encrypt the value anew: rm realms/shop/prod/B.sops.yaml && arcan secret set shop B",
        ),
        (unbound_where_it_must_be, "prod/B.sops.yaml: is not bound to its place"),
        (removed_and_there, "removed/prod/B.yaml: says that B was removed, and it is there"),
    ],
)
def test_check_finds_without_a_key(
    arcan: RealmCommand, files: Files, change: Callable[[Files], None], said: str
):
    change(files)
    result = arcan("check")
    assert result.status == 1
    assert said in result.out + result.err


def test_check_warns_of_keys_of_a_document_that_differ_only_in_case(arcan: RealmCommand, files: Files):
    files.document.write_bytes(files.made("shop/dev", Token="a", TOKEN="b", B="b"))
    result = arcan("check")
    assert result.status == 0
    assert "dev.sops.yaml: TOKEN and Token differ only in case" in result.err


def test_files_that_share_a_data_key_with_the_same_recipients_are_no_copies(
    arcan: RealmCommand, files: Files
):
    with one_data_key():
        put_keys(files, "shop/prod", {"A": "a", "B": "b"})
    assert arcan("check").status == 0


def test_verify_opens_each_file_and_shows_those_that_fail(arcan: RealmCommand, files: Files):
    result = arcan("verify", held="alice")
    assert (result.status, result.out) == (0, "shop/prod  3 key files verified\nshop/dev   verified\n")
    put_key(files, "shop/prod", "B", "b", bound="other/prod")
    result = arcan("verify", held="alice")
    assert result.status == 1
    assert "shop/prod/B  failed" in result.out
    assert "belongs at other/prod, not at shop/prod" in result.out
    assert "shop/prod    2 key files verified" in result.out


def test_recipients_shows_an_environment_once_and_the_files_that_differ(arcan: RealmCommand, files: Files):
    lines = arcan("recipients").out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("shop")] == [
        ["shop", "dev"],
        ["shop", "prod"],
    ]
    assert any("prod (3 key files)" in line for line in lines)
    a_recipient_in_the_file_alone(files)
    shown = arcan("recipients").out
    assert "prod (2 key files)" in shown
    assert "prod/B" in shown
    documents = json.loads(arcan("recipients", "--format", "json").out)["documents"]
    assert [each.get("key") for each in documents] == [None, ".dot", "A", "B"]


def test_the_catalogue_has_the_keys_and_versions_of_either_layout(files: Files):
    found = load_catalogue(files.root)
    prod = found.contents[RealmName("shop"), EnvironmentName("prod")]
    assert set(prod.keys) == {".dot", "A", "B"}
    whole = sops.digests(files.document.read_bytes())
    dev = found.contents[RealmName("shop"), EnvironmentName("dev")]
    assert (dev.version, dict(dev.keys)) == (whole.document, dict(whole.keys))


def test_of_files_with_one_data_key_the_one_with_other_recipients_is_told_and_not_the_others(
    arcan: RealmCommand, files: Files
):
    with one_data_key():
        put_keys(files, "shop/prod", {"A": "a", "B": "b", "C": "c"})
        data = files.key("B").read_bytes()
        put_key(files, "shop/prod", "A", "a", recipients=(files.recipient, new_identity()[1]))
    armored = re.compile(rb"-----BEGIN AGE.*?END AGE ENCRYPTED FILE-----", re.DOTALL)
    [wrapped] = armored.findall(data)
    files.key("A").write_bytes(armored.sub(wrapped, files.key("A").read_bytes(), count=1))
    result = arcan("check")
    assert "prod/A.sops.yaml: has the data key of realms/shop/prod/B.sops.yaml and other" in result.out
    assert "prod/B.sops.yaml: has" not in result.err + result.out
