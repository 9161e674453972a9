"""The reader of flat documents says what libyaml says, or nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml

from arcan_gitops import sops
from arcan_gitops.sops import yaml_store
from arcan_gitops.sops.limits import DEFAULT_LIMITS, Limits
from tests.support.fuzzed_documents import Made, mutations
from tests.support.realm_files import encrypt, new_identity
from tests.support.vectors import FOLDER, Vector

IDENTITY, RECIPIENT = new_identity()
FLAT = encrypt("# head\nA: x\n\nb_c-d: 5\n# between\ntRUE: true\nE: 1.5\n", RECIPIENT)
BLOCK = FLAT[FLAT.index(b"sops:") :]
ROW = FLAT[FLAT.index(b"A: ") :].split(b"\n", 1)[0][3:]


def flat(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    return yaml_store._flat(data, limits)


def by_libyaml(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The trees, or None where they are refused."""
    try:
        return yaml_store._Reader(data, limits).documents()
    except (sops.SopsError, yaml.YAMLError, UnicodeError):
        return None


def agrees(data: bytes) -> bool:
    """Whether it was read flat; and if it was, the values and their order are those of libyaml."""
    tree = flat(data)
    if tree is None:
        return False
    assert repr([tree]) == repr(by_libyaml(data))  # in a repr order and types count
    return True


def test_a_document_in_the_layout_of_sops_is_read_flat() -> None:
    assert agrees(FLAT)
    assert list(flat(FLAT)) == ["A", "b_c-d", "tRUE", "E", "sops"]
    assert agrees(sops.encrypt({"A": "x", "B": 5}, recipients=[RECIPIENT]))
    assert agrees(b"\n" + BLOCK)
    assert agrees(b"\nsops:\n- x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"sops:\n",
        b"sops: " + ROW + b"\n" + BLOCK,
        b"A: " + ROW + b"\nA: " + ROW + b"\n" + BLOCK,
        *(word.encode() + b": " + ROW + b"\n" + BLOCK for word in ("true", "Null", "FALSE", "null")),
        b"A: " + ROW + b"\n  more\n" + BLOCK,
        b"A: " + ROW + b"\n---\n" + BLOCK,
        b"A: " + ROW + b" # why\n" + BLOCK,
        b"A: " + ROW + b" \n" + BLOCK,
        b"A:  " + ROW + b"\n" + BLOCK,
        b"A: '" + ROW + b"'\n" + BLOCK,
        b"A : " + ROW + b"\n" + BLOCK,
        b"? A\n: " + ROW + b"\n" + BLOCK,
        b"- A: " + ROW + b"\n" + BLOCK,
        b"5: " + ROW + b"\n" + BLOCK,
        b"<<: " + ROW + b"\n" + BLOCK,
        b"A: " + ROW + b"\r\n" + BLOCK,
        b"A: !!str " + ROW + b"\n" + BLOCK,
        b"A" * 2000 + b": " + ROW + b"\n" + BLOCK,
        b"\xef\xbb\xbf" + FLAT,
        "# \u00e9\n".encode() + FLAT,
        b"# \0\n" + FLAT,
        b"A: " + ROW + b"\n" + BLOCK + b"B: " + ROW + b"\n",
        b"A: " + ROW + b"\n" + BLOCK + b"---\nB: x\n",
        b"A: " + ROW + b"\n" + BLOCK + b"...\n%YAML 1.1\n---\n",
        b"A: " + ROW + b"\n" + BLOCK + b"\xff",
        b"A: " + ROW + b"\nsops:\n- x\n&a",
    ],
)
def test_what_is_anything_else_is_left_to_libyaml(data: bytes) -> None:
    assert flat(data) is None


def test_a_document_over_a_limit_is_left_to_libyaml() -> None:
    """Which counts the map itself, the four values, and what is in the `sops` block."""
    values = next(count for count in range(100) if by_libyaml(FLAT, Limits(max_leaves=count)) is not None)
    assert flat(FLAT, Limits(max_leaves=values)) is not None
    assert flat(FLAT, Limits(max_leaves=values - 1)) is None
    assert flat(FLAT, Limits(max_depth=1)) is None


def test_what_is_read_flat_libyaml_reads_the_same() -> None:
    read = sum(agrees(Vector.read(path).document) for path in sorted(FOLDER.glob("*.vector")))
    assert read > 50
    rng = random.Random(20260102)
    read = sum(agrees(made.data) for made in mutations(rng, Made(FLAT, "yaml"), 3000))
    assert 300 < read < 2500
