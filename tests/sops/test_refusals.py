"""What must not be served is refused with an error of its own kind, which never quotes a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError
from tests.support.realm_files import CANARY, decrypt_to_json, encrypt, new_identity

PLAIN = f"first: {CANARY}\nsecond: two\nlist:\n  - one\n  - two\nnested:\n  inner: {CANARY}\n"
IDENTITY, RECIPIENT = new_identity()
DOCUMENT = encrypt(PLAIN, RECIPIENT)


def refused(document: bytes, kind: type[ArcanError], **options: object) -> ArcanError:
    with pytest.raises(kind) as caught:
        sops.load(document, identities=[IDENTITY], **options)  # type: ignore[arg-type]
    assert CANARY not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert IDENTITY not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    return caught.value


def line(name: str, document: bytes = DOCUMENT) -> bytes:
    return next(line for line in document.splitlines() if line.strip().startswith(name.encode()))


def test_a_file_in_clear_is_not_encrypted() -> None:
    error = refused(PLAIN.encode(), sops.NotEncrypted)
    assert "encrypt it" in str(error.hint)


def test_a_document_for_others_names_its_recipients_and_our_public_keys() -> None:
    other, _ = new_identity()
    with pytest.raises(sops.NoMatchingIdentity) as caught:
        sops.load(DOCUMENT, identities=[other])
    assert RECIPIENT in caught.value.message
    assert sops.Identities([other]).recipients[0] in caught.value.message


Edit = Callable[[bytes], bytes]
EDITS: dict[str, tuple[Edit, type[ArcanError]]] = {
    "a renamed key": (lambda d: d.replace(b"second:", b"zweite:"), sops.Tampered),
    "swapped values": (lambda d: d.replace(b"first:", b"@:").replace(b"second:", b"first:").replace(b"@:", b"second:"),
                       sops.Tampered),
    "an added value in clear": (lambda d: b"added: clear\n" + d, sops.ClearLeaf),
    "an added number in clear": (lambda d: b"added: 5\n" + d, sops.ClearLeaf),
    "an added null": (lambda d: b"added: null\n" + d, sops.EmptyLeaf),
    "a duplicate key": (lambda d: line("second:") + b"\n" + d, sops.DuplicateKey),
    "a duplicate nested key": (lambda d: d.replace(line("inner:"), line("inner:") + b"\n" + line("inner:")),
                               sops.DuplicateKey),
    "a bit of a tag": (lambda d: re.sub(rb"(?m)^(second: .*tag:)(.)", lambda m: m[1] + bytes([m[2][0] ^ 1]), d),
                       sops.SopsError),
    "an unknown type": (lambda d: re.sub(rb"(?m)^(second: .*type:)str", rb"\1blob", d), sops.Malformed),
    "type bytes": (lambda d: re.sub(rb"(?m)^(second: .*type:)str", rb"\1bytes", d), sops.Malformed),
    "a value that became a comment": (lambda d: re.sub(rb"(?m)^(second: .*type:)str", rb"\1comment", d), sops.Malformed),
    "a text that became an integer": (lambda d: re.sub(rb"(?m)^(second: .*type:)str", rb"\1int", d), sops.Malformed),
    "text after a value": (lambda d: re.sub(rb"(?m)^(second: .*)$", rb"\1x", d), sops.Malformed),
    "a missing MAC": (lambda d: re.sub(rb"(?m)^    mac: .*\n", b"", d), sops.Tampered),
    "an empty MAC": (lambda d: re.sub(rb"(?m)^    mac: .*$", b'    mac: ""', d), sops.Tampered),
    "another lastmodified": (lambda d: re.sub(rb"lastmodified: \"2", b'lastmodified: "1', d), sops.Tampered),
    "a missing lastmodified": (lambda d: re.sub(rb"(?m)^    lastmodified: .*\n", b"", d), sops.Malformed),
    "a garbled version": (lambda d: re.sub(rb"(?m)^    version: .*$", b"    version: new", d), sops.Malformed),
    "two selection rules": (lambda d: d.replace(b"    unencrypted_suffix", b"    encrypted_suffix: x\n    unencrypted_suffix"),
                            sops.Malformed),
    "a pattern that is none": (lambda d: d.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_regex: '('"),
                               sops.Malformed),
    "a lookahead, which SOPS ignores": (
        lambda d: d.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_regex: '(?=x)'"), sops.Malformed),
    "mac_only_encrypted added": (lambda d: d.replace(b"    version:", b"    mac_only_encrypted: true\n    version:"),
                                 sops.Tampered),
    "no sops block": (lambda d: d[: d.index(b"sops:")], sops.NotEncrypted),
    "no recipients": (lambda d: re.sub(rb"(?s)    age:\n.*?    lastmodified", b"    lastmodified", d), sops.Malformed),
    "another document's metadata": (lambda d: d[: d.index(b"sops:")] + encrypt("first: x\n", RECIPIENT).split(b"\n", 1)[1],
                                    sops.Tampered),
    "an alias": (lambda d: b"a: &x\n  - y\nb: *x\n" + d, sops.Unsupported),
    "conflict markers of a merge": (lambda d: b"<<<<<<< HEAD\n" + d, sops.Malformed),
    "a list at the top": (lambda d: b"- x\n", sops.Malformed),
    "a key that is no text": (lambda d: b"5: x\n" + d, sops.Malformed),
    "a comment rule": (lambda d: d.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_comment_regex: x"),
                       sops.Unsupported),
    "bytes that are not UTF-8": (lambda d: b"\xff\xfe\xff" + d, sops.Malformed),
    "an empty file": (lambda d: b"", sops.NoKeys),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_without_the_key_is_refused(name: str) -> None:
    edit, kind = EDITS[name]
    changed = edit(DOCUMENT)
    assert changed != DOCUMENT
    refused(changed, kind)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: b"", "line 1: is empty"),
        (lambda d: b"# nothing\n---\n", "line 2: is empty"),
        (lambda d: d + b"---\n", "an empty YAML document: nothing follows '---'"),
        (lambda d: b"---\n---\n" + d, "line 1: an empty YAML document: nothing stands between"),
        (lambda d: d.replace(b"sops:", b"<<<<<<< HEAD\nsops:"), "line 8: a conflict marker of Git"),
        (lambda d: d.replace(b"    mac:", b"=======\n    mac:"), "a conflict marker of Git"),
        (lambda d: b"# caf\xe9\n" + d, "line 1: not UTF-8"),
        (lambda d: d[:2].decode().encode("utf-16") + d, "line 1: not UTF-8 but UTF-16"),
        (lambda d: b"# a\n# \x07\n" + d, "line 2: a control character (U+0007)"),
    ],
)
def test_what_is_wrong_before_the_format_counts_has_its_own_sentence(
    edit: Callable[[bytes], bytes], said: str
) -> None:
    assert said in refused(edit(DOCUMENT), sops.SopsError).message


@pytest.mark.parametrize("format", ["json", "dotenv", "binary"])
def test_other_formats_say_the_same(format: str) -> None:
    for data, said in (
        (b"", "line 1: is empty"),
        (b" \n", "line 1: is empty"),
        (b"<<<<<<< HEAD\nA=1\n=======\nA=2\n>>>>>>> x\n", "line 1: a conflict marker of Git"),
        (b"\n=======\nA=2\n", "line 2: a conflict marker of Git"),
    ):
        assert said in refused(data, sops.SopsError, format=format).message


def test_a_sorted_document_is_refused_as_sops_refuses_it() -> None:
    document = encrypt("b: one\na: two\n", RECIPIENT)
    lines = document.splitlines(keepends=True)
    swapped = b"".join([lines[1], lines[0], *lines[2:]])
    assert decrypt_to_json(swapped, IDENTITY).returncode != 0
    refused(swapped, sops.Tampered)


def test_a_document_without_a_key_is_refused() -> None:
    document = DOCUMENT[DOCUMENT.index(b"sops:") :]
    refused(document, sops.NoKeys)


def test_a_clear_leaf_needs_the_realms_permission() -> None:
    document = encrypt("a: x\nb_unencrypted: y\n", RECIPIENT)
    error = refused(document, sops.ClearLeaf)
    assert "b_unencrypted" in error.message
    tree = sops.load(document, identities=[IDENTITY], limits=sops.Limits(allow_unencrypted=("b_*",))).tree
    assert tree == {"a": "x", "b_unencrypted": "y"}


def test_an_empty_leaf_needs_the_realms_permission() -> None:
    document = encrypt('a: x\nb: ""\nc:\n  d: null\n', RECIPIENT)
    assert "'b'" in refused(document, sops.EmptyLeaf).message
    assert "'c.d'" in refused(document, sops.EmptyLeaf, limits=sops.Limits(allow_empty=("b",))).message
    tree = sops.load(document, identities=[IDENTITY], limits=sops.Limits(allow_empty=("b", "c"))).tree
    assert tree == {"a": "x", "b": "", "c": {"d": None}}


def test_all_findings_of_a_document_are_told_at_once() -> None:
    document = encrypt('a: x\nb_unencrypted: y\nc: ""\nd_unencrypted: z\ne: w\n', RECIPIENT)
    for read in (sops.outline, partial(sops.load, identities=[IDENTITY])):
        with pytest.raises(sops.ClearLeaf) as caught:
            read(document)
        lines = caught.value.message.split("\n")
        assert lines[0] == "3 findings:"
        assert [line for line in lines if "in clear" in line] == [
            "  key 'b_unencrypted': is in clear",
            "  key 'd_unencrypted': is in clear",
        ]
        assert sum("allowUnencrypted" in line for line in lines) == 1
        assert "  key 'c': is empty, which the MAC does not cover: anybody could have emptied it" in lines


def test_all_findings_of_the_sops_block_are_told_at_once() -> None:
    block = b"""\
a: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]
sops:
  version: "2.1.0"
  lastmodified: yesterday
  mac_only_encrypted: "yes"
  encrypted_regex: a
  unencrypted_regex: b
  mac: 5
  pgp: [{fp: x}]
  age:
    - recipient: age1a
    - enc: x
    - {recipient: "\\n", enc: x}
"""
    for read in (sops.outline, partial(sops.load, identities=[IDENTITY]), sops.key_names):
        with pytest.raises(sops.Malformed) as caught:
            read(block)
        assert caught.value.message.split("\n") == [
            "9 findings:",
            "  sops.version: written by SOPS before 3.0, whose format differs",
            "  sops.lastmodified: not an RFC 3339 time",
            "  sops.mac: must be a text (quote it)",
            "  sops: more than one selection rule: unencrypted_regex, encrypted_regex",
            "  sops.mac_only_encrypted: must be true or false",
            "  sops.pgp[0].enc: missing",
            "  sops.age[0].enc: missing",
            "  sops.age[1].recipient: missing",
            "  sops.age[2].recipient: not a recipient",
        ]


def test_the_findings_of_a_large_block_have_a_bound() -> None:
    entries = "".join("    - {}\n" for _ in range(400))
    block = f"a: x\nsops:\n  version: 3.9.0\n  lastmodified: '2024-01-01T00:00:00Z'\n  age:\n{entries}"
    assert refused(block.encode(), sops.Malformed).message.count("missing") == 100
    more = block + entries
    assert "more than 500 recipients" in refused(more.encode(), sops.TooLarge).message


def test_a_thousand_findings_are_not_all_told() -> None:
    document = encrypt("\n".join(f"k{n}_unencrypted: x" for n in range(300)) + "\na: y\n", RECIPIENT)
    assert refused(document, sops.ClearLeaf).message.count("is in clear") == 100


def test_each_key_that_is_given_twice_is_named() -> None:
    message = refused(b"a: x\na: y\nb: {c: 1, c: 2}\n" + DOCUMENT, sops.DuplicateKey).message
    assert "2 keys are given twice" in message
    assert "line 2: the key 'a' is given twice" in message
    assert "line 3: the key 'c' is given twice" in message


@pytest.mark.parametrize(
    "limits", [sops.Limits(max_bytes=100), sops.Limits(max_depth=1), sops.Limits(max_leaves=3)]
)
def test_a_document_over_a_limit_is_refused(limits: sops.Limits) -> None:
    refused(DOCUMENT, sops.TooLarge, limits=limits)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    refused(b"a: " + b"[" * 100_000, sops.SopsError)


@pytest.mark.parametrize("text", ["AGE-SECRET-KEY-1CANARY", "hello " + CANARY, "AGE-PLUGIN-YUBIKEY-1Q"])
def test_a_bad_identity_is_named_by_its_line_and_never_shown(text: str) -> None:
    with pytest.raises(sops.BadIdentity) as caught:
        sops.Identities(["# fine\n" + text + "\n"])
    assert "source 1, line 2" in caught.value.message
    assert text not in f"{caught.value}{caught.value.hint}"


def test_identities_show_public_keys_only() -> None:
    assert repr(sops.Identities([IDENTITY])) == f"Identities({RECIPIENT})"
    assert sops.Identities([f"# comment\n\n{IDENTITY}  # mine\n"]).recipients == (RECIPIENT,)


def test_a_documents_repr_shows_key_names_only() -> None:
    document = sops.load(DOCUMENT, identities=[IDENTITY])
    assert repr(document) == "Document(keys=['first', 'second', 'list', 'nested'])"


def test_a_map_that_became_a_list_of_one_is_what_no_mac_covers() -> None:
    """A limit of the format, the same in sops: it is in docs/sops.md."""
    nested = DOCUMENT.replace(b"\n    inner:", b"\n    - inner:")
    assert sops.load(nested, identities=[IDENTITY]).tree["nested"] == [{"inner": CANARY}]
    assert decrypt_to_json(nested, IDENTITY).returncode == 0
