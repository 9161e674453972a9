"""`arcan realm split` and `join`: another layout, and the same secrets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree, relayout
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.realms.snapshot import load_environment
from arcan_gitops.sops import Identities
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY
from tests.support.vectors import FOLDER, SUCCESS, Vector, identity

SHOP, PROD = RealmName("shop"), EnvironmentName("prod")


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    arcan = RealmCommand(tmp_path, monkeypatch, capsys)
    arcan.rules(shop="alice bob", other="alice")
    return arcan


def split(arcan: RealmCommand) -> None:
    result = arcan("split", "shop", "--env", "prod", held="alice")
    assert result.status == 0, result.err


def test_split_keeps_values_versions_and_stanzas_and_bounds_each_file(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice bob")
    whole = sops.load(path.read_bytes(), identities=[arcan.people["alice"][0]])
    result = arcan("split", "shop", "--env", "prod", held="alice")
    assert result.status == 0
    assert "2 key(s), each in a file of realms/shop/prod; commit all of it" in result.err
    assert not path.exists()
    for key in "AB":
        file = arcan.key_path("shop", key)
        one = sops.load(file.read_bytes(), identities=[arcan.people["bob"][0]])
        assert one.tree == {key: CANARY}
        assert one.place == "shop/prod"
        assert one.digests.keys == {key: whole.digests.keys[key]}
        assert one.metadata.groups == whole.metadata.groups
        assert one.key_digest == whole.key_digest
        assert arcan.values(file, "bob") == {key: CANARY}


def test_join_brings_the_same_document_back(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice bob")
    before = sops.digests(path.read_bytes())
    split(arcan)
    result = arcan("join", "shop", "--env", "prod", held="bob")
    assert result.status == 0, result.err
    assert "2 key(s) in realms/shop/prod.sops.yaml; commit" in result.err
    assert not path.with_name("prod").exists()
    assert sops.digests(path.read_bytes()) == before
    assert arcan.values(path, "alice") == {"A": CANARY, "B": CANARY}
    assert arcan("check", "realms").status == 0


def test_join_encrypts_anew_what_has_other_data_keys_or_recipients_than_its_rule(arcan: RealmCommand) -> None:
    arcan.write("shop", to="alice bob ci")  # and the rule names two of them
    split(arcan)
    before = arcan.state()
    refused = arcan("join", "shop", "--env", "prod", held="ci")
    assert refused.status == 1
    assert "no identity opens it" in refused.err  # nobody could say that it holds the same
    assert arcan.state() == before
    result = arcan("join", "shop", "--env", "prod", held="alice")
    assert result.status == 0, result.err
    assert "encrypted anew under one data key" in result.err
    assert not arcan.opens(arcan.path("shop"), "ci")
    assert arcan.values(arcan.path("shop"), "bob") == {"A": CANARY, "B": CANARY}


def test_without_a_rule_for_the_files_nothing_is_split_and_the_rule_is_shown(arcan: RealmCommand) -> None:
    arcan.write("shop", to="alice bob")
    config = arcan.folder / ".sops.yaml"
    config.write_text(config.read_text().replace("^realms/shop/", r"^realms/shop/prod\.sops\.yaml$"))
    before = arcan.state()
    result = arcan("split", "shop", "--env", "prod", held="alice")
    assert result.status == 1
    assert r"- path_regex: ^realms/shop/prod(/[^/]+)?\.sops\.yaml$" in result.err
    assert arcan.state() == before
    config.write_text(config.read_text().replace(r"prod\.sops\.yaml$", r"prod(/[^/]+)?\.sops\.yaml$"))
    split(arcan)


def test_keys_that_can_have_no_file_are_told_and_nothing_is_split(arcan: RealmCommand) -> None:
    path = arcan.path("shop")
    path.parent.mkdir(parents=True)
    values = {"key": CANARY, "KEY": CANARY, "a:b": CANARY}
    path.write_bytes(sops.encrypt(values, recipients=arcan.public("alice")))
    before = arcan.state()
    result = arcan("split", "shop", "--env", "prod", held="alice")
    assert result.status == 1
    assert "KEY and key differ only in case" in result.err
    assert "'a:b' is not a valid key name" in result.err
    assert arcan.state() == before


def test_a_split_that_was_interrupted_is_finished_by_the_same_command(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice bob")
    data = path.read_bytes()
    split(arcan)
    path.write_bytes(data)  # as if it had ended before the document went
    arcan.key_path("shop", "A").unlink()  # and before all files were there
    assert arcan("split", "shop", "--env", "prod", held="alice").status == 0
    assert not path.exists()
    assert arcan.values(arcan.key_path("shop", "A"), "alice") == {"A": CANARY}


def test_a_join_that_was_interrupted_is_finished_by_the_same_command(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice bob")
    data = path.read_bytes()
    split(arcan)
    arcan.key_path("shop", "A").unlink()
    path.write_bytes(data)
    assert arcan("join", "shop", "--env", "prod", held="alice").status == 0
    assert not path.with_name("prod").exists()
    assert path.read_bytes() == data


def test_two_layouts_that_differ_are_both_left_as_they_are(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice bob")
    split(arcan)
    path.write_bytes(sops.encrypt({"A": f"{CANARY}-other", "B": CANARY}, recipients=arcan.public("alice")))
    before = arcan.state()
    for command in ("split", "join"):
        result = arcan(command, "shop", "--env", "prod", held="alice")
        assert result.status == 1
        assert "are both there, and differ in A: nothing was removed" in result.err
    assert arcan.state() == before


def test_what_is_in_that_layout_already_is_said(arcan: RealmCommand) -> None:
    arcan.write("shop", to="alice bob")
    assert "is one document already" in arcan("join", "shop", "--env", "prod", held="alice").err
    split(arcan)
    assert "has a file for each key already" in arcan("split", "shop", "--env", "prod", held="alice").err


def served(tree: RealmTree, identities: Identities) -> dict[str, object]:
    """Each value and its version, as the server loads them."""
    found: dict[str, object] = {}
    for file in tree.environment(SHOP, PROD).files:
        values, versions, _ = load_environment(file.read(), file, settings_of(tree, SHOP), identities)
        found |= {str(key): value for key, value in values.items()}
        found |= {f"version of {key}": digest for key, digest in versions.keys.items()}
    return found


def test_every_vector_that_can_be_served_is_served_alike_after_a_split_and_a_join(
    arcan: RealmCommand,
) -> None:
    """And what cannot be split is refused with the reason, as it is."""
    done: list[str] = []
    refused: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.vector")):
        vector = Vector.read(path)
        if vector.expect != SUCCESS or vector.format != "yaml" or "rsa8192" in vector.identities:
            continue
        file = arcan.path("shop")
        shutil.rmtree(file.parent.parent, ignore_errors=True)
        file.parent.mkdir(parents=True)
        (file.parent / "realm.yaml").write_text(
            f"allowUnencrypted: {json.dumps(list(vector.allow_unencrypted))}\n"
            f"allowEmpty: {json.dumps(list(vector.allow_empty))}\n"
        )
        file.write_bytes(vector.document)
        tree = RealmTree(arcan.folder / "realms")
        held = Identities([*map(identity, vector.identities), arcan.people["alice"][0]])  # and the rule's
        try:
            before = served(tree, held)
        except ArcanError:
            continue  # a key that has no name, or a value that has no text: no server serves it
        try:
            relayout.split(tree, SHOP, PROD, held)
        except ArcanError as error:
            refused[path.stem] = error.message
            assert file.read_bytes() == vector.document
            assert not (file.parent / "prod").exists()
            continue
        assert not file.exists()
        assert served(tree, held) == before, path
        relayout.join(tree, SHOP, PROD, held)
        assert {key: value for key, value in served(tree, held).items() if "version of" not in key} == {
            key: value for key, value in before.items() if "version of" not in key
        }
        done.append(path.stem)
    assert len(done) > 40, done
    assert refused
    reasons = ("would leave 'arcan_place' in clear", "differ only in case")
    assert all(any(reason in said for reason in reasons) for said in refused.values()), refused
