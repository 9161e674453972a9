"""What sops encrypts we read, bit for bit: same values, same types, same order."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from arcan_gitops.realms import text_of
from arcan_gitops.sops import Limits, Timestamp, load
from tests.support.realm_files import decrypt_to_json, encrypt, new_identity, run_sops

DOCUMENTS = {
    "nested maps": "a:\n  b:\n    c: deep\n  d: two\n",
    "lists of scalars, maps and lists": "l:\n  - x\n  - [1, 2, [three]]\n  - k: v\n    n: {m: w}\n",
    "integers at the ends of int64": "max: 9223372036854775807\nmin: -9223372036854775808\nzero: 0\nhex: 0x1F\n",
    "floats": "a: 1.5\nb: 1e21\nc: 1e-7\nd: 5e-324\ne: -0.0\nf: 1.0\ng: 3.14159265358979\n",
    "booleans beside words that are none": "t: true\nf: False\ny: yes\nn: 'no'\non: on\n",
    "literal, folded and chomped blocks": "a: |\n  x\n  y\nb: >\n  x\n  y\nc: |-\n  x\nd: |+\n  x\n\n",
    "unicode in keys and values": "grüße: schöne 漢字 🎉\n漢字: a\u0301 \u00e1\n",
    "control characters and line ends": 'a: "x\\ty\\r\\nz"\nb: "\\u0001\\u007f"\n',
    "texts that look like something else": "a: '123'\nb: 'true'\nc: '2024-01-01'\nd: 'null'\ne: '~'\nf: '1e3'\n",
    "keys with colons, dots and spaces": '"a:b": 1x\n"c.d": x\n"e f": y\n"g/h": z\n',
    "a PEM block": "pem: |\n  -----BEGIN PRIVATE KEY-----\n  MIGHAgEAMBMGByqGSM49\n  -----END PRIVATE KEY-----\n",
    "comments": "# head\na: x # line\n# between\nb:\n  # in a list\n  - one\n  # before the second\n  - two\n# foot\n",
    "a comment before a nested list": "a:\n  - # nested\n    - x\n  - y\n",
    "clear values by the default suffix": "a: x\nb_unencrypted: clear\nc_unencrypted: {n: 7, f: 1.50}\n",
    "empty maps and lists": "a: {}\nb: []\nc: {d: {}}\ne: x\n",
    "a merge key": "base: &b {x: one}\nderived:\n  <<: *b\n  y: two\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return new_identity()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_our_tree_is_what_sops_decrypts(name: str, pair: tuple[str, str]) -> None:
    identity, recipient = pair
    document = encrypt(DOCUMENTS[name], recipient)
    theirs = decrypt_to_json(document, identity)
    assert theirs.returncode == 0
    ours = load(document, identities=[identity], limits=Limits(allow_unencrypted=("*_unencrypted",))).tree
    assert json.loads(theirs.stdout) == ours
    assert list(json.loads(theirs.stdout)) == list(ours)  # order is part of the MAC


@pytest.mark.parametrize(
    "rule",
    [
        "encrypted_regex: '^(secret|other)$'",
        "unencrypted_regex: '^public'",
        "encrypted_suffix: _secret",
        "unencrypted_suffix: _public",
        "encrypted_regex: '(?i)^SECRET$'",
        "encrypted_regex: '[[:alpha:]]ecret'",
        "encrypted_regex: '\\pLecret'",
    ],
)
@pytest.mark.parametrize("mac_only", [False, True])
def test_every_selection_rule_is_read_as_sops_reads_it(
    rule: str, mac_only: bool, pair: tuple[str, str], tmp_path: Path
) -> None:
    identity, recipient = pair
    config = tmp_path / "config.yaml"
    mac = "true" if mac_only else "false"
    config.write_text(f"creation_rules:\n  - age: {recipient}\n    {rule}\n    mac_only_encrypted: {mac}\n")
    plain = "secret: {a: x, n: 5}\npublic_a: c\na_secret: d\nb_public: [1, two]\nother: e\n"
    done = run_sops(
        "--config", str(config), "encrypt", "--filename-override", "x.yaml", "/dev/stdin", data=plain.encode()
    )
    assert done.returncode == 0, done.stderr
    document = done.stdout
    assert (b"mac_only_encrypted: true" in document) is mac_only
    theirs = decrypt_to_json(document, identity)
    assert theirs.returncode == 0
    ours = load(document, identities=[identity], limits=Limits(allow_unencrypted=("*",))).tree
    assert json.loads(theirs.stdout) == ours


@pytest.mark.parametrize(
    ("plain", "texts"),
    [
        ("v: 2024-01-02", "2024-01-02T00:00:00Z"),
        ("v: 2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("v: 2024-01-02 03:04:05.123456789", "2024-01-02T03:04:05.123456789Z"),
        ("v: 2024-1-2t3:4:5.120+02:00", "2024-01-02T03:04:05.12+02:00"),
    ],
)
def test_timestamps_keep_all_their_digits(plain: str, texts: str, pair: tuple[str, str]) -> None:
    identity, recipient = pair
    document = encrypt(plain + "\n", recipient)
    value = load(document, identities=[identity]).tree["v"]
    assert isinstance(value, Timestamp)
    assert str(value) == texts
    assert json.loads(decrypt_to_json(document, identity).stdout)["v"] == texts


def test_a_large_value_and_many_keys_are_read(pair: tuple[str, str]) -> None:
    identity, recipient = pair
    big = base64.b64encode(bytes(range(256)) * 3000).decode()
    plain = f"big: {big}\n" + "".join(f"key_{n}: value {n}\n" for n in range(500))
    tree = load(encrypt(plain, recipient), identities=[identity]).tree
    assert tree["big"] == big
    assert tree["key_499"] == "value 499"
    assert len(tree) == 501


def test_the_second_of_two_recipients_opens_the_document() -> None:
    first, second = new_identity(), new_identity()
    document = encrypt("a: x\n", first[1], second[1])
    assert load(document, identities=[second[0]]).tree == {"a": "x"}


def test_several_documents_in_one_file_are_all_read(pair: tuple[str, str]) -> None:
    identity, recipient = pair
    document = load(encrypt("a: x\n---\nb: y\n", recipient), identities=[identity])
    assert document.trees == [{"a": "x"}, {"b": "y"}]
    with pytest.raises(Exception, match="2 YAML documents"):
        _ = document.tree


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (5, "5"),
        (-9223372036854775808, "-9223372036854775808"),
        (True, "true"),
        (1.5, "1.5"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (5.0, "5"),
        (Timestamp("2024-01-02T00:00:00Z"), "2024-01-02T00:00:00Z"),
        ({"a": [1, 2.50, "<&>", None, False], "ü": {"t": Timestamp("2024-01-02T00:00:00Z")}},
         '{"a":[1,2.5,"<&>",null,false],"ü":{"t":"2024-01-02T00:00:00Z"}}'),
        ([], "[]"),
        ({"big": 12345678901234567}, '{"big":12345678901234567}'),
    ],
)  # fmt: skip
def test_what_eso_gets_is_text_without_a_lost_digit(value: object, text: str) -> None:
    assert text_of(value) == text
