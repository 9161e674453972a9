"""Cases 55 to 73: what somebody without the data key can do to a document."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.vectors import Vector
from tests.vectors.cases.tools import encrypt, flip, in_metadata, line, sub, swap

PLAIN = "first: one\nsecond: two\nnumber: '123'\nlist:\n  - a\n  - b\nnested:\n  inner: x\n"
UNCOVERED = "stricter than sops: nothing authenticates it"


def cases() -> Iterator[Vector]:
    document = encrypt(PLAIN)
    tampered = {
        (55, "a bit of the data"): flip(document, "second:", "data"),
        (55, "a bit of the iv"): flip(document, "second:", "iv"),
        (55, "a bit of the tag"): flip(document, "second:", "tag"),
        (56, "a bit of the MAC"): flip(document, "mac:", "data"),
        (57, "swapped values"): swap(swap(document, b"first:", b"second:"), *lines(document, "first:", "second:", swapped=True)),
        (57, "swapped keys"): swap(document, b"first:", b"second:"),
        (58, "swapped list items"): swap(document, *items(document)),
        (59, "a removed key"): without(document, "second:"),
        (60, "a removed list item"): document.replace(items(document)[0] + b"\n", b""),
        (61, "a renamed key"): document.replace(b"second:", b"zweite:"),
        (62, "reordered keys"): swap(document, line(document, "first:"), line(document, "second:")),
        (67, "another lastmodified"): sub('lastmodified: "2', 'lastmodified: "1', document),
        (67, "lastmodified in another zone"): sub('Z"$', '+01:00"', document),
        (68, "no MAC"): without(document, "mac:"),
        (68, "an empty MAC"): sub("^    mac: .*$", '    mac: ""', document),
        (68, "a null MAC"): sub("^    mac: .*$", "    mac: null", document),
        (68, "a value as the MAC"): document.replace(line(document, "mac:"), b"    mac: " + line(document, "first:")[7:]),
        (70, "mac_only_encrypted added"): in_metadata(document, "mac_only_encrypted: true"),
        (73, "the metadata of another document"): body(document) + encrypt(PLAIN)[len(body(encrypt(PLAIN))) :],
    }  # fmt: skip
    for (case, name), changed in tampered.items():
        if changed != document:
            yield Vector(case, name, changed, expect="Tampered")
    yield Vector(63, "an added text in clear", b"added: clear\n" + document, expect="ClearLeaf")
    yield Vector(63, "an added number in clear", b"added: 5\n" + document, expect="ClearLeaf")
    yield Vector(63, "an added list in clear", b"added: [x]\n" + document, expect="ClearLeaf")
    for name, text in {"text": '""', "null": "null"}.items():
        added = f"added: {text}\n".encode() + document
        yield Vector(64, f"an added empty {name}", added, expect="EmptyLeaf", differs=UNCOVERED)
        yield Vector(64, f"an added empty {name} that the realm allows", added, allow_empty=("added",))
        blanked = sub("^second: .*$", f"second: {text}", document)
        yield Vector(65, f"a value blanked to {name}", blanked, expect="EmptyLeaf")
        yield Vector(
            65,
            f"a value blanked to {name} where the realm allows it",
            blanked,
            expect="Tampered",
            allow_empty=("*",),
        )
    yield Vector(64, "an added empty list", b"added: []\n" + document)
    yield from types(document)
    other = document.replace(b"unencrypted_suffix: _unencrypted", b"unencrypted_regex: ^second$")
    clear = other.replace(line(document, "second:"), b"second: injected")
    yield Vector(69, "a widened rule", clear, expect="ClearLeaf")
    yield Vector(
        69,
        "a widened rule where the realm allows it",
        clear,
        expect="Tampered",
        allow_unencrypted=("second",),
    )
    narrowed = document.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_regex: ^nothing$")
    yield Vector(
        69, "a rule by which nothing is encrypted", narrowed, expect="Tampered", allow_unencrypted=("*",)
    )
    yield Vector(67, "lastmodified with a fraction", sub('Z"$', '.5Z"', document))
    yield Vector(67, "lastmodified with an offset of zero", sub('Z"$', '+00:00"', document))
    yield Vector(71, "no sops block", body(document), expect="NotEncrypted")
    yield Vector(72, "a duplicate key", line(document, "second:") + b"\n" + document, expect="DuplicateKey")
    twice = encrypt('a:\n  b: ""\n  c: x\n')
    yield Vector(72, "a duplicate nested key", twice.replace(b'    b: ""\n', b'    b: ""\n    b: ""\n'), expect="DuplicateKey",
                 allow_empty=("*",), differs="stricter than sops 3.11: as 3.13 refuses it")  # fmt: skip
    yield Vector(
        72, "a duplicate in the sops block", in_metadata(document, "version: 3.11.0"), expect="DuplicateKey"
    )


def types(document: bytes) -> Iterator[Vector]:
    """The type is in clear, and nothing authenticates it; a text that has the form of another type passes."""

    def typed(key: str, kind: str) -> bytes:
        return sub(f"^({key}: .*type:)str", rf"\1{kind}", document)

    yield Vector(66, "a text of digits that became an integer", typed("number", "int"))
    yield Vector(66, "a text of digits that became a float", typed("number", "float"))
    for name, key, kind in (
        ("a text that became an integer", "second", "int"),
        ("a text that became a boolean", "second", "bool"),
        ("a text that became a time", "second", "time"),
        ("a text that became bytes", "second", "bytes"),
        ("a text of an unknown type", "second", "blob"),
        ("a text that became a comment", "second", "comment"),
    ):
        yield Vector(66, name, typed(key, kind), expect="Malformed")
    item = items(document)[0]
    hidden = document.replace(item, item.replace(b"type:str", b"type:comment"))
    yield Vector(66, "a list item that became a comment", hidden, expect="Tampered")
    yield Vector(66, "text after a value", sub("^(second: .*)$", r"\1x", document), expect="Malformed",
                 differs="stricter than sops: it ignores what follows")  # fmt: skip


def body(document: bytes) -> bytes:
    return document[: document.index(b"\nsops:") + 1]


def without(document: bytes, key: str) -> bytes:
    return document.replace(line(document, key) + b"\n", b"")


def items(document: bytes) -> tuple[bytes, bytes]:
    one, other = (row for row in document.splitlines() if row.startswith(b"    - ENC["))
    return one, other


def lines(document: bytes, one: str, other: str, *, swapped: bool) -> tuple[bytes, bytes]:
    """The two lines, as they are after their keys were swapped."""
    first, second = line(document, one), line(document, other)
    return (
        (
            first.replace(one.encode(), other.encode()),
            second.replace(other.encode(), one.encode()),
        )
        if swapped
        else (first, second)
    )
