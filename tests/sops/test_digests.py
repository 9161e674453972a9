"""A digest is of the ciphertext: any new one changes it, and nothing else does. No key is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from arcan_gitops.sops import NotEncrypted, digests, load
from tests.support.realm_files import encrypt, new_identity, run_sops

PLAIN = "A: one\nB: {c: [two, 3], d: true}\nlist: [x, y]\n"


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return new_identity()


@pytest.fixture(scope="module")
def document(pair: tuple[str, str]) -> bytes:
    return encrypt(PLAIN, pair[1])


def test_each_key_has_one_of_twelve_hexadecimal_digits(document: bytes):
    found = digests(document)
    assert list(found.keys) == ["A", "B", "list"]
    for digest in (*found.keys.values(), found.document):
        assert re.fullmatch("[0-9a-f]{12}", digest)
    assert len({*found.keys.values(), found.document}) == 4


def test_a_loaded_document_knows_them(document: bytes, pair: tuple[str, str]):
    assert load(document, identities=[pair[0]]).digests == digests(document)


def test_another_layout_of_the_same_ciphertext_has_the_same(document: bytes):
    tree = yaml.safe_load(document)
    flow = yaml.safe_dump(tree, default_flow_style=True, sort_keys=False, width=60).encode()
    indented = yaml.safe_dump(tree, indent=7, sort_keys=False, default_style='"').encode()
    assert digests(flow) == digests(indented) == digests(document)


def test_an_edit_by_sops_changes_the_key_and_the_document_and_no_other_key(
    document: bytes, pair: tuple[str, str]
):
    before = digests(document)
    edited = load(document, identities=[pair[0]])
    edited.set("A", "another")
    after = digests(edited.dump())
    assert {key for key in before.keys if before.keys[key] != after.keys[key]} == {"A"}
    assert before.document != after.document


def test_the_same_value_encrypted_anew_is_another_version(pair: tuple[str, str]):
    one, other = digests(encrypt(PLAIN, pair[1])), digests(encrypt(PLAIN, pair[1]))
    assert not set(one.keys.values()) & set(other.keys.values())


def test_a_change_inside_a_key_changes_that_key(document: bytes, pair: tuple[str, str]):
    edited = load(document, identities=[pair[0]])
    edited.set(("B", "c", 1), 4)
    before, after = digests(document), digests(edited.dump())
    assert {key for key in before.keys if before.keys[key] != after.keys[key]} == {"B"}


def test_new_recipients_mac_and_time_count_for_nothing(document: bytes, pair: tuple[str, str]):
    edited = load(document, identities=[pair[0]])
    edited.updatekeys([pair[1], new_identity()[1]])
    changed = edited.dump()
    assert changed != document
    assert digests(changed) == digests(document)


def test_the_order_of_top_level_keys_counts_for_nothing(document: bytes):
    tree = yaml.safe_load(document)
    turned = yaml.safe_dump(dict(reversed(tree.items())), sort_keys=False).encode()
    assert digests(turned).document == digests(document).document


def test_the_order_inside_a_key_counts(document: bytes):
    tree = yaml.safe_load(document)
    tree["B"] = dict(reversed(tree["B"].items()))
    assert digests(yaml.safe_dump(tree, sort_keys=False).encode()).keys["B"] != digests(document).keys["B"]


def test_types_in_clear_are_told_apart(pair: tuple[str, str]):
    options = ("--unencrypted-regex", "^A")
    found = [
        digests(encrypt(f"A: {value}\nB: x\n", pair[1], options=options)).keys["A"]
        for value in ("1", "'1'", "1.5", "true", "'true'", "[1]")
    ]
    assert len(set(found)) == len(found)


def test_a_clear_document_has_none():
    with pytest.raises(NotEncrypted):
        digests(b"A: one\n")


def test_the_real_sops_keeps_the_ciphertext_of_what_it_does_not_change(
    document: bytes, pair: tuple[str, str], tmp_path: Path
):
    file = tmp_path / "prod.sops.yaml"
    file.write_bytes(document)
    done = run_sops("set", "--value-stdin", str(file), '["A"]', data=b'"new"', identity=pair[0])
    assert done.returncode == 0, done.stderr
    before, after = digests(document), digests(file.read_bytes())
    assert {key for key in before.keys if before.keys[key] != after.keys[key]} == {"A"}
