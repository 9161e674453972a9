"""Whatever the file looks like: an edit of it changes no other value, no other line, and no comment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcan_gitops import sops
from arcan_gitops.sops import yaml_store
from arcan_gitops.sops.formats import format_named
from tests.support.drawn_edits import STRATEGIES, at, ciphertexts, draw_edit, edit_document, edit_tree, paths
from tests.support.realm_files import decrypt_to_json, new_identity
from tests.support.sops_layouts import Layout, texts, trees

IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])
RULES = [None, None, ("encrypted_regex", "^[A-Z]"), ("unencrypted_regex", "[a-z]"), ("encrypted_suffix", "L")]
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


def load(data: bytes, format: str = "yaml") -> sops.Document:
    return sops.load(data, format=format, identities=HELD, limits=sops.ANY_VALUES)


def made(draw: Any, tree: dict[str, Any], format: str = "yaml") -> bytes:
    """A document that holds the tree, by a rule that is drawn."""
    return sops.encrypt(
        tree,
        format=format,
        recipients=[RECIPIENT],
        rule=draw(st.sampled_from(RULES)),
        mac_only=draw(st.booleans()),
        limits=sops.ANY_VALUES,
    )


def laid_out(draw: Any, document: bytes) -> bytes:
    """The same document in another layout."""
    [raw] = yaml_store.parse(document, sops.Limits())
    other = Layout(draw).document(raw)
    assert load(other).tree == load(document).tree
    return other


@pytest.mark.parametrize("format", STRATEGIES)
@settings(QUICK, max_examples=40)
@given(data=st.data())
def test_edited_and_loaded_again_it_is_the_edited_tree(data: st.DataObject, format: str) -> None:
    """And every leaf that the edits do not name keeps its ciphertext, in any layout."""
    of = STRATEGIES[format]
    file = made(data.draw, data.draw(of.trees), format)
    if format == "yaml":
        file = laid_out(data.draw, file)
    document = load(file, format)
    tree = document.tree
    named: list[tuple[str | int, ...]] = []
    for _ in range(data.draw(st.integers(1, 3))):
        edit = draw_edit(data.draw, tree, of)
        tree = edit_tree(tree, *edit)
        edit_document(document, *edit)
        named.append(edit[1] if edit[0] != "rename" else (*edit[1][:-1], edit[2]))
        named.append(edit[1])
        if edit[0] == "rename":  # what was edited under the old name is under the new one now
            named += [named[-2] + path[len(edit[1]) :] for path in named if path[: len(edit[1])] == edit[1]]
    out = document.dump()
    again = load(out, format)
    assert again.tree == document.tree == tree
    assert list(again.tree) == list(tree)
    [old], [new] = (format_named(format).parse(each, sops.Limits()) for each in (file, out))
    old.pop("sops"), new.pop("sops")
    kept = ciphertexts(new)
    for path, text in ciphertexts(old).items():
        if not any(path[: len(edit)] == edit or edit[: len(path)] == path for edit in named):
            assert kept[path] == text


@settings(QUICK, max_examples=40)
@given(st.data())
def test_a_new_value_for_a_leaf_changes_its_line_the_mac_and_the_time(data: st.DataObject) -> None:
    """Byte for byte: beyond one piece of one line, the MAC and the time, the file is the same."""
    file = laid_out(data.draw, made(data.draw, {**data.draw(trees), "A": "x"}))
    document = load(file)
    leaves = [path for path in paths(document.tree) if not isinstance(at(document.tree, path), (dict, list))]
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


def _texts(value: Any) -> Iterator[str]:
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, str):
            yield child
        elif isinstance(child, (dict, list)):
            yield from _texts(child)


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
