"""What somebody could write to keep a reader busy, or to bring it down, is refused, or read in no time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from arcan_gitops import sops
from arcan_gitops.sops import rules
from arcan_gitops.sops.cipher import canonical
from tests.support.crafting import as_json, craft
from tests.support.realm_files import new_identity

IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])
GOOD = sops.encrypt({"a": "x"}, recipients=[RECIPIENT])
BLOCK = GOOD[GOOD.index(b"sops:") :]
CLEAR = BLOCK.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_suffix: zz")
SECONDS = 4  # of this process; each takes a part of one, and minutes where its time grows with the square


def load(data: bytes, format: str = "yaml") -> sops.Document:
    return sops.load(data, format=format, identities=HELD, limits=sops.ANY_VALUES)


@pytest.fixture(autouse=True)
def _quickly() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def numbered(template: bytes, count: int) -> bytes:
    return b"".join(template.replace(b"#", b"%d" % at) for at in range(count))


def pattern(text: bytes) -> bytes:
    return BLOCK.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_regex: '%s'" % text)


DOCUMENTS: dict[str, tuple[str, Callable[[], bytes], type[sops.SopsError]]] = {
    "directives": ("yaml", lambda: numbered(b"%TAG !#! x\n", 20_000) + b"---\n" + GOOD, sops.TooLarge),
    "open lists": ("yaml", lambda: b"a: " + b"[" * 1_000_000, sops.TooLarge),
    "open maps": ("yaml", lambda: b"a: " + b"{a: " * 300_000, sops.TooLarge),
    "dashes": ("yaml", lambda: b"a:\n " + b"- " * 500_000, sops.TooLarge),
    "question marks": ("yaml", lambda: b"? " * 500_000, sops.Malformed),
    "digits": ("yaml", lambda: b"a: " + b"1" * 2_000_000 + b"\n" + CLEAR, sops.Tampered),
    "hexadecimal digits": ("yaml", lambda: b"a: 0x" + b"f" * 2_000_000 + b"\n" + CLEAR, sops.Tampered),
    "an exponent": ("yaml", lambda: b"a: 1e" + b"9" * 2_000_000 + b"\n" + CLEAR, sops.Tampered),
    "a text that is a number but for its end": (
        "yaml", lambda: GOOD.replace(b"type:str", b"type:float", 1), sops.Malformed),
    "long paths": (
        "yaml",
        lambda: b"".join(b" " * at + b"k" * 1000 + b":\n" for at in range(90)) + b" " * 90
        + b"{%s}\n" % numbered(b"k#: 1, ", 20_000) + CLEAR,
        sops.TooLarge,
    ),
    "a pattern that is large": ("yaml", lambda: GOOD[:-len(BLOCK)] + pattern(rb"(?i)\pL{50}"), sops.TooLarge),
    "a long version": (
        "yaml", lambda: GOOD.replace(b"version: 3.", b"version: 3.0.0-" + b"a." * 500_000), sops.TooLarge),
    "many key groups": ("json", lambda: as_json({"a": "x", **_groups()}), sops.TooLarge),
    "UTF-16": ("yaml", lambda: ("\ufeff" + GOOD.decode()).encode("utf-16-le"), sops.Malformed),
    "a duplicate in JSON": (
        "json", lambda: b'{"a":1' + numbered(b',"k#":1', 100_000) + b',"k99999":1}', sops.DuplicateKey),
    "open lists in JSON": ("json", lambda: b"[" * 1_000_000, sops.TooLarge),
    "digits in JSON": ("json", lambda: b'{"a":' + b"1" * 2_000_000 + b"}", sops.Malformed),
    "lines of dotenv": ("dotenv", lambda: numbered(b"k#=1\n", 100_000), sops.NotEncrypted),
    "metadata in dotenv": ("dotenv", lambda: numbered(b"sops_k#__list_0=1\n", 30_000), sops.Malformed),
    "depth in dotenv": ("dotenv", lambda: b"sops_a" + b"__map_a" * 200_000 + b"=1\n", sops.Malformed),
}  # fmt: skip


def _groups() -> dict[str, Any]:
    block = craft({}, [RECIPIENT])["sops"]
    return {"sops": {**block, "age": [], "key_groups": [{"age": block["age"] * 100}] * 6}}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_cannot_keep_its_reader_busy(name: str) -> None:
    format, make, kind = DOCUMENTS[name]
    data = make()
    with pytest.raises(kind):
        load(data, format)


def test_a_slow_pattern_and_many_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each of them alone would do. RE2 takes a time that grows with both, and with nothing else."""
    keys, slow = numbered(b"ab" * 100 + b"#: 1\n", 2_000), pattern(b"(a?){150}a{150}$")
    with pytest.raises(sops.Tampered):
        load(keys + pattern(b"^a$"))
    with pytest.raises(sops.Tampered):
        load(b"a: 1\n" + slow)
    monkeypatch.setattr(rules, "_MAX_WORK", rules._MAX_WORK // 16)  # the test need not take as long
    with pytest.raises(sops.TooLarge, match="so large a pattern"):
        load(keys + slow)


def test_a_map_or_list_is_a_value_in_every_format() -> None:
    for format, text in (("yaml", b"a: [%s]\n"), ("json", b'{"a": [%s]}')):
        with pytest.raises(sops.TooLarge, match="1000 values"):
            sops.outline(text % b",".join([b"[]"] * 1000), format=format, limits=sops.Limits(max_leaves=1000))


def test_digits_that_became_a_number_are_looked_at_once() -> None:
    """Whoever can write the file can call any text a number: the type is not authenticated."""
    made = sops.encrypt({"a": "1" * 300_000 + "x"}, recipients=[RECIPIENT])
    with pytest.raises(sops.Malformed):
        load(made.replace(b"type:str", b"type:float", 1))


EDITS = {
    "what is almost an encrypted comment": lambda: b"#" + b"#ENC[AES256_GCM," * 40_000 + b"\n" + GOOD,
    "blank lines": lambda: GOOD.replace(b"    unencrypted", b"\n" * 30_000 + b"    unencrypted"),
    "blank lines at the end": lambda: GOOD + b"\n" * 300_000 + b"# end\n",
    "comments": lambda: b"# x\n\n" * 50_000 + GOOD,
    "blank lines in a text": lambda: sops.encrypt(
        {"z_unencrypted": f"a{chr(10) * 30_000}b", "a": "x"},
        recipients=[RECIPIENT],
        limits=sops.Limits(allow_unencrypted=("*",)),
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_document_cannot_keep_its_editor_busy(name: str) -> None:
    document = load(EDITS[name]())
    document.set("a", "y")
    document.set("new", "z")
    document.rename("a", "b")
    document.unset("new")
    document.dump()


def nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"b": "c"}
    for _ in range(depth):
        tree = {"a": tree}
    return tree


def test_a_value_that_is_nested_without_end_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["a"] = [loop]
    document = load(GOOD)
    for value in (nested(5_000), loop):
        with pytest.raises(sops.TooLarge):
            sops.encrypt(value, recipients=[RECIPIENT])
        with pytest.raises(sops.TooLarge):
            document.set("b", value)
    with pytest.raises(sops.TooLarge):
        document.set(["b"] * 5_000, "x")
    with pytest.raises(sops.NoSuchKey):
        document.set(["a", 10**5_000], "x")
    with pytest.raises(sops.BadValue):
        document.set("b", 10**5_000)
    assert document.dump() == GOOD
    assert load(sops.encrypt(nested(98), recipients=[RECIPIENT])).tree == nested(98)


def test_a_number_of_any_length_has_the_bytes_that_sops_gives_it() -> None:
    assert canonical(5e-324) == b"0." + b"0" * 323 + b"5"
    assert len(canonical(1.7976931348623157e308)) == 309
