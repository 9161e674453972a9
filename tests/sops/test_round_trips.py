"""What we write sops reads, and what sops writes we read: the same values of the same types in the same order.

A process of sops takes long beside a tree, so each document holds several of them.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcan_gitops import sops
from arcan_gitops.sops import yaml_store
from tests.support.drawn_edits import STRATEGIES, draw_edit, edit_document
from tests.support.realm_files import new_identity, run_sops
from tests.support.sops_layouts import BROKEN, BROKEN_ITEM, Layout, quoted
from tests.support.vectors import same

IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))
RULES = [None, None, ("encrypted_regex", "^[A-Z]"), ("unencrypted_regex", "[a-z]"), ("encrypted_suffix", "L")]


def plain_numbers(value: Any, largest: int) -> Any:
    """With 5 in the place of infinities, and of larger integers."""
    if isinstance(value, dict):
        return {key: plain_numbers(child, largest) for key, child in value.items()}
    if isinstance(value, list):
        return [plain_numbers(child, largest) for child in value]
    infinite = value in (float("inf"), -float("inf"))
    return 5 if infinite or (type(value) is int and abs(value) > largest) else value


def together(trees: list[Any]) -> dict[str, Any]:
    """Trees as one, under keys of which no rule takes notice."""
    return {str(at): tree for at, tree in enumerate(trees)}


def several(format: str, largest: int) -> st.SearchStrategy[dict[str, Any]]:
    numbers = partial(plain_numbers, largest=largest)
    return st.lists(STRATEGIES[format].trees.map(numbers), min_size=1, max_size=8).map(together)


FORESTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "yaml": several("yaml", 2**63),
    "json": several("json", 2**53),  # sops 3.11 makes floats of them
    "dotenv": st.lists(STRATEGIES["dotenv"].trees, min_size=1, max_size=8).map(
        lambda trees: {f"{at} {key}": value for at, tree in enumerate(trees) for key, value in tree.items()}
    ),
    "binary": st.binary(max_size=40).map(lambda data: {"data": data.decode("utf-8", "surrogateescape")}),
}


def load(data: bytes, format: str = "yaml") -> sops.Document:
    return sops.load(data, format=format, identities=HELD, limits=sops.ANY_VALUES)


def made(draw: Any, tree: dict[str, Any], format: str = "yaml") -> bytes:
    """A document of ours that holds the tree, by a rule that is drawn."""
    plain = format == "binary"
    return sops.encrypt(
        tree,
        format=format,
        recipients=[RECIPIENT],
        rule=None if plain else draw(st.sampled_from(RULES)),
        mac_only=not plain and draw(st.booleans()),
        limits=sops.ANY_VALUES,
    )


def sops_reads(file: bytes, format: str) -> Any:
    output = "binary" if format == "binary" else "json"
    done = run_sops(
        "decrypt", "--input-type", format, "--output-type", output, "/dev/stdin", data=file, identity=IDENTITY
    )
    assert done.returncode == 0, done.stderr
    if format == "binary":
        return {"data": done.stdout.decode("utf-8", "surrogateescape")}
    return json.loads(done.stdout)


def as_yaml(value: Any) -> str:
    """In flow style, every text in quotes: nothing of it is open to interpretation."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {as_yaml(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def sops_writes(tree: dict[str, Any], format: str) -> bytes:
    """The tree as sops encrypts it."""
    if format == "yaml":
        plain = as_yaml(tree).encode()
    elif format == "json":
        plain = json.dumps(tree).encode()
    elif format == "dotenv":
        escaped = {key: value.replace("\n", "\\n") for key, value in tree.items()}
        plain = "".join(f"{key}={value}\n" for key, value in escaped.items()).encode()
    else:
        plain = tree["data"].encode("utf-8", "surrogateescape")
    output = "json" if format == "binary" else format
    done = run_sops(
        "encrypt", "--age", RECIPIENT, "--input-type", format, "--output-type", output, "/dev/stdin", data=plain
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("format", FORESTS)
@settings(QUICK, max_examples=8)
@given(data=st.data())
def test_what_we_write_sops_reads(data: st.DataObject, format: str) -> None:
    tree = data.draw(FORESTS[format])
    file = made(data.draw, tree, format)
    assert same(tree, load(file, format).tree)
    assert same(tree, sops_reads(file, format))


@settings(QUICK, max_examples=15)
@given(st.data())
def test_what_we_edited_in_any_layout_sops_reads(data: st.DataObject) -> None:
    [raw] = yaml_store.parse(made(data.draw, data.draw(FORESTS["yaml"])), sops.Limits())
    document = load(Layout(data.draw).document(raw))
    for _ in range(3):
        edit_document(document, *draw_edit(data.draw, document.tree, STRATEGIES["yaml"]))
    theirs = run_sops(
        "decrypt", "--input-type", "yaml", "--output-type", "json", "/dev/stdin", data=document.dump(), identity=IDENTITY
    )  # fmt: skip
    if b"unsupported value" in theirs.stderr:  # an infinity that an edit brought in
        return
    assert theirs.returncode == 0, theirs.stderr
    assert same(document.tree, json.loads(theirs.stdout))


@pytest.mark.parametrize("format", FORESTS)
@settings(QUICK, max_examples=6)
@given(data=st.data())
def test_what_sops_writes_we_read(data: st.DataObject, format: str) -> None:
    tree = data.draw(FORESTS[format] if format != "yaml" else several("json", 2**63))
    read = load(sops_writes(tree, format), format).tree
    if format == "json":  # of whose numbers sops 3.11 made floats
        tree = json.loads(json.dumps(tree), parse_int=float)
    assert same(read, tree)


@settings(QUICK, max_examples=8)
@given(st.data())
def test_a_document_of_sops_we_edit_as_sops_does(data: st.DataObject) -> None:
    """Every line that our edit leaves is one that sops wrote, and its own next edit keeps ours."""
    file = sops_writes(data.draw(several("json", 2**63)), "yaml")
    document = load(file)
    document.set("a new key", "x")
    assert _shape(_edited_by_sops(file)) == _shape(document.dump())


@settings(QUICK, max_examples=8)
@given(st.data())
def test_a_document_of_ours_is_not_laid_out_anew_by_sops(data: st.DataObject) -> None:
    readable = STRATEGIES["yaml"].trees.filter(
        lambda tree: not any(odd.search(text) for text in _texts(tree) for odd in (BROKEN, BROKEN_ITEM))
    )
    file = made(data.draw, data.draw(st.lists(readable, min_size=1, max_size=6).map(together)))
    new = [line for line in _shape(_edited_by_sops(file)) if not line.startswith("a new key:")]
    assert new == _shape(file)


def _edited_by_sops(file: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "d.yaml")
        path.write_bytes(file)
        done = run_sops("set", str(path), '["a new key"]', '"x"', identity=IDENTITY)
        assert done.returncode == 0, done.stderr
        return path.read_bytes()


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
