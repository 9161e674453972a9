"""What a person is given to edit, and which edits come of what was typed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName
from arcan_gitops.realms.clear_text import (
    apply_changes,
    clear_text,
    read_clear_text,
)
from arcan_gitops.sops import Document, EmptyLeaf, NoKeys, Timestamp, load
from arcan_gitops.sops import encrypt as encrypt_natively
from arcan_gitops.sops.trees import sorted_keys
from tests.support.realm_files import CANARY, decrypt_to_json, encrypt, new_identity

PLAIN = """\
# above
A: one
B: 5432
C: # beside
    d: two
    e:
        - 1
        - x: y
          z: w
        - three
    f: 1.5
G: |
    line
      indented
H: "0071"
I: yes
K: 2024-01-01T00:00:00Z
L: 1.0
"""
IDENTITY, RECIPIENT = new_identity()
DATA = encrypt(PLAIN, RECIPIENT)


def opened() -> Document:
    return load(DATA, identities=[IDENTITY])


def typed(old: str, new: str) -> str:
    """The text that is given, with one thing changed in it."""
    text = clear_text(opened().tree).decode()
    assert text.count(old) == 1, text
    return text.replace(old, new)


def apply(text: str) -> tuple[Document, tuple[str, ...]]:
    document = opened()
    before = read_clear_text(clear_text(document.tree))
    return document, apply_changes(document, before, read_clear_text(text.encode()))


def changed_lines(document: Document) -> list[str]:
    """The lines of the file that are not as before, without those of the MAC."""
    before = set(DATA.decode().splitlines())
    after = document.dump().decode().splitlines()
    return [line.strip() for line in after if line not in before and not re.match(r" +(mac|lastmod)", line)]


def seen_by_sops(document: Document) -> Any:
    done = decrypt_to_json(document.dump(), IDENTITY)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_text_reads_back_as_the_document_in_go_s_words() -> None:
    document = opened()
    text = clear_text(document.tree)
    assert b"above" not in text
    assert b'H: "0071"\n' in text
    assert b"I: yes\n" in text or b'I: "yes"\n' in text
    tree = read_clear_text(text)
    assert tree == document.tree
    assert list(tree) == list(document.tree)
    assert type(tree["K"]) is Timestamp


def test_what_is_not_changed_changes_nothing() -> None:
    """Also a whole float, which the text shows as an integer."""
    document, changed = apply(clear_text(opened().tree).decode())
    assert changed == ()
    assert document.dump() == DATA


def test_typed_comments_blank_lines_quotes_and_another_order_change_nothing() -> None:
    lines = clear_text(opened().tree).decode().replace("A: one", "A:   'one' # said").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("H:"))
    document, changed = apply("# typed\n\n" + "\n".join([*lines[at:], *lines[:at], ""]))
    assert changed == ()
    assert document.dump() == DATA


@pytest.mark.parametrize(
    ("old", "new", "key", "lines"),
    [
        ("A: one", "A: another", "A", 1),
        ("A: one", "A: [one]", "A", 2),
        ("B: 5432", 'B: "5432"', "B", 1),
        ("d: two", "d: another", "C", 1),
        ("z: w", "z: another", "C", 1),
        ("- three", "- another", "C", 1),
        ("- three", "- three\n        - four", "C", 1),
        ("        - 1\n", "", "C", 0),
        ("        - three\n", "", "C", 0),
        ("f: 1.5", "f: 1.5\n    n: new", "C", 1),
        ("    f: 1.5\n", "", "C", 0),
        ("f: 1.5", "renamed: 1.5", "C", 1),
        ("L: 1", "L: 1\nN: new", "N", 1),
    ],
)
def test_only_what_was_changed_is_encrypted_anew(old: str, new: str, key: str, lines: int) -> None:
    text = typed(old, new)
    document, changed = apply(text)
    assert changed == (key,)
    assert len(changed_lines(document)) == lines
    wanted = read_clear_text(text.encode())
    assert json.loads(json.dumps(document.tree)) == json.loads(json.dumps(wanted))
    assert seen_by_sops(document) == json.loads(json.dumps(document.tree))


def test_a_key_with_another_name_and_the_same_value_is_renamed_in_its_place() -> None:
    document, changed = apply(typed("B: 5432", "PORT: 5432"))
    assert changed == ("B", "PORT")
    assert list(document.tree)[:3] == ["A", "PORT", "C"]
    assert len(changed_lines(document)) == 1


def test_everything_may_be_replaced_at_once() -> None:
    document, changed = apply("NEW: x\n")
    assert document.tree == {"NEW": "x"}
    assert set(changed) == {"A", "B", "C", "G", "H", "I", "K", "L", "NEW"}
    assert seen_by_sops(document) == {"NEW": "x"}


def test_a_plain_scalar_means_what_it_means_to_sops() -> None:
    document, _ = apply(typed("A: one", "A: 17\nA2: true\nA3: no\nA4: 1.5"))
    assert [document.tree[key] for key in ("A", "A2", "A3", "A4")] == [17, True, "no", 1.5]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (
            f"A: one\nB: {CANARY}\n  C: {CANARY}\n",
            ArcanError,
            "line 3: not YAML: mapping values are not allowed",
        ),
        (f"A: [{CANARY}\n", ArcanError, "line 2: not YAML"),
        (f"A: one\n{CANARY}\n", ArcanError, "line 3: not YAML"),
        (f"{CANARY}", ArcanError, "line 1: the top level is not a mapping"),
        (f"A: one\n{CANARY}: x\n{CANARY}: y\n", ArcanError, "line 3: a key is given twice"),
        (f"A: !!{CANARY} x\n", ArcanError, "line 1: "),
        (f"A: &a {CANARY}\nB: *a\n", ArcanError, "line 2: a YAML alias"),
        ("A: 2024-1-1T5\n", ArcanError, "line 1: a text that is almost a timestamp"),
        ("A: one\n---\nB: two\n", ArcanError, "several YAML documents"),
        ("# nothing\n", NoKeys, "no key at all"),
        ("", NoKeys, "no key at all"),
        (f"A: one\n{CANARY} {CANARY}: x\n", InvalidName, "the key below 'A' is not a valid key name"),
        (f"'//{CANARY}': x\n", InvalidName, "the key at the top is not a valid key name"),
        ("A: one\nB:\n", EmptyLeaf, "'B'"),
        ("A: ''\n", EmptyLeaf, "'A'"),
        ("A: one\nsops: x\n", ArcanError, "SOPS's own metadata"),
    ],
)
def test_what_cannot_be_is_refused_by_its_line_and_is_not_repeated(
    text: str, error: type[ArcanError], said: str
) -> None:
    with pytest.raises(error) as caught:
        apply(text)
    assert said in caught.value.message
    assert CANARY not in f"{caught.value.message} {caught.value.hint}"


def test_a_value_that_yaml_cannot_show_is_named_by_its_key() -> None:
    for value in (-0.0, "\udcff"):
        with pytest.raises(ArcanError, match="key 'A'"):
            clear_text({"B": "x", "A": {"b": value}})


def trees(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Trees of few keys and values, so that two of them have much in common."""
    leaves = st.sampled_from(["x", "y", " z\n", 1, 2, 1.5, True])
    nested = st.recursive(
        leaves,
        lambda below: st.lists(below, max_size=4) | st.dictionaries(keys, below, max_size=3),
        max_leaves=8,
    )
    return st.dictionaries(keys, nested.filter(lambda value: value not in ({}, [])), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(before=trees(st.sampled_from("ABCDE")), after=trees(st.sampled_from("ABCDE")))
def test_whatever_is_typed_is_what_the_document_holds_then(before: Any, after: Any) -> None:
    document = load(encrypt_natively(before, recipients=[RECIPIENT]), identities=[IDENTITY])
    shown, typed = read_clear_text(clear_text(before)), read_clear_text(clear_text(after))
    apply_changes(document, shown, typed)
    [written] = [load(document.dump(), identities=[IDENTITY]).tree]
    assert sorted_keys(written) == sorted_keys(after)
    assert repr(sorted_keys(written)) == repr(sorted_keys(after))  # of the same types too


def test_texts_of_every_kind_read_back() -> None:
    tree = {
        "A": "trailing \n\n",
        "B": " leading",
        "C": "\ttab",
        "D": "# no comment",
        "E": "a: b",
        "F": "'\"\\",
        "G": "-----BEGIN X-----\nabc\n-----END X-----\n",
        "H": "\x00\x1b[0m",
        "I": "true",
        "J": "ENC[AES256_GCM,data:x]",
        "K": "\n",
        "L": {"": "x", "a:b": "y"},
    }
    assert read_clear_text(clear_text(tree)) == tree


@pytest.mark.parametrize("number", ["0123", "1.10", "1_000", "0x1F", "1e3", "007", "+5", "1.0", ".5"])
def test_a_number_that_would_be_served_as_another_text_is_refused(number: str) -> None:
    with pytest.raises(ArcanError, match="line 2: a number that would be served as another text"):
        read_clear_text(f"A: x\nB: {number}\n".encode())
    assert read_clear_text(f"A: x\nB: '{number}'\n".encode()) == {"A": "x", "B": number}


@pytest.mark.parametrize("number", [0, 1, -5, 83, 1.5, 1e21, 2**63 - 1, 1e-7, 12345678.9])
def test_a_number_as_it_is_shown_can_stay(number: float) -> None:
    assert read_clear_text(clear_text({"A": number})) == {"A": number}
