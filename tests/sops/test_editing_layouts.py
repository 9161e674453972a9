"""Whatever the file looks like: an edit of it changes no other value, no other line, and no comment."""

from __future__ import annotations

import copy
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcan_gitops import sops
from arcan_gitops.sops import yaml_store
from tests.support.realm_files import decrypt_to_json, new_identity, run_sops
from tests.support.sops_layouts import Layout, keys, texts, trees, values

IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])
RULES = [None, None, ("encrypted_regex", "^[A-Z]"), ("unencrypted_regex", "[a-z]"), ("encrypted_suffix", "L")]
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


def load(data: bytes) -> sops.Document:
    return sops.load(data, identities=HELD, allow_unencrypted=["*"], allow_empty=["*"])


def made(draw: Any, tree: dict[str, Any]) -> bytes:
    """A document that holds the tree, by a rule that is drawn."""
    return sops.encrypt(
        tree,
        recipients=[RECIPIENT],
        rule=draw(st.sampled_from(RULES)),
        mac_only=draw(st.booleans()),
        allow_unencrypted=["*"],
        allow_empty=["*"],
    )


def laid_out(draw: Any, document: bytes) -> bytes:
    """The same document in another layout."""
    [raw] = yaml_store.parse(document, sops.Limits())
    other = Layout(draw).document(raw)
    assert load(other).tree == load(document).tree
    return other


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for step, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, step)
        if isinstance(child, (dict, list)):
            yield from paths(child, (*path, step))


def draw_edit(draw: Any, tree: dict[str, Any]) -> tuple[str, tuple[str | int, ...], Any]:
    """(method, path, argument) of an edit that the tree allows."""
    path = draw(st.sampled_from(list(paths(tree))))
    parent: Any = tree
    for step in path[:-1]:
        parent = parent[step]
    methods = ["set", "add"]
    if len(path) > 1 or len(tree) > 1:
        methods.append("unset")
    if isinstance(parent, dict):
        methods.append("rename")
    method = draw(st.sampled_from(methods))
    names = keys.filter(lambda name: name not in parent and name != "sops")
    if method == "rename":
        return method, path, draw(names)
    if method == "unset":
        return method, path, None
    if method == "add":
        path = (*path[:-1], draw(names) if isinstance(parent, dict) else len(parent))
    return "set", path, draw(values)


def edit_tree(tree: Any, method: str, path: tuple[str | int, ...], argument: Any) -> Any:
    """The edit as Python does it."""
    tree = copy.deepcopy(tree)
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    if method == "unset":
        del parent[path[-1]]
    elif method == "rename":
        entries = [(argument if key == path[-1] else key, child) for key, child in parent.items()]
        parent.clear()
        parent.update(entries)
    elif isinstance(parent, list) and path[-1] == len(parent):
        parent.append(argument)
    else:
        parent[path[-1]] = argument
    return tree


def edit_document(document: sops.Document, method: str, path: tuple[str | int, ...], argument: Any) -> None:
    getattr(document, method)(path, *([] if method == "unset" else [argument]))


def ciphertexts(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], str]:
    """The encrypted leaves by path, lists as one: their items move."""
    if isinstance(value, dict):
        return {
            at: text for key, child in value.items() for at, text in ciphertexts(child, (*path, key)).items()
        }
    return {path: json.dumps(value)} if "ENC[" in json.dumps(value) else {}


@settings(QUICK, max_examples=70)
@given(st.data())
def test_edited_and_loaded_again_it_is_the_edited_tree(data: st.DataObject) -> None:
    """And every leaf that the edits do not name keeps its ciphertext, in any layout."""
    tree = data.draw(trees)
    file = laid_out(data.draw, made(data.draw, tree))
    document = load(file)
    tree = document.tree
    named: list[tuple[str | int, ...]] = []
    for _ in range(data.draw(st.integers(1, 3))):
        edit = draw_edit(data.draw, tree)
        tree = edit_tree(tree, *edit)
        edit_document(document, *edit)
        named.append(edit[1] if edit[0] != "rename" else (*edit[1][:-1], edit[2]))
        named.append(edit[1])
        if edit[0] == "rename":  # what was edited under the old name is under the new one now
            named += [named[-2] + path[len(edit[1]) :] for path in named if path[: len(edit[1])] == edit[1]]
    out = document.dump()
    again = load(out)
    assert again.tree == document.tree == tree
    assert list(again.tree) == list(tree)
    [old], [new] = (yaml_store.parse(each, sops.Limits()) for each in (file, out))
    old.pop("sops"), new.pop("sops")
    kept = ciphertexts(new)
    for path, text in ciphertexts(old).items():
        if not any(path[: len(edit)] == edit or edit[: len(path)] == path for edit in named):
            assert kept[path] == text


@settings(QUICK, max_examples=70)
@given(st.data())
def test_a_new_value_for_a_leaf_changes_its_line_the_mac_and_the_time(data: st.DataObject) -> None:
    """Byte for byte: beyond one piece of one line, the MAC and the time, the file is the same."""
    file = laid_out(data.draw, made(data.draw, {**data.draw(trees), "A": "x"}))
    document = load(file)
    leaves = [path for path in paths(document.tree) if not isinstance(_at(document.tree, path), (dict, list))]
    document.set(data.draw(st.sampled_from(leaves)), data.draw(texts.filter(lambda text: "\n" not in text)))
    old, new = (_without_mac(each) for each in (file, document.dump()))
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    assert "\n" not in old[start : len(old) - end]
    assert "\n" not in new[start : len(new) - end]


def _common(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _without_mac(file: bytes) -> str:
    metadata = load(file).metadata
    return file.decode().replace(metadata.mac, "MAC").replace(metadata.lastmodified, "TIME")


def _at(tree: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


@settings(QUICK, max_examples=25)
@given(st.data())
def test_what_we_write_sops_reads(data: st.DataObject) -> None:
    tree = data.draw(trees)
    file = made(data.draw, tree)
    if data.draw(st.booleans()):
        document = load(laid_out(data.draw, file))
        edit = draw_edit(data.draw, document.tree)
        edit_document(document, *edit)
        tree, file = document.tree, document.dump()
    theirs = decrypt_to_json(file, IDENTITY)
    if b"unsupported value" in theirs.stderr:  # an infinity, which JSON cannot hold
        return
    assert theirs.returncode == 0, theirs.stderr
    assert json.dumps(_as_json(json.loads(theirs.stdout), tree)) == json.dumps(tree)


def _as_json(read: Any, truth: Any) -> Any:
    """What JSON made of a tree, its numbers as those of the truth: sops prints 5.0 as 5."""
    if isinstance(truth, dict):
        return {key: _as_json(child, truth.get(key)) for key, child in read.items()}
    if isinstance(truth, list):
        return [_as_json(*pair) for pair in zip(read, truth, strict=True)]
    return float(read) if isinstance(truth, float) else read


@settings(QUICK, max_examples=15)
@given(st.data())
def test_what_sops_writes_we_read_and_edit(data: st.DataObject) -> None:
    """Every line that our edit leaves is one that sops wrote, and its own next edit keeps ours."""
    tree = data.draw(trees)
    done = run_sops(
        "encrypt", "--age", RECIPIENT, "--input-type", "json", "--output-type", "yaml", "/dev/stdin",
        data=json.dumps(tree).replace("Infinity", "1e300").encode(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = load(done.stdout)
    document.set("a new key", "x")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "d.yaml")
        path.write_bytes(done.stdout)
        theirs = run_sops("set", str(path), '["a new key"]', '"x"', identity=IDENTITY)
        assert theirs.returncode == 0, theirs.stderr
        assert _shape(path.read_bytes()) == _shape(document.dump())


@settings(QUICK, max_examples=25)
@given(st.data())
def test_a_document_of_ours_is_not_laid_out_anew_by_sops(data: st.DataObject) -> None:
    odd = re.compile(
        "[\x85\u2028\u2029]|^[ \n].*\n", re.DOTALL
    )  # which sops itself writes brokenly, or moves
    tree = data.draw(trees.filter(lambda tree: not any(odd.search(text) for text in _texts(tree))))
    file = made(data.draw, tree)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "d.yaml")
        path.write_bytes(file)
        theirs = run_sops("set", str(path), '["a new key"]', '"x"', identity=IDENTITY)
        assert theirs.returncode == 0, theirs.stderr
        new = [line for line in _shape(path.read_bytes()) if not line.startswith("a new key:")]
    assert new == _shape(file)


def _texts(value: Any) -> Iterator[str]:
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, str):
            yield child
        elif isinstance(child, (dict, list)):
            yield from _texts(child)


def _shape(data: bytes) -> list[str]:
    """The lines, ciphertext and time left out."""
    text = re.sub(r"ENC\[AES256_GCM,data:[^\]]*\]", "ENC", data.decode())
    return re.sub(r'lastmodified: "[^"]*"', "lastmodified", text).split("\n")


LAYOUTS = {
    "lists under their keys without indentation": ("l:\n- one\n- two\nm:\n  k: v\n", ["l", 1]),
    "an inline comment": ("a: b # why\nc: d\n", ["a"]),
    "quotes": ("\"a\": 'b'\n'c': \"d\"\n", ["a"]),
    "flow style": ("{a: b, c: [d, {e: f}]}\n", ["c", 1, "e"]),
    "flow style over lines": ('{\n  "a": "b",\n  "c": [\n    "d",\n    "e"\n  ]\n}\n', ["c", 1]),
    "a value on the line below": ("a:\n  b\nc: d\n", ["a"]),
    "an explicit key": ("? a\n: b\nc: d\n", ["a"]),
    "a document with a start and an end": ("%YAML 1.1\n---\na: b\nc: d\n...\n", ["a"]),
    "an anchor that nothing refers to": ("a: &x b\nc: &y\n  d: e\n", ["c", "d"]),
    "tabs before a comment": ("a: b\t# why\nc:\t d\n", ["a"]),
    "a byte order mark": ("\ufeffa: b\nc: d\n", ["a"]),
    "a root that is indented": ("  a: b\n  c: d\n", ["a"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_layout_that_nobody_would_choose_survives(name: str, newline: str) -> None:
    """The text of the layout with ciphertext in the place of each value; then one value changes."""
    text, path = LAYOUTS[name]
    [plain] = yaml_store.parse(text.encode(), sops.Limits())
    document = sops.encrypt(plain, recipients=[RECIPIENT])
    [raw] = yaml_store.parse(document, sops.Limits())
    block = document[document.index(b"\nsops:") + 1 :].decode()
    for clear, sealed in zip(_texts(plain), _texts(_only(raw)), strict=True):
        quoted = '"' if "{" in text else ""
        text = re.sub(
            rf"(?<=[ \t\n\[\"'])({clear})(?=[ \t\n\]\}},\"'])(?!\"?:)",
            lambda _, s=sealed, q=quoted: q + s + q,
            text,
            count=1,
        )
    text = text.replace('""ENC', '"ENC').replace(']""', ']"')
    if text.lstrip("\ufeff").startswith("{"):
        text = text.rstrip()[:-1] + f', "sops": {json.dumps(raw["sops"])}}}\n'
    elif text.endswith("...\n"):
        text = text[:-4] + block + "...\n"
    else:
        text += "".join(
            f"  {line}\n" if text.startswith("  ") else f"{line}\n" for line in block.splitlines()
        )
    file = text.replace("\n", newline).encode()
    edited = load(file)
    assert edited.tree == plain
    edited.set(path, "changed")
    edited.set("new", {"k": ["v"]})
    edited.rename(path[:1], "renamed")
    again = load(edited.dump())
    assert again.tree == edited.tree
    assert decrypt_to_json(edited.dump(), IDENTITY).returncode == 0
    edited.unset("renamed")
    assert load(edited.dump()).tree == edited.tree


def _only(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key != "sops"}
