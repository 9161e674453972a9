"""JSON, dotenv and binary documents are edited and made as YAML ones are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcan_gitops import sops
from tests.support.realm_files import CANARY, new_identity, run_sops
from tests.support.sops_layouts import trees

IDENTITY, RECIPIENT = new_identity()
OTHER_IDENTITY, OTHER = new_identity()
HELD = sops.Identities([IDENTITY])
SUFFIXES = {"json": "json", "dotenv": "env", "binary": "bin"}
PLAIN = {
    "json": json.dumps({"A": "x", "b": {"c": 1.5, "d": ["one", {"e": "f", "g": "h"}], "n": {}, "l": []},
                        "z_unencrypted": "<&>\u00e9", "last": "y"}),
    "dotenv": "# head\nA=x\n\n# b\nb=two\\nlines\nz_unencrypted=clear = text\nlast=y\n",
    "binary": "some text\n\x00\x01",
}  # fmt: skip


def encrypted(format: str, *recipients: str) -> bytes:
    done = run_sops(
        "encrypt", "--age", ",".join(recipients or (RECIPIENT,)), "--input-type", format, "--output-type",
        "json" if format == "binary" else format, "/dev/stdin", data=PLAIN[format].encode(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


DOCUMENTS = {format: encrypted(format) for format in PLAIN}


def load(data: bytes, format: str, identity: str = IDENTITY) -> sops.Document:
    return sops.load(data, format=format, identities=[identity], limits=sops.ANY_VALUES)


def decrypted(data: bytes, format: str, identity: str = IDENTITY) -> bytes:
    """What sops itself makes of a document, in its own format."""
    done = run_sops(
        "decrypt", "--input-type", format, "--output-type", format, "/dev/stdin", data=data, identity=identity
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shape(data: bytes) -> list[str]:
    """The lines, ciphertext, wrapped keys and time left out."""
    text = re.sub(r"ENC\[AES256_GCM,data:[^\]]*type:(\w+)\]", r"\1", data.decode())
    text = re.sub(r"-----BEGIN AGE.*?-----END AGE ENCRYPTED FILE-----", "AGE", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text).split("\n")


EDITS: dict[str, tuple[str, tuple[str, ...], tuple[Any, ...]]] = {
    "a text": ("json", ("set", '["A"]', '"new"'), ("set", "A", "new")),
    "an item": ("json", ("set", '["b"]["d"][0]', '"new"'), ("set", ["b", "d", 0], "new")),
    "an item more": ("json", ("set", '["b"]["d"][2]', '"new"'), ("set", ["b", "d", 2], "new")),
    "a new key": ("json", ("set", '["new"]', '"x"'), ("set", "new", "x")),
    "a new key below": ("json", ("set", '["b"]["new"]', '"x"'), ("set", ["b", "new"], "x")),
    "a key in an empty map": ("json", ("set", '["b"]["n"]["k"]', '"x"'), ("set", ["b", "n", "k"], "x")),
    "a map": ("json", ("set", '["A"]', '{"x":{"y":[1.5,{}],"<":"z"}}'), ("set", "A", {"x": {"y": [1.5, {}], "<": "z"}})),
    "a text for a map": ("json", ("set", '["b"]', '"x"'), ("set", "b", "x")),
    "a clear text": ("json", ("set", '["z_unencrypted"]', '"<&>\u2028"'), ("set", "z_unencrypted", "<&>\u2028")),
    "a key less": ("json", ("unset", '["b"]["c"]'), ("unset", ["b", "c"])),
    "the last key less": ("json", ("unset", '["last"]'), ("unset", "last")),
    "an item less": ("json", ("unset", '["b"]["d"][1]'), ("unset", ["b", "d", 1])),
    "the only key less": ("json", ("unset", '["b"]["d"][1]["e"]'), ("unset", ["b", "d", 1, "e"])),
    "a line": ("dotenv", ("set", '["A"]', '"new\\nline"'), ("set", "A", "new\nline")),
    "a clear line": ("dotenv", ("set", '["z_unencrypted"]', '"new\\nline"'), ("set", "z_unencrypted", "new\nline")),
    "a new line": ("dotenv", ("set", '["new"]', '"x"'), ("set", "new", "x")),
    "a line less": ("dotenv", ("unset", '["b"]'), ("unset", "b")),
    "the last line less": ("dotenv", ("unset", '["last"]'), ("unset", "last")),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_leaves_the_lines_that_sops_leaves(name: str, tmp_path: Path) -> None:
    format, (command, *arguments), (method, *ours) = EDITS[name]
    path = tmp_path / f"d.{SUFFIXES[format]}"
    path.write_bytes(DOCUMENTS[format])
    done = run_sops(command, str(path), *arguments, identity=IDENTITY)
    assert done.returncode == 0, done.stderr
    document = load(DOCUMENTS[format], format)
    getattr(document, method)(*ours)
    out = document.dump()
    assert shape(out) == shape(path.read_bytes())
    assert load(out, format).tree == document.tree
    assert decrypted(out, format) == decrypted(path.read_bytes(), format)


@pytest.mark.parametrize("format", PLAIN)
def test_a_new_document_is_what_sops_would_have_written(format: str) -> None:
    made = sops.encrypt(
        load(DOCUMENTS[format], format).tree,
        format=format,
        recipients=[RECIPIENT],
        limits=sops.Limits(allow_unencrypted=("z_*",)),
    )
    ours = [line for line in shape(made) if line]
    assert ours == [line for line in shape(DOCUMENTS[format]) if line and not line.startswith("#")]
    assert load(made, format).tree == load(DOCUMENTS[format], format).tree
    decrypted(made, format)


@pytest.mark.parametrize("format", PLAIN)
def test_without_a_change_the_file_is_its_own_bytes(format: str) -> None:
    assert load(DOCUMENTS[format], format).dump() == DOCUMENTS[format]


@pytest.mark.parametrize("format", PLAIN)
def test_keys_are_rotated_and_updated(format: str) -> None:
    document = load(DOCUMENTS[format], format)
    document.updatekeys([OTHER, RECIPIENT])
    updated = document.dump()
    assert decrypted(updated, format, OTHER_IDENTITY) == decrypted(DOCUMENTS[format], format)
    assert shape(updated) == shape(encrypted(format, OTHER, RECIPIENT))
    document.rotate([OTHER])
    rotated = document.dump()
    assert decrypted(rotated, format, OTHER_IDENTITY) == decrypted(DOCUMENTS[format], format)  # comments too
    assert not set(re.findall(rb"iv:([^,]+),", rotated)) & set(re.findall(rb"iv:([^,]+),", updated))
    with pytest.raises(sops.NoMatchingIdentity):
        load(rotated, format)


@pytest.mark.parametrize("format", ["json", "dotenv"])
def test_a_renamed_key_keeps_its_place_and_its_value(format: str) -> None:
    document = load(DOCUMENTS[format], format)
    document.rename("b", "bee")
    out = document.dump()
    assert load(out, format).tree == document.tree
    assert list(document.tree)[1] == "bee"
    assert decrypted(out, format).replace(b"bee", b"b") == decrypted(DOCUMENTS[format], format)


def test_a_binary_document_gets_new_bytes() -> None:
    document = load(DOCUMENTS["binary"], "binary")
    document.set("data", "new \udcff\udcfe")
    assert decrypted(document.dump(), "binary") == b"new \xff\xfe"


@pytest.mark.parametrize(
    ("format", "path", "value"),
    [
        ("binary", ["other"], CANARY),
        ("binary", ["data"], {"x": CANARY}),
        ("dotenv", ["A"], {"x": CANARY}),
        ("dotenv", ["A"], [CANARY]),
        ("dotenv", ["A=B"], CANARY),
        ("dotenv", ["#A"], CANARY),
        ("dotenv", ["sops_mac"], CANARY),
        ("dotenv", ["z_unencrypted"], f"{CANARY}\\n"),
        ("json", ["z_unencrypted"], float("nan")),
        ("json", ["z_unencrypted"], sops.Timestamp("2024-01-02T00:00:00Z")),
        ("json", ["z_unencrypted"], "\udcff"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(format: str, path: list[str | int], value: Any) -> None:
    document = load(DOCUMENTS[format], format)
    with pytest.raises((sops.BadValue, sops.CannotEdit)) as caught:
        document.set(path, value)
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert document.dump() == DOCUMENTS[format]
    with pytest.raises((sops.BadValue, sops.EmptyLeaf)):
        sops.encrypt({str(path[0]): value}, format=format, recipients=[RECIPIENT], limits=sops.Limits(allow_unencrypted=("z_*",)),
                     rule=("unencrypted_regex", "^z_") if format != "binary" else None)  # fmt: skip


@pytest.mark.parametrize("indent", [None, 0, 2, 4, "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_json_in_any_layout_is_edited(data: st.DataObject, indent: int | str | None, newline: str) -> None:
    tree = {
        **data.draw(trees.filter(lambda tree: "Infinity" not in json.dumps(tree) and "B" not in tree)),
        "A": ["x", {"k": "v"}],
    }
    tree = json.loads(json.dumps(tree))  # timestamps as texts
    made = sops.encrypt(tree, format="json", recipients=[RECIPIENT], limits=sops.ANY_VALUES)
    file = json.dumps(json.loads(made), indent=indent).replace("\n", newline).encode()
    document = load(file, "json")
    document.set(["A", 1], {"new": ["y", "z"]})
    document.rename("A", "B")
    document.set(["B", 2], "w")
    document.unset(["B", 0])
    out = document.dump()
    assert load(out, "json").tree == document.tree
    assert document.tree["B"] == [{"new": ["y", "z"]}, "w"]
    assert {key: document.tree[key] for key in tree if key != "A"} == {
        key: tree[key] for key in tree if key != "A"
    }
    assert (newline.encode() in out) is (newline.encode() in file)
    if indent == "\t" and newline == "\n":
        again = json.dumps(json.loads(out), indent="\t")
        assert [len(line) - len(line.lstrip("\t")) for line in out.decode().splitlines()] == [
            len(line) - len(line.lstrip("\t")) for line in again.splitlines()
        ]
