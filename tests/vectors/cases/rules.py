"""Cases 29 to 39: what a document encrypts."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.vectors import Vector
from tests.vectors.cases.tools import encrypt, in_metadata, line, sub

PLAIN = "secret: {a: x, n: 5}\npublic_a: c\na_secret: d\nb_public: [1, two]\nother: e\n"
RULES = {
    (30, "an encrypted suffix"): "encrypted_suffix: _secret",
    (30, "an unencrypted suffix"): "unencrypted_suffix: _public",
    (31, "an encrypted regex anchored"): "encrypted_regex: '^(secret|other)$'",
    (31, "an encrypted regex unanchored"): "encrypted_regex: 'secre'",
    (31, "an encrypted regex that a child matches"): "encrypted_regex: '^a$'",
    (32, "an unencrypted regex"): "unencrypted_regex: '^public'",
    (33, "a regex without case"): "encrypted_regex: '(?i)^SECRET$'",
    (33, "a regex with classes"): "encrypted_regex: '^[a-z]{6}$|[^\\w]'",
    (33, "a regex with an end"): "encrypted_regex: 'secret$'",
    (34, "a regex with a POSIX class"): "encrypted_regex: '[[:alpha:]]ecret'",
    (34, "a regex with a Unicode class"): "encrypted_regex: '^\\pL+$'",
}


def cases() -> Iterator[Vector]:
    default = encrypt("a: x\nb_unencrypted: clear\nc_unencrypted: {n: 7, f: 1.50}\n")
    yield Vector(29, "the default suffix", default, allow_unencrypted=("*_unencrypted",))
    yield Vector(29, "the default suffix where nothing may be clear", default, expect="ClearLeaf",
                 differs="stricter than sops: the document itself decides what is in clear")  # fmt: skip
    for (case, name), rule in RULES.items():
        yield Vector(case, name, encrypt(PLAIN, rule=rule), allow_unencrypted=("*",))
    for name, pattern in {"a lookahead": "(?=secret)", "a regex that is none": "("}.items():
        yield Vector(34, name, encrypt(PLAIN, rule=f"encrypted_regex: '{pattern}'"), expect="Malformed", allow_unencrypted=("*",),
                     differs="stricter than sops: it takes what is no regular expression for one that never matches")  # fmt: skip
    plain = encrypt("a: x\nb: y\n")
    yield Vector(35, "two rules", in_metadata(plain, "encrypted_suffix: x"), expect="Malformed")
    without = plain.replace(line(plain, "unencrypted_suffix:") + b"\n", b"")
    yield Vector(36, "no rule is the default", without)
    only = encrypt(PLAIN, rule="mac_only_encrypted: true\n    encrypted_regex: '^secret$'")
    yield Vector(37, "only encrypted values in the MAC", only, allow_unencrypted=("*",))
    edited = sub("^other: e$", "other: edited", only)
    yield Vector(
        37, "only encrypted values in the MAC and a clear one edited", edited, allow_unencrypted=("*",)
    )
    both = encrypt(PLAIN, rule="encrypted_regex: '^secret$'")
    edited = sub("^other: e$", "other: edited", both)
    yield Vector(38, "a clear value edited", edited, expect="Tampered", allow_unencrypted=("*",))
    commented = "# sops:clear\na: x\nb: y\n# sops:enc\nc: z\n"
    for name, rule in {
        "an encrypted comment regex": "encrypted_comment_regex: sops:enc",
        "an unencrypted comment regex": "unencrypted_comment_regex: sops:clear",
    }.items():
        yield Vector(39, name, encrypt(commented, rule=rule), expect="Unsupported", allow_unencrypted=("*",),
                     differs="not native: selection by comments")  # fmt: skip
