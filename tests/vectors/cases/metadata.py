"""Cases 75 to 79: the `sops` block."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.crafting import as_json, as_yaml, craft
from tests.support.vectors import Vector
from tests.vectors.cases.tools import encrypt, in_metadata, line, recipient, sub

PLAIN = "a: x\nb: y\n"
TYPES = "stricter than sops: its versions turn other types into texts, lists and numbers, each in its own way"


def cases() -> Iterator[Vector]:
    document = encrypt(PLAIN)

    def removed(key: str) -> bytes:
        return document.replace(line(document, key) + b"\n", b"")

    def field(key: str, value: str) -> bytes:
        return sub(f"^    {key}: .*$", f"    {key}: {value}", document)

    for name, value in {
        "a word": "new",
        "one number": '"3"',
        "two numbers": '"3.11"',
        "a blank behind it": '"3.11.0 "',
        "a zero before it": '"03.11.0"',
        "an empty pre-release": '"3.11.0-"',
        "a pre-release with a zero before it": '"3.11.0-01"',
        "nothing": '""',
    }.items():
        yield Vector(75, f"a version that is {name}", field("version", value), expect="Malformed")
    yield Vector(75, "a version to come", field("version", "v99.0.0-rc.1+build.5"))
    yield Vector(75, "no version", removed("version"), expect="Malformed")
    yield Vector(75, "a version before 3", field("version", "2.0.0"), expect="Malformed",
                 differs="stricter than sops: it reads some of the documents of its version 2")  # fmt: skip
    yield Vector(75, "no lastmodified", removed("lastmodified"), expect="Malformed")
    for value in (
        '"yesterday"',
        '"2026-01-02"',
        '"2026-13-02T03:04:05Z"',
        '"2026-01-02 03:04:05Z"',
        '"2026-01-02T03:04:05"',
    ):
        yield Vector(75, f"lastmodified {value}", field("lastmodified", value), expect="Malformed")
    yield Vector(75, "lastmodified without quotes", sub('"(.*Z)"$', r"\1", document), expect="Malformed",
                 differs="as sops 3.13 refuses it: a time and no text")  # fmt: skip
    yield Vector(
        75, "an empty enc", sub(r"(?s)enc: \|.*?-----END.*?\n", 'enc: ""\n', document), expect="Malformed"
    )
    yield Vector(75, "a garbled enc", sub("BEGIN AGE", "BEGIN OLD", document), expect="Malformed")
    yield Vector(
        75,
        "an enc with a line cut off",
        sub(r"(BEGIN AGE.*\n).*\n", r"\1", document),
        expect="NoMatchingIdentity",
    )
    yield Vector(
        75, "an enc with a longer line", sub(r"(BEGIN AGE.*\n.*)\n +", r"\1", document), expect="Malformed"
    )
    yield Vector(
        75,
        "an enc with text behind it",
        sub(r"^( +-----END.*)$", r"\1\n                x", document),
        expect="Malformed",
    )
    yield Vector(75, "no enc", sub(r"(?s)enc: \|.*?-----END.*?\n", "\n", document), expect="Malformed")
    yield Vector(75, "no recipient", sub("- recipient: .*$", "-", document), expect="Malformed",
                 differs="stricter than sops: it does not read the recipient")  # fmt: skip
    yield Vector(75, "an empty recipient", sub("recipient: .*$", 'recipient: ""', document), expect="Malformed",
                 differs="stricter than sops: it does not read the recipient")  # fmt: skip
    yield Vector(75, "a recipient that is none", sub("recipient: .*$", "recipient: somebody", document),
                 expect="NoMatchingIdentity", differs="stricter than sops: the recipient that is named is believed")  # fmt: skip
    yield Vector(75, "a recipient with a control character", sub("recipient: .*$", 'recipient: "age1\\\\n"', document),
                 expect="Malformed", differs="stricter than sops: recipients are shown in messages")  # fmt: skip
    yield from containers(document)
    yield Vector(77, "an unknown field", in_metadata(document, "colour: blue\nnested: {a: [1]}"))
    yield Vector(77, "a known field in other letters", in_metadata(document, "MAC: x"), expect="Malformed",
                 differs="stricter than sops: its versions differ on it")  # fmt: skip
    for name, merged in {"a rule": "unencrypted_regex: x", "another MAC": "mac_only_encrypted: true"}.items():
        yield Vector(77, f"a merge key that brings {name}", sub("^sops:", f"sops:\n    <<: {{{merged}}}", document),
                     expect="Malformed")  # fmt: skip
    harmless = sub("^sops:", "sops:\n    <<: {colour: blue}", document)
    yield Vector(77, "a merge key that brings nothing known", harmless, expect="Malformed",
                 differs="stricter than sops: it follows merge keys there, and writes none")  # fmt: skip
    yield from flat()


def containers(document: bytes) -> Iterator[Vector]:
    for name, block in {"a text": "sops: x", "a list": "sops: []", "null": "sops: null"}.items():
        body = document[: document.index(b"\nsops:") + 1]
        expect = "NotEncrypted" if name == "null" else "Malformed"
        yield Vector(76, f"the sops block is {name}", body + block.encode() + b"\n", expect=expect)
    alice = [recipient("alice")]

    def crafted(**fields: object) -> bytes:
        return as_yaml(craft({"a": (b"x", "str")}, alice, **fields))

    entry = craft({}, alice)["sops"]["age"][0]
    own = {"age": None, "key_groups": [{"age": [entry]}]}
    for name, fields, accepted in (
        ("age is a mapping", {"age": entry}, False),
        ("age is a text", {"age": "x"}, False),
        ("age is a list of texts", {"age": ["x"]}, False),
        ("age is empty", {"age": []}, False),
        ("age is false", {"age": False}, False),
        ("kms is a text", {"kms": "x"}, False),
        ("kms is an empty mapping", {"kms": {}}, False),
        ("pgp without created_at", {"pgp": [{"fp": "AA", "enc": "x"}]}, False),
        ("hckms with an id that is none", {"hckms": [{"key_id": "x", "enc": "x", "created_at": "2026-01-02T03:04:05Z"}]}, None),
        ("key_groups is a text", {"key_groups": "x"}, False),
        ("key_groups with an empty group", {**own, "key_groups": [{"age": []}]}, False),
        ("mac is a number", {"mac": 5}, False),
        ("mac is a list", {"mac": ["x"]}, False),
        ("mac_only_encrypted is a text", {"mac_only_encrypted": "false"}, False),
        ("mac_only_encrypted is a number", {"mac_only_encrypted": 0}, False),
        ("shamir_threshold is a text", {"shamir_threshold": "two"}, False),
        ("shamir_threshold is negative", {"shamir_threshold": -1}, True),
        ("a rule is a number", {"encrypted_suffix": 5, "unencrypted_suffix": None}, False),
        ("a rule is a list", {"encrypted_regex": ["a"], "unencrypted_suffix": None}, False),
        ("version is a number", {"version": 3.11}, False),
    ):  # fmt: skip
        data = crafted(**fields)  # type: ignore[arg-type]
        yield Vector(76, name, data, expect="Malformed", differs=TYPES if accepted else "", allow_unencrypted=("*",),
                     not_run="knows no hckms" if accepted is None else "")  # fmt: skip
    number = as_json(craft({"a": (b"x", "str")}, alice, shamir_threshold=2.5))
    yield Vector(76, "shamir_threshold is no integer", number, format="json", expect="Malformed")


def flat() -> Iterator[Vector]:
    """The block in a dotenv file, one line a field."""
    document = encrypt("A=x\nB=y\n", format="dotenv")
    again = document + line(document, "sops_version") + b"\n"
    yield Vector(78, "a duplicate sops field in dotenv", again, format="dotenv", expect="DuplicateKey",
                 differs="stricter than sops 3.11: as 3.13 refuses it")  # fmt: skip
    for name, changed in {
        "a list index that is none": document.replace(b"age__list_0", b"age__list_x"),
        "a list that does not start at 0": document.replace(b"age__list_0", b"age__list_1"),
        "a negative list index": document.replace(b"age__list_0", b"age__list_-1"),
        "a list and a text": document + b"sops_age=x\n",
        "a list and a mapping": document + b"sops_age__map_x=x\n",
        "a field below a text": document + b"sops_version__map_x=x\n",
        "a field far below": document + b"sops_x" + b"__map_x" * 50 + b"=x\n",
    }.items():
        yield Vector(79, name, changed, format="dotenv", expect="Malformed", differs=DIFFERS.get(name, ""),
                     not_run="in 3.11 it depends on the order of a map" if name == "a field below a text" else "")  # fmt: skip
    yield Vector(76, "mac_only_encrypted in dotenv", document + b"sops_mac_only_encrypted=yes\n", format="dotenv",
                 expect="Malformed", differs=TYPES)  # fmt: skip


DIFFERS = {
    "a list index that is none": "stricter than sops: it takes what is no number for 0",
    "a list that does not start at 0": "stricter than sops 3.11: as 3.13 refuses it",
    "a field far below": "stricter than sops: no field of its own is there",
}
