"""Cases 80 to 88: the formats, and YAML that somebody else wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from tests.support.crafting import as_json, as_yaml, craft
from tests.support.vectors import Vector
from tests.vectors.cases.tools import encrypt, line, recipient, sub

PLAIN = "a: x\nb: [y, 5]\n"


def cases() -> Iterator[Vector]:
    yield from several()
    yield from json_documents()
    yield from dotenv()
    yield from binary()
    yield Vector(85, "INI", encrypt("[section]\nkey = value\n", format="ini"), format="ini", expect="Unsupported",
                 differs="not native: the format")  # fmt: skip
    yield from rewritten()


def several() -> Iterator[Vector]:
    document = encrypt("a: x\n---\nb: y\n---\na: z\n")
    yield Vector(80, "three documents", document)
    yield Vector(80, "an empty document among others", encrypt("a: x\n---\n{}\n"))
    first, second, third = (part.strip(b"\n") + b"\n" for part in document.split(b"\n---\n"))
    yield Vector(
        80, "documents in another order", third + b"---\n" + second + b"---\n" + first, expect="Tampered"
    )
    one = encrypt("a: x\n")
    yield Vector(81, "a second document in clear", one + b"---\nb: clear\n", expect="ClearLeaf")
    yield Vector(
        81, "a second document with its own sops block", one + b"---\n" + encrypt("b: y\n"), expect="Tampered"
    )
    bare = first + b"---\n" + second[: second.index(b"sops:")] + b"---\n" + third
    yield Vector(81, "a second document without its sops block", bare)
    late = first[: first.index(b"sops:")] + b"---\n" + second + b"---\n" + third
    yield Vector(81, "the first document without its sops block", late, expect="NotEncrypted")


def json_documents() -> Iterator[Vector]:
    plain = r"""{"s": "x", "i": 5, "f": 1.5, "e": 1e21, "t": true, "n": [1, "two", {"three": false}],
        "escapes": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00<>&", "ü": {"": "empty key"}, "m": {}, "l": []}"""
    document = encrypt(plain, format="json")
    yield Vector(82, "JSON of all types", document, format="json")
    yield Vector(
        82,
        "JSON with null",
        encrypt('{"a": null, "b": "x"}', format="json"),
        format="json",
        allow_empty=("a",),
    )
    big = "depends on the version: before 3.13.2 JSON numbers were floats"
    alice = [recipient("alice")]
    exact = craft({"a": (b"x", "str"), "n_unencrypted": 9007199254740993}, alice, clear=b"9007199254740993")
    yield Vector(82, "JSON with an integer in clear above 2 to the 53rd", as_json(exact), format="json", allow_unencrypted=("*",),
                 differs=big)  # fmt: skip
    huge = craft(
        {"a": (b"x", "str"), "n_unencrypted": 12345678901234567890}, alice, clear=b"12345678901234567000"
    )
    yield Vector(
        82,
        "JSON with an integer in clear above 64 bits",
        as_json(huge),
        format="json",
        allow_unencrypted=("*",),
    )
    sealed = craft({"n": (b"9223372036854775807", "int")}, alice)
    yield Vector(82, "JSON with an encrypted integer above 2 to the 53rd", as_json(sealed), format="json")
    floats = craft(
        {"a": (b"x", "str"), "n_unencrypted": [5, 5.0, 1.5, 1e-7, -3]}, alice, clear=b"551.50.0000001-3"
    )
    yield Vector(82, "JSON with numbers in clear", as_json(floats), format="json", allow_unencrypted=("*",))
    zero = craft({"a": (b"x", "str"), "n_unencrypted": 0}, alice, clear=b"-0")
    yield Vector(82, "JSON with minus zero", as_json(zero).replace(b": 0", b": -0"), format="json", allow_unencrypted=("*",))  # fmt: skip
    twice = craft({"a": (b"x", "str"), "b": ""}, alice)
    yield Vector(82, "JSON with a duplicate", as_json(twice).replace(b'"b": ""', b'"b": "", "b": ""'), format="json",
                 expect="DuplicateKey", allow_empty=("*",), differs="stricter than sops: which one counts depends on the reader")  # fmt: skip
    nested = craft({"a": (b"x", "str"), "m": {"b": ""}}, alice)
    yield Vector(82, "JSON with a nested duplicate", as_json(nested).replace(b'"b": ""', b'"b": "", "b": ""'), format="json",
                 expect="DuplicateKey", allow_empty=("*",), differs="stricter than sops: which one counts depends on the reader")  # fmt: skip
    for name, changed in {
        "JSON and more behind it": document + b"{}",
        "JSON cut off": document[:-3],
        "JSON with a comma too many": document.replace(b'"l": []', b'"l": [,]'),
        "JSON with a byte order mark": b"\xef\xbb\xbf" + document,
        "JSON with a comment": b"// x\n" + document,
        "JSON with NaN": document.replace(b'"l": []', b'"l": [NaN]'),
        "JSON with a number too large": document.replace(b'"l": []', b'"l": [1e400]'),
        "JSON that is a list": b"[" + document + b"]",
        "JSON that is a text": b'"x"',
    }.items():
        yield Vector(82, name, changed, format="json", expect="Malformed", differs=ACCEPTED.get(name, ""))
    yield Vector(82, "nothing at all as JSON", b"", format="json", expect="NoKeys")
    half = craft({"a": (b"x", "str"), "h_unencrypted": "H"}, alice, clear="\ufffd".encode())
    for name, text in {
        "JSON with half a character": rb'"\ud800"',
        "JSON that is not UTF-8": b'"\xff"',
    }.items():
        yield Vector(82, name, as_json(half).replace(b'"H"', text), format="json", expect="Malformed", allow_unencrypted=("*",),
                     differs="stricter than sops: it puts U+FFFD there")  # fmt: skip


# by format and version of the reader: Go's decoder stops where it has enough
ACCEPTED: dict[str, str] = {}


def dotenv() -> Iterator[Vector]:
    plain = "PLAIN=x\nQUOTED=\"x y\"\nSINGLE='x'\nLINES=one\\ntwo\nEQUALS=a=b=c\n# a comment\n\nSPACE = x \nAGAIN=${PLAIN}\nü=é\n"
    document = encrypt(plain, format="dotenv")
    yield Vector(83, "dotenv keeps quotes and reads line breaks", document, format="dotenv")
    yield Vector(
        83,
        "dotenv with an empty value",
        encrypt("A=\nB=x\n", format="dotenv"),
        format="dotenv",
        allow_empty=("A",),
    )
    yield Vector(
        83, "dotenv with a carriage return", encrypt("A=x\r\nB=y\r\n", format="dotenv"), format="dotenv"
    )
    crlf = document.replace(b"\n", b"\r\n")
    yield Vector(83, "dotenv with CRLF", crlf, format="dotenv", expect="Malformed")
    yield Vector(83, "dotenv with a duplicate", encrypt("A=\nA=\nB=x\n", format="dotenv"), format="dotenv",
                 expect="DuplicateKey", allow_empty=("*",), differs="stricter than sops: which one counts depends on the reader")  # fmt: skip
    yield Vector(
        83, "dotenv with a line that is none", b"export\n" + document, format="dotenv", expect="Malformed"
    )
    yield Vector(83, "dotenv with two lines swapped", b"".join([*reversed(document.splitlines(keepends=True)[:2]),
                 *document.splitlines(keepends=True)[2:]]), format="dotenv", expect="Tampered")  # fmt: skip
    yield Vector(
        83,
        "dotenv with other types",
        encrypt("A: 5\nB: 1.5\nC: true\nD: x\n", output="dotenv"),
        format="dotenv",
    )
    only = encrypt("A_unencrypted=x\nB=y\n", format="dotenv", rule="mac_only_encrypted: true")
    yield Vector(
        83, "dotenv with only encrypted values in the MAC", only, format="dotenv", allow_unencrypted=("*",)
    )
    groups = "    shamir_threshold: 2\n    key_groups:\n" + "".join(
        f"      - age: [{recipient(name)}]\n" for name in ("alice", "bob")
    )
    yield Vector(83, "dotenv with key groups", encrypt("A=x\n", format="dotenv", groups=groups), format="dotenv",
                 identities=("alice", "bob"))  # fmt: skip
    yield Vector(83, "dotenv in clear", b"A=x\n", format="dotenv", expect="NotEncrypted")
    yield Vector(83, "dotenv with a key sops", encrypt("sops=x\n", format="dotenv"), format="dotenv", expect="Malformed",
                 differs="stricter than sops: in other formats the metadata is there")  # fmt: skip


def binary() -> Iterator[Vector]:
    yield Vector(84, "a binary text", encrypt("hello\nworld\n", format="binary"), format="binary")
    yield Vector(84, "bytes that are not UTF-8", encrypt(bytes(range(256)), format="binary"), format="binary")
    empty = encrypt("", format="binary")
    yield Vector(84, "an empty binary", empty, format="binary", expect="EmptyLeaf",
                 differs="stricter than sops: the MAC does not cover an empty value")  # fmt: skip
    yield Vector(84, "an empty binary that is allowed", empty, format="binary", allow_empty=("data",))
    alice = [recipient("alice")]
    more = as_json(craft({"data": (b"x", "str"), "more": (b"y", "str")}, alice))
    yield Vector(84, "a binary with another key", more, format="binary", expect="Malformed",
                 differs="stricter than sops: it leaves the others out")  # fmt: skip
    yield Vector(
        84,
        "a binary without data",
        as_json(craft({"x": (b"x", "str")}, alice)),
        format="binary",
        expect="Malformed",
    )
    yield Vector(
        84,
        "a binary that is a number",
        as_json(craft({"data": (b"5", "int")}, alice)),
        format="binary",
        expect="Malformed",
    )
    yield Vector(
        84,
        "a binary that is a list",
        as_json(craft({"data": [(b"x", "str")]}, alice)),
        format="binary",
        expect="Malformed",
    )


def rewritten() -> Iterator[Vector]:
    document = encrypt("a: x\nb:\n  - y\n  - c: z\n")
    yield Vector(86, "CRLF", document.replace(b"\n", b"\r\n"))
    yield Vector(86, "a byte order mark", b"\xef\xbb\xbf" + document)
    yield Vector(86, "laid out by another program", as_yaml(yaml.safe_load(document)))
    quoted = sub(r"(ENC\[.*\])$", r'"\1"', document, count=0)
    yield Vector(86, "values in quotes", quoted)
    first, second = line(document, "a:"), b"b:"
    at = document.index(second)
    yield Vector(86, "keys sorted another way", document[at : document.index(b"sops:")] + first + b"\n"
                 + document[document.index(b"sops:") :], expect="Tampered")  # fmt: skip
    tree = json.loads(encrypt('{"a": "x", "b": [1]}', format="json"))
    yield Vector(86, "YAML that is JSON", json.dumps(tree).encode())
    yield Vector(86, "comments added", b"# new\n" + document.replace(b"b:\n", b"b: # list\n"))
    yield Vector(86, "UTF-16", document.decode().encode("utf-16"), expect="Malformed",
                 differs="stricter than sops: it writes UTF-8 only")  # fmt: skip
    yield Vector(86, "a YAML version to come", b"%YAML 1.2\n---\n" + document, expect="Malformed")
    yield Vector(86, "a tag directive", b"%TAG ! tag:example.org,2026:\n---\n" + document)
    many = b"".join(b"%%TAG !%d! tag:x\n" % at for at in range(101))
    yield Vector(86, "a hundred tag directives and one", many + b"---\n" + document, expect="TooLarge",
                 differs="stricter than sops: the time that they take grows with their square")  # fmt: skip
    yield Vector(86, "a document start and end", b"%YAML 1.1\n---\n" + document + b"...\n")
    yield Vector(
        87, "conflict markers", b"<<<<<<< HEAD\n" + document + b"=======\n>>>>>>> other\n", expect="Malformed"
    )
    bomb = b"x: &a [1, 1]\n" + b"".join(
        f"{name}: &{name} [*{last}, *{last}]\n".encode()
        for last, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    yield Vector(
        88, "an alias bomb", bomb + document, expect="Unsupported", not_run="spends its memory on it"
    )
    anchored = document.replace(b"a: ENC", b"a: &anchor ENC")
    yield Vector(88, "an anchor that nothing uses", anchored)
    aliased = document.replace(b"sops:", b"d: &e []\nf: *e\nsops:", 1)
    yield Vector(88, "an alias", aliased, expect="Unsupported", differs="stricter than sops: it writes none")
    yield Vector(88, "a tag", document.replace(b"sops:", b"d: !!seq []\nsops:", 1))
    yield Vector(88, "a tag of its own", document.replace(b"sops:", b"d: !mine []\nsops:", 1), expect="Unsupported",
                 differs="stricter than sops: it writes none")  # fmt: skip
