"""Random SOPS documents, mutations of them, odd metadata, and plain scalars, from one source of randomness."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from arcan_gitops.golang.yaml import format_float
from tests.support import crafting
from tests.vectors.cases.tools import encrypt, recipient


@dataclass(frozen=True)
class Made:
    """A document; `truth` are its trees, where they are known."""

    data: bytes
    format: str
    truth: Any = None


# Random documents

_TEXTS = [
    "", "x", "true", "123", "null", "2024-01-01", "a: b", "#", "-", "é", "漢字🎉", "\u00a0", "\u2028", "line\nbreak\n", "\ttab", "'", '"', "\\",
    "ENC[", "<<", "~", " ", "\r\n", "=", "\x7f", "*", "&", "!", "|", ">", "%", "@", "{}", "[]", "0o7", "\ufeff",
]  # fmt: skip


def _text(rng: random.Random) -> str:
    return (
        "".join(rng.choice([*_TEXTS, rng.choice(string.ascii_letters)]) for _ in range(rng.randint(1, 4)))
        or "x"
    )


def _key(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(string.ascii_letters) + _text(rng).replace("\n", "")
    return rng.choice("abcdefgh")


def _leaf(rng: random.Random) -> Any:
    return rng.choice([
        _text(rng), _text(rng), _text(rng), rng.randint(-10, 10), rng.randint(-(1 << 63), (1 << 63) - 1),
        rng.random() * 10.0 ** rng.randint(-30, 30), True, False,
    ])  # fmt: skip


def _tree(rng: random.Random, depth: int) -> dict[str, Any]:
    return {_key(rng): _value(rng, depth) for _ in range(rng.randint(1, 5))}


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.random() if depth < 4 else 0
    if kind < 0.7:
        return _leaf(rng)
    if kind < 0.85:
        return _tree(rng, depth + 1)
    return [_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]


def _sealable(value: Any) -> Any:
    """The tree with its leaves as (canonical bytes, type); an empty text stays what it is."""
    if isinstance(value, dict):
        return {key: _sealable(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_sealable(child) for child in value]
    if isinstance(value, bool):
        return (str(value).encode(), "bool")
    if isinstance(value, int):
        return (str(value).encode(), "int")
    if isinstance(value, float):
        return (format_float(value).encode(), "float")
    return (value.encode(), "str") if value else ""


def random_document(rng: random.Random) -> Made:
    """Some are written by sops, some sealed by hand; in all formats that are native."""
    tree = _tree(rng, 0)
    format = rng.choice(["yaml", "yaml", "yaml", "json", "dotenv", "binary"])
    if format == "binary":
        data = rng.randbytes(rng.randint(1, 40))
        return Made(encrypt(data, format=format), format, [{"data": data.decode("utf-8", "surrogateescape")}])
    if format == "dotenv":
        flat = {f"K{at}": _text(rng).replace("\\", "/") for at in range(3)}
        lines = "".join(f"{key}={value}\n" for key, value in flat.items() if "\n" not in value)
        return Made(encrypt(lines + "Z=x\n", format=format), format)
    if rng.random() < 0.5:
        rule = rng.choice(
            ["", "encrypted_regex: '^[a-d]'", "unencrypted_suffix: e", "mac_only_encrypted: true"]
        )
        return Made(encrypt(json.dumps(tree), format="json", rule=rule, output=format), format)
    crafted = crafting.craft(_sealable(tree), [recipient("alice")], unencrypted_suffix="never, never")
    return Made(crafting.as_yaml(crafted) if format == "yaml" else crafting.as_json(crafted), format, [tree])


# Mutations

_PIECES = [
    b"\n", b" ", b"  ", b'""', b": ", b"- ", b"null", b"&a ", b"*a", b"!!str ", b"#", b"{}", b"[]", b",", b"'", b'"', b"---\n", b"\t", b"sops:",
    b"type:int", b"5", b"~", b"|", b"\\n", b"\xc3\xa9", b"\xff", b"\0", b"=", b"ENC[",
]  # fmt: skip
_WORDS = [
    (b"type:str", b"type:int"), (b"type:int", b"type:float"), (b"type:float", b"type:str"), (b"type:bool", b"type:str"),
    (b"type:str", b"type:comment"), (b"Z", b"+00:00"), (b"true", b"false"), (b'"', b"'"), (b"    ", b"  "), (b"\n", b"\r\n"),
    (b"_unencrypted", b"_u"), (b"age", b"pgp"), (b"3.11.0", b"v3.9.0"), (b": ENC", b": !!str ENC"),
]  # fmt: skip


def mutations(rng: random.Random, made: Made, count: int) -> Iterator[Made]:
    """The document with a few bytes, bits, lines or words changed, one to three times."""
    for _ in range(count):
        data = made.data
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            data = rng.choice([_bytes, _bytes, _bit, _lines, _lines, _word])(rng, data)
        yield replace(made, data=data, truth=None)


def _bytes(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    inserted = rng.choice([rng.choice(_PIECES), rng.randbytes(1), b""])
    return data[:at] + inserted + data[at + rng.choice([0, 0, 1, 1, 2, 8]) :]


def _bit(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    change = rng.choice(["swap", "delete", "double", "indent", "unindent"])
    if change == "swap":
        lines[one], lines[other] = lines[other], lines[one]
    elif change == "delete":
        del lines[one]
    elif change == "double":
        lines.insert(other, lines[one])
    elif change == "indent":
        lines[one] = b"  " + lines[one]
    else:
        lines[one] = lines[one].lstrip(b" ")
    return b"\n".join(lines)


def _word(rng: random.Random, data: bytes) -> bytes:
    old, new = rng.choice(_WORDS)
    return data.replace(old, new, rng.choice([1, -1]))


# Odd metadata

_ODD = [
    None, "", "x", "true", "false", 0, 1, -1, 2.5, True, False, [], {}, [None], ["x"], [{}], {"x": "y"}, [[]], "0", "2", " ", "é", "a\nb",
]  # fmt: skip
_OWN: dict[str, list[Any]] = {
    "lastmodified": [
        "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05+01:00", "2026-01-02T03:04:05-00:00",
        "2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T3:04:05Z", "2026-01-02t03:04:05z", "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:60Z", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "2026-01-02",
    ],
    "version": [
        "3.11.0", "v3.0.0", "3.11", "99.0.0-rc.1", "3.0.0+b", "3.0.0-", "3..0", "1.0", "1.x", "03.0.0", "3.0.0-01",
        "3.18446744073709551616.0",
    ],
    "mac_only_encrypted": [False, "false", "true"],
    "shamir_threshold": [0, 1, 2, "1"],
    "unencrypted_suffix": ["_u", "a"],
    "encrypted_regex": [
        "^[ab]$", "(", "(?=x)", "\\pL", "[[:alpha:]]", "(?i)A|B", "a{1001}", "\\C", "(?P<n>[ab])", "(?<n>[ab])", "\\Qa\\E|b", "a**",
        "[ab]{1,1000}", "(?U)a+", "\\x{61}|b", "\\07|a|b", "\\p{Greek}|a|b", "[^\\D]|[ab]", "(?i)\u212a|a|b",
    ],
    "unencrypted_regex": ["^x", "(?s).x", "\\z$", "[^\\d\\D]", "\\bx", "$^"],
}  # fmt: skip
_FIELDS = [
    *_OWN, "mac", "age", "kms", "pgp", "gcp_kms", "hc_vault", "azure_kv", "key_groups", "encrypted_suffix", "encrypted_comment_regex",
    "unknown", "Version", "MAC", "hckms",
]  # fmt: skip


def metadata_documents(rng: random.Random, count: int) -> Iterator[Made]:
    """Documents that are sound but for one to three fields of their `sops` block."""
    for _ in range(count):
        format = rng.choice(["yaml", "json", "dotenv"])
        tree: dict[str, Any] = {
            "a": (b"x", "str"),
            "b": (b"5", "int") if format == "dotenv" else [(b"5", "int")],
        }
        names = rng.sample(_FIELDS, rng.choice([1, 1, 2, 3]))
        fields = {
            name: rng.choice(_OWN[name] if name in _OWN and rng.random() < 0.7 else _ODD) for name in names
        }
        if "encrypted_regex" in fields or "unencrypted_regex" in fields:
            fields.setdefault("unencrypted_suffix", None)
        crafted = crafting.craft(tree, [recipient("alice")], **deepcopy(fields))
        if rng.random() < 0.3:
            _in_entry(rng, crafted["sops"])
        emit = {"yaml": crafting.as_yaml, "json": crafting.as_json, "dotenv": _dotenv}[format]
        yield Made(emit(crafted), format)


def _in_entry(rng: random.Random, block: dict[str, Any]) -> None:
    """An odd field in the first key."""
    listed = block.get("age")
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        return
    enc = str(listed[0].get("enc", ""))
    listed[0][rng.choice(["enc", "enc", "recipient", "extra", "Enc"])] = rng.choice([
        *_ODD, enc + "\n", enc + "x", "\n" + enc, " " + enc, enc + " ", enc.rstrip() + " ", enc.rstrip(), enc.replace("\n", "\r\n"),
        enc.replace("\n", " \n"), enc.replace("=", ""), enc.replace("\n", "\n\n", 1),
    ])  # fmt: skip


def _dotenv(crafted: dict[str, Any]) -> bytes:
    block = crafted.pop("sops")
    lines = [f"{key}={value}" for key, value in crafted.items()]
    lines += [f"sops_{name}={_flat(value)}" for name, value in _flattened("", block)]
    return ("\n".join(lines) + "\n").encode()


def _flattened(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _flattened(f"{prefix}__map_{key}" if prefix else key, child)
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _flattened(f"{prefix}__list_{at}", child)
    else:
        yield prefix, value


def _flat(value: Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\n", "\\n")


# Plain scalars

_SOUP = "0123456789+-._eExXoObBTtZz:nNaAfFiIrRuUlLsSyY~"
_SEEDS = [
    "0", "1", "-0", "+1", "0x1F", "0X1f", "-0x10", "0b101", "-0b11", "0o17", "0O17", "017", "08", "09.5", "1_000", "0x_1", "_1", "1_", "1.5",
    ".5", "5.", "-.5", "+.5", "1e3", "1E-3", "1e", "e1", ".e1", "1.e1", "1_0.5e1_0", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "0xFFFFFFFFFFFFFFFF", "1e400",
    "-1e400", ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "inf", "nan", "true", "True", "TRUE", "tRUE", "yes", "no", "on", "off", "y", "n",
    "null", "Null", "NULL", "~", "nul", "2024-01-02", "2024-1-2", "2024-01-02T03:04:05Z", "2024-01-02t3:4:5+01:00",
    "2024-01-02 03:04:05.123456789", "2024-02-29", "2023-02-29", "2024-13-01", "2024-01-02T03:04:05", "12:30:45", "1:2", "190:20:30",
    "0o-010", "0b-1", "--1", "+-1", "=",
]  # fmt: skip


def scalars(rng: random.Random, count: int) -> Iterator[str]:
    """Texts that may stand as a plain scalar, all different; most are nearly numbers, words or times."""
    seen: set[str] = set()
    while len(seen) < count:
        text = rng.choice(_SEEDS) if rng.random() < 0.7 else "".join(rng.choices(_SOUP, k=rng.randint(1, 12)))
        for _ in range(rng.choice([0, 1, 1, 2])):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice([*_SOUP, ""]) + text[at + rng.choice([0, 1]) :]
        text = text.strip()
        if text and text not in seen:
            seen.add(text)
            yield text
