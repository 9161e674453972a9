"""Cases 1 to 28: values, keys, comments."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.crafting import as_yaml, craft
from tests.support.vectors import Vector
from tests.vectors.cases.tools import encrypt, recipient

EMPTY = "stricter than sops: the MAC does not cover an empty value"

PLAIN = {
    (1, "nested maps"): "a:\n  b:\n    c: deep\n  d: two\n",
    (2, "lists of scalars maps and lists"): "l:\n  - x\n  - [1, 2, [three]]\n  - k: v\n    n: {m: w}\n",
    (3, "integers"): "max: 9223372036854775807\nmin: -9223372036854775808\nzero: 0\nhex: 0x1F\noctal: 0o17\nold: 017\n",
    (4, "floats"): "a: 1.0\nb: 1e21\nc: 1e-7\nd: 5e-324\ne: -0.0\nf: 3.14159265358979\ng: 1.7976931348623157e308\n",
    (5, "infinities and no number"): "a: .inf\nb: -.Inf\nc: .nan\nd: +.INF\n",
    (6, "booleans beside words that are none"): "t: true\nf: False\nT: TRUE\ny: yes\nn: 'no'\non: on\noff: off\n",
    (9, "empty maps and lists"): "a: {}\nb: []\nc: {d: {}, e: []}\nf: x\n",
    (10, "literal folded and chomped blocks"): "a: |\n  x\n  y\nb: >\n  x\n  y\nc: |-\n  x\nd: |+\n  x\n\ne: |2\n    deep\n  x\n",
    (11, "unicode composed and decomposed"): "grüße: schöne 漢字 🎉\n漢字: a\u0301 \u00e1\na\u0301: nfd\n\u00e1: nfc\nbom: \"\\uFEFFx\"\n",
    (12, "control characters and line ends"): 'a: "x\\ty\\r\\nz"\nb: "\\u0001\\u007f\\0"\nc: "\\u2028\\u0085"\nd: "\\r"\n',
    (13, "texts that look like something else"):
        "a: '123'\nb: 'true'\nc: '2024-01-01'\nd: 'null'\ne: '~'\nf: '1e3'\ng: '.inf'\nh: '0x1F'\ni: '<<'\n",
    (14, "timestamps in four layouts"):
        "a: 2024-01-02\nb: 2024-01-02T03:04:05Z\nc: 2024-01-02 03:04:05.123456789\nd: 2024-1-2t3:4:5.120+02:00\n",
    (18, "a PEM block"): "pem: |\n  -----BEGIN CERTIFICATE-----\n  MIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n  -----END CERTIFICATE-----\n",
    (20, "sixty levels deep"): "".join(f"{'  ' * depth}k{depth}:\n" for depth in range(59)) + "  " * 59 + "k59: x\n",
    (21, "a key with colons"): '"a:b": x\na:\n  b: y\n',
    (22, "keys with dots blanks and slashes"): '"": empty\nc.d: x\n"e f": y\n"g/h": z\n" i ": w\n"#": v\n"-": u\n"?": t\n',
    (24, "a key beyond ASCII is authenticated"): "ключ:\n  鍵: x\n  🔑: y\n",
    (25, "a merge key"): "base: &b {x: one}\nderived:\n  <<: *b\n  y: two\n",
    (26, "comments in a map"): "# head\na: x # line\n# between\nb:\n  # inner\n  c: y\n# foot\n",
    (27, "comments in a list"): "a:\n  # first\n  - one\n  # second\n  - two # line\n  # last\nb: x\n",
    (28, "a comment before a nested list"): "a:\n  - # nested\n    - x\n  - y\n  -\n    # deeper\n    - z\n",
}  # fmt: skip


def cases() -> Iterator[Vector]:
    for (case, name), plain in PLAIN.items():
        yield Vector(case, name, encrypt(plain))
    nulls = encrypt("a: null\nb: ~\nc:\nd: Null\ne: x\n")
    yield Vector(7, "nulls", nulls, expect="EmptyLeaf", differs=EMPTY)
    yield Vector(7, "nulls allowed", nulls, allow_empty=("*",))
    empty = encrypt('a: ""\nb: [x, ""]\nc: x\n')
    yield Vector(8, "empty texts", empty, expect="EmptyLeaf", differs=EMPTY)
    yield Vector(8, "empty texts allowed", empty, allow_empty=("a", "b"))
    alice = [recipient("alice")]
    above = craft({"a": (b"x", "str"), "n_unencrypted": (1 << 64) - 1}, alice, clear=b"18446744073709551615")
    yield Vector(
        15, "an unsigned integer in clear", as_yaml(above), expect="Malformed", allow_unencrypted=("*",)
    )
    sealed = craft({"a": (b"18446744073709551615", "int")}, alice)
    yield Vector(15, "an unsigned integer encrypted", as_yaml(sealed), expect="Malformed")
    yield Vector(16, "an integer beyond 64 bits is a float", encrypt("a: 36893488147419103232\nb_unencrypted: 36893488147419103232\n"),
                 allow_unencrypted=("b_*",))  # fmt: skip
    yield Vector(23, "a number as a key", as_yaml(craft({5: (b"x", "str")}, alice)), expect="Malformed")
    truth = as_yaml(craft({"a": (b"x", "str"), "b": {True: (b"y", "str")}}, alice))
    yield Vector(23, "a boolean as a key", truth, expect="Malformed")
    one = as_yaml(craft({"a": (b"x", "str")}, alice))
    yield Vector(23, "a list as a key", one.replace(b"a: ENC", b"? [a]\n: ENC"), expect="Malformed")
    merged = craft({"a": (b"x", "str"), "<<": (b"y", "str")}, alice)
    yield Vector(25, "a merge key with a text", as_yaml(merged).replace(b"'<<'", b"<<"), expect="Malformed")
    yield Vector(25, "a quoted merge key with a text", as_yaml(merged))
