"""The reader of flat documents says what libyaml says, or nothing."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
import yaml

from arcan_gitops import sops
from arcan_gitops.sops import flat_yaml, yaml_reader
from arcan_gitops.sops.limits import DEFAULT_LIMITS, Limits
from arcan_gitops.sops.metadata import WrittenBlock, split
from tests.support.fuzzed_documents import Made, mutations
from tests.support.realm_files import encrypt, new_identity
from tests.support.vectors import FOLDER, Vector

IDENTITY, RECIPIENT = new_identity()
FLAT = encrypt("# head\nA: x\n\nb_c-d: 5\n# between\ntRUE: true\nE: 1.5\n", RECIPIENT)
TWO = sops.encrypt({"A": "x"}, recipients=[RECIPIENT, new_identity()[1]], place="shop/prod")
BLOCK = FLAT[FLAT.index(b"sops:") :]
ROW = FLAT[FLAT.index(b"A: ") :].split(b"\n", 1)[0][3:]


def flat(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    return flat_yaml.read_flat(data, limits)


def by_libyaml(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The trees, or None where they are refused."""
    try:
        return yaml_reader.Reader(data, limits).documents()
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


def by_3_13(data: bytes) -> bytes:
    """The document with its `sops` block in the order of names, as sops writes it from 3.13 on."""
    recipient = re.compile(rb"( {8}- )(recipient: .*\n) {10}(enc: \|\n(?: {12}.*\n)+)")
    return recipient.sub(rb"\1\3          \2", data)


LAYOUTS = {
    "as sops 3.11 writes it": TWO,
    "as sops 3.13 writes it": by_3_13(TWO),
    "with the empty lists of sops 3.9": TWO.replace(
        b"    age:", b"    kms: []\n    gcp_kms: []\n    age:"
    ).replace(b"    unencrypted_suffix", b"    pgp: []\n    unencrypted_suffix"),
    "with another rule": TWO.replace(
        b"unencrypted_suffix: _unencrypted",
        b"encrypted_regex: '^(A|arcan_place)$'\n    mac_only_encrypted: true",
    ),
}


def block_is_written(data: bytes) -> bool:
    """Whether the `sops` block was read without libyaml."""
    tree = flat(data)
    return tree is not None and type(tree["sops"]) is WrittenBlock


def metadata_of(trees: Any) -> Any:
    """What the `sops` block comes to, or what is said against it."""
    try:
        return split(trees)
    except sops.SopsError as error:
        return type(error), str(error)


@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
def test_the_block_of_a_usual_layout_takes_no_libyaml(data: bytes) -> None:
    assert block_is_written(data)
    assert agrees(data)
    assert metadata_of([flat(data)]) == metadata_of(by_libyaml(data))


@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
def test_a_block_means_what_libyaml_says_whatever_was_read_before(data: bytes) -> None:
    """Blocks that differ in their MAC and time only share what is read of them: the document itself, read
    first, must not tell for any change of it.
    """
    split([flat(data)])
    rng = random.Random(20261128)
    written = 0
    for made in mutations(rng, Made(data, "yaml"), 700):
        written += block_is_written(made.data)
        if agrees(made.data):
            assert metadata_of([flat(made.data)]) == metadata_of(by_libyaml(made.data))
    assert 50 < written < 650


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"    mac: ENC", b"    mac: ''\n    mac: ENC"),
        (b"    lastmodified: ", b"    mac: x\n    lastmodified: "),
        (b"    version:", b"    age: x\n    version:"),
        (b"    version:", b"    version: x\n    version:"),
        (b"    age:", b"    version: x\n    age:"),
        (b"    age:", b'    role: "x\n    age:'),
        (b"    age:", b"    role: |\n    age:"),
        (b"    age:", b"    role: &a x\n    arn: *a\n    age:"),
        (b"    age:", b"    role: {a: b}\n    age:"),
        (b"    age:", b"    role: [[a]]\n    age:"),
        (b"    age:", b"    role: x # y\n    age:"),
        (b"    age:", b"    role: !!binary eA==\n    age:"),
        (b"    version:", b"    role: >\n    version:"),
        (b"    version:", b"    role: x\n      y\n    version:"),
        (b"          enc: |", b"          enc: |-"),
        (b"          enc: |", b"          enc: >"),
        (b"            -----END", b"\n            -----END"),
        (b"            -----END", b"             -----END"),
        (b"            -----END", b"           -----END"),
        (b"            -----END", b"            a" + b" " * 12 + b"b\n            -----END"),
        (b"            -----END", b"            a \n            -----END"),
        (b"            -----BEGIN", b"             -----BEGIN"),
        (b'Z"', b'Z\\n"'),
        (b'Z"', b"Z"),
        (b'Z"', b'Z" # when'),
        (b"recipient: age1", b"recipient: 1age1"),
        (b"recipient: age1", b"recipient: AGE1"),
        (b"recipient: age1", b"recipient: ssh-rsa : age1"),
    ],
)
def test_a_block_with_anything_else_is_read_by_libyaml_or_as_it_reads_it(old: bytes, new: bytes) -> None:
    split([flat(TWO)])
    data = TWO.replace(old, new)
    assert data != TWO
    if agrees(data):
        assert metadata_of([flat(data)]) == metadata_of(by_libyaml(data))


def test_a_block_with_a_bad_time_is_refused_though_its_twin_was_read() -> None:
    split([flat(TWO)])
    bad = re.sub(rb'lastmodified: "[^"]*"', b'lastmodified: "2026-13-45T99:99:99Z"', TWO)
    assert block_is_written(bad)
    with pytest.raises(sops.Malformed, match=r"sops\.lastmodified: not an RFC 3339 time"):
        split([flat(bad)])


def test_a_document_keeps_its_own_mac_and_time_where_a_twin_was_read() -> None:
    other = re.sub(rb'lastmodified: "[^"]*"', b'lastmodified: "2001-02-03T04:05:06Z"', TWO)
    assert split([flat(TWO)]).lastmodified != "2001-02-03T04:05:06Z"
    assert split([flat(other)]).mac_aad == b"2001-02-03T04:05:06Z"
    with pytest.raises(sops.Tampered):
        sops.load(other, identities=[IDENTITY])
