"""An edit changes what it names, the MAC and the time, and nothing else; sops does the same to the same lines."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops import sops
from tests.support.realm_files import CANARY, decrypt_to_json, encrypt, new_identity, run_sops

IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])
DOCUMENT = encrypt(
    f"""# head
A: {CANARY}
# above b
b:
    # in b
    c: one
    d: [1, {{e: f, g: h}}, [x, y]]
list:
    # first
    - one
    # second
    - two
    - k: v
      l: w
empty: {{}}
none: []
n: 5
z_unencrypted:
    # clear
    word: 'yes'
    text: |
        one

        two
    number: 1.5
# foot
""",
    RECIPIENT,
)


def load(data: bytes = DOCUMENT) -> sops.Document:
    return sops.load(data, identities=HELD, limits=sops.Limits(allow_unencrypted=("z_*",)))


def edited(data: bytes, *edits: tuple[Any, ...]) -> bytes:
    """The file after the edits; what it then holds is what sops finds in it."""
    document = load(data)
    for name, *arguments in edits:
        getattr(document, name)(*arguments)
    out = document.dump()
    assert load(out).tree == document.tree
    theirs = decrypt_to_json(out, IDENTITY)
    assert theirs.returncode == 0, theirs.stderr
    return out


def lines(data: bytes) -> list[str]:
    """The lines, each ciphertext reduced to its type, without the time."""
    text = re.sub(r'(?m)^    lastmodified: "[^"]*"$', "    lastmodified", data.decode())
    return re.sub(r"ENC\[AES256_GCM,[^\]]*type:(\w+)\]", r"ENC \1", text).splitlines()


def changed(old: bytes, new: bytes) -> list[str]:
    """The lines of the new file that the old one does not have."""
    return [line for line in new.decode().splitlines() if line not in old.decode().splitlines()]


# (sops's arguments, our edit): the two must leave the same lines
EDITS: dict[str, tuple[tuple[str, ...], tuple[Any, ...]]] = {
    "a text": (("set", '["A"]', '"new"'), ("set", "A", "new")),
    "a text of two lines": (("set", '["A"]', '"new\\nline"'), ("set", "A", "new\nline")),
    "a nested value": (("set", '["b"]["c"]', '"new"'), ("set", ["b", "c"], "new")),
    "a boolean for a number": (("set", '["n"]', "true"), ("set", ["n"], True)),
    "a number for a text": (("set", '["A"]', "7"), ("set", ["A"], 7.0)),
    "a new key": (("set", '["new"]', '"x"'), ("set", "new", "x")),
    "a new key that needs quotes": (("set", '["y"]', '"x"'), ("set", "y", "x")),
    "a new key below": (("set", '["b"]["new"]', '"x"'), ("set", ["b", "new"], "x")),
    "maps on the way": (("set", '["b"]["p"]["q"]', '"x"'), ("set", ["b", "p", "q"], "x")),
    "a map for a text": (("set", '["A"]', '{"x":{"y":[1.5,"z",{"u":"v","w":[]}]}}'),
                         ("set", "A", {"x": {"y": [1.5, "z", {"u": "v", "w": []}]}})),
    "a text for a map": (("set", '["b"]', '"x"'), ("set", "b", "x")),
    "a key in an empty map": (("set", '["empty"]["k"]', '"x"'), ("set", ["empty", "k"], "x")),
    "an item in an empty list": (("set", '["none"][0]', '"x"'), ("set", ["none", 0], "x")),
    "an item of a list in a list": (("set", '["b"]["d"][2][1]', '"x"'), ("set", ["b", "d", 2, 1], "x")),
    "an item more": (("set", '["b"]["d"][3]', '"x"'), ("set", ["b", "d", 3], "x")),
    "a key less": (("unset", '["A"]'), ("unset", "A")),
    "a map less": (("unset", '["b"]'), ("unset", "b")),
    "the only key less": (("unset", '["z_unencrypted"]'), ("unset", "z_unencrypted")),
    "an item less": (("unset", '["b"]["d"][2]'), ("unset", ["b", "d", 2])),
    "the first key of an item less": (("unset", '["b"]["d"][1]["e"]'), ("unset", ["b", "d", 1, "e"])),
    "a clear word that needs no quotes any more": (("set", '["z_unencrypted"]["word"]', '"fine"'),
                                                   ("set", ["z_unencrypted", "word"], "fine")),
    "a clear word that needs quotes": (("set", '["z_unencrypted"]["word"]', '"123"'),
                                       ("set", ["z_unencrypted", "word"], "123")),
    "clear text of many lines": (("set", '["z_unencrypted"]["text"]', '" a\\n\\n# b: c\\n\\n"'),
                                 ("set", ["z_unencrypted", "text"], " a\n\n# b: c\n\n")),
    "a clear number": (("set", '["z_unencrypted"]["number"]', "1e30"), ("set", ["z_unencrypted", "number"], 1e30)),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_leaves_the_lines_that_sops_leaves(name: str, tmp_path: Path) -> None:
    (command, *arguments), edit = EDITS[name]
    path = tmp_path / "d.yaml"
    path.write_bytes(DOCUMENT)
    done = run_sops(command, str(path), *arguments, identity=IDENTITY)
    assert done.returncode == 0, done.stderr
    theirs = path.read_bytes()
    ours = edited(DOCUMENT, edit)
    assert lines(ours) == lines(theirs)
    assert load(ours).tree == load(theirs).tree
    # and beyond the shape of the lines: what one of the two left alone, the other did
    kept = [line for line in theirs.splitlines() if line in DOCUMENT.splitlines() and b"lastmod" not in line]
    assert [
        line for line in ours.splitlines() if line in DOCUMENT.splitlines() and b"lastmod" not in line
    ] == kept


def test_one_value_is_three_lines() -> None:
    new = edited(DOCUMENT, ("set", "A", "new"))
    assert len(lines(new)) == len(lines(DOCUMENT))
    assert [line.split(":")[0].strip() for line in changed(DOCUMENT, new)] == ["A", "lastmodified", "mac"]


def test_without_a_change_the_file_is_its_own_bytes() -> None:
    document = load()
    assert document.dump() == DOCUMENT
    document.set(["b", "d"], [1, {"e": "f", "g": "h"}, ["x", "y"]])
    document.set("A", CANARY)
    document.rename("A", "A")
    assert document.dump() == DOCUMENT


def test_a_dumped_document_stays_as_it_is_and_can_be_edited_on() -> None:
    document = load()
    document.set("A", "new")
    first = document.dump(now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert b'lastmodified: "2026-01-02T03:04:05Z"' in first
    assert document.dump() == first
    assert document.metadata.lastmodified == "2026-01-02T03:04:05Z"
    document.unset("n")
    assert load(document.dump()).tree == document.tree
    assert "n" not in document.keys


def test_what_a_list_keeps_is_not_encrypted_anew() -> None:
    document = load()
    document.set(["b", "d"], ["new", 1, {"g": "h"}, ["y"]])
    new = document.dump()
    for kept in [line for line in DOCUMENT.splitlines() if b"type:int" in line or b" g: ENC" in line]:
        assert kept.strip(b" -") in new


def test_comments_in_lists_are_not_counted_as_items() -> None:
    document = load()
    assert document.tree["list"] == ["one", "two", {"k": "v", "l": "w"}]
    new = edited(DOCUMENT, ("set", ["list", 1], "deux"), ("unset", ["list", 2, "k"]), ("unset", ["list", 0]))
    assert load(new).tree["list"] == ["deux", {"l": "w"}]
    assert new.count(b"type:comment") == DOCUMENT.count(b"type:comment")


def test_a_renamed_key_keeps_its_place_its_values_and_its_comments() -> None:
    new = edited(
        DOCUMENT, ("rename", "b", "bee"), ("rename", "list", "items"), ("rename", ["items", 2, "k"], "kk")
    )
    assert list(load(new).tree) == ["A", "bee", "items", "empty", "none", "n", "z_unencrypted"]
    assert load(new).tree["bee"] == load().tree["b"]
    done = run_sops(
        "decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin", data=new, identity=IDENTITY
    )
    for comment in (
        b"# head",
        b"# above b",
        b"    # in b",
        b"    # first",
        b"    # second",
        b"# foot",
    ):
        assert b"\n" + comment + b"\n" in b"\n" + done.stdout


REFUSED: dict[str, tuple[type[sops.SopsError], Callable[[sops.Document], None]]] = {
    "a key that is not there": (sops.NoSuchKey, lambda d: d.unset("nowhere")),
    "a renamed key that is not there": (sops.NoSuchKey, lambda d: d.rename(["b", "x"], "y")),
    "a path through a value": (sops.NoSuchKey, lambda d: d.set(["A", "x"], "y")),
    "a name for an item": (sops.NoSuchKey, lambda d: d.set(["list", "x"], "y")),
    "an index far behind the end": (sops.NoSuchKey, lambda d: d.set(["list", 9], "y")),
    "an index before the start": (sops.NoSuchKey, lambda d: d.set(["list", -1], "y")),
    "a name that is taken": (sops.CannotEdit, lambda d: d.rename("A", "b")),
    "a name for an item of a list": (sops.CannotEdit, lambda d: d.rename(["list", 0], "x")),
    "the key of the metadata": (sops.BadValue, lambda d: d.set("sops", CANARY)),
    "a renaming to it": (sops.BadValue, lambda d: d.rename("A", "sops")),
    "a path into the metadata": (sops.BadValue, lambda d: d.set(["sops", "mac"], CANARY)),
    "the metadata gone": (sops.NoSuchKey, lambda d: d.unset("sops")),
    "null": (sops.EmptyLeaf, lambda d: d.set("A", None)),
    "an empty text": (sops.EmptyLeaf, lambda d: d.set(["b", "new"], {"x": [""]})),
    "a clear key that was not allowed": (sops.ClearLeaf, lambda d: d.set("A_unencrypted", CANARY)),
    "a secret renamed into the clear": (sops.ClearLeaf, lambda d: d.rename("A", "A_unencrypted")),
    "a clear key below": (sops.ClearLeaf, lambda d: d.set(["b", "x_unencrypted"], CANARY)),
    "an integer beyond 64 bits": (sops.BadValue, lambda d: d.set("A", 2**63)),
    "bytes": (sops.BadValue, lambda d: d.set("A", CANARY.encode())),
    "a set": (sops.BadValue, lambda d: d.set("A", {"x": {CANARY}})),
    "a key that is no text": (sops.BadValue, lambda d: d.set("A", {5: CANARY})),
    "a key with a line break": (sops.BadValue, lambda d: d.set("A", {"a\nb": CANARY})),
    "half a surrogate pair": (sops.BadValue, lambda d: d.set("A", CANARY + "\ud800")),
    "a timestamp of our own making": (sops.BadValue, lambda d: d.set("A", sops.Timestamp("2024-1-2"))),
    "a clear text that is not UTF-8": (sops.BadValue, lambda d: d.set(["z_unencrypted", "b"], "\udcff")),
    "a clear zero with a sign": (sops.BadValue, lambda d: d.set(["z_unencrypted", "b"], -0.0)),
    "too deep": (sops.TooLarge, lambda d: d.set(["b", *["x"] * 200], CANARY)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_edit_changes_nothing_and_says_no_value(name: str) -> None:
    kind, edit = REFUSED[name]
    document = load()
    tree = document.tree
    with pytest.raises(kind) as caught:
        edit(document)
    assert CANARY not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert document.tree is tree
    assert document.dump() == DOCUMENT


def test_the_last_key_cannot_be_removed() -> None:
    document = load(encrypt("only: x\n", RECIPIENT))
    with pytest.raises(sops.NoKeys):
        document.unset("only")


def test_what_the_realm_allows_may_be_set() -> None:
    document = sops.load(
        DOCUMENT,
        identities=HELD,
        limits=sops.Limits(allow_unencrypted=("*_unencrypted",), allow_empty=("A",)),
    )
    document.set("A", "")
    document.set("new_unencrypted", "clear")
    new = document.dump()
    assert b'\nA: ""\n' in new
    assert b"\nnew_unencrypted: clear\n" in new
    assert decrypt_to_json(new, IDENTITY).returncode == 0
    with pytest.raises(sops.EmptyLeaf):
        document.set("n", None)


def test_a_tree_that_was_changed_by_hand_is_not_written() -> None:
    document = load()
    document.tree["b"]["c"] = "by hand"
    with pytest.raises(sops.CannotEdit, match="other ways"):
        document.dump()


def test_a_value_that_was_given_can_be_changed_by_its_giver() -> None:
    document = load()
    value = {"x": ["y"]}
    document.set("new", value)
    value["x"].append("z")
    assert document.tree["new"] == {"x": ["y"]}
    document.dump()


def test_nothing_of_a_document_can_be_seen_or_pickled() -> None:
    document = load()
    document.set("A", f"{CANARY}2")
    assert CANARY not in f"{document!r} {document} {document._content!r} {document._content._sealer!r}"
    with pytest.raises(TypeError):
        pickle.dumps(document)
    with pytest.raises(TypeError):
        pickle.dumps(document._content)
    with pytest.raises(TypeError):
        pickle.dumps(document._content._sealer)


def test_a_file_of_several_documents_is_not_edited() -> None:
    document = load(encrypt("a: x\n---\nb: y\n", RECIPIENT))
    with pytest.raises(sops.CannotEdit, match="2 YAML documents"):
        document.set("a", "y")


def test_mac_only_encrypted_is_kept() -> None:
    data = sops.encrypt({"A": "x", "z_b": "c"}, recipients=[RECIPIENT], rule=("encrypted_regex", "^A"), mac_only=True,
                        limits=sops.Limits(allow_unencrypted=("z_*",)))  # fmt: skip
    new = edited(data, ("set", "A", "y"))
    by_hand = new.replace(b"z_b: c", b"z_b: d")
    assert load(by_hand).tree == {"A": "y", "z_b": "d"}


def test_a_path_is_a_key_or_a_sequence_of_keys_and_indexes() -> None:
    for path in ([], [1.5], [True], [None], ["A", b"x"]):
        with pytest.raises(TypeError):
            load().set(path, "x")  # type: ignore[arg-type]
