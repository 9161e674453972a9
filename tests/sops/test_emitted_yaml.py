"""Texts as we write them into YAML are texts as sops writes them: its own edit of such a file moves no line."""

from __future__ import annotations

import itertools
import json
import random
import re
import struct
from pathlib import Path

import pytest

from arcan_gitops import sops
from tests.support.realm_files import decrypt_to_json, new_identity, run_sops
from tests.support.sops_layouts import BROKEN, BROKEN_ITEM, ODD

IDENTITY, RECIPIENT = new_identity()
# what YAML, go-yaml's emitter or its resolver treat in a way of their own, and what they do not
CHARACTERS = [
    *"aZ01e_-?:,[]{}#&*!|>'\"%@`~=<.+/\\ \t\r\n",
    "\0", "\a", "\b", "\x1b", "\x7f", "\x80", "\x9f", "\xa0", "\u00e9", "\ud7ff", "\ue000", "\ufeff", "\ufffd", "\ufffe", "\U0001f389",
]  # fmt: skip


def all_texts() -> list[str]:
    """Every one and two of the characters, what looks like something else, and a thousand longer ones."""
    short = ["".join(chars) for size in (1, 2) for chars in itertools.product(CHARACTERS, repeat=size)]
    rng = random.Random(20260102)
    long = ["".join(rng.choices(CHARACTERS, k=rng.randint(3, 6))) for _ in range(1000)]
    return [text for text in dict.fromkeys([*ODD, *short, *long]) if text and not BROKEN.search(text)]


def fits_a_key(text: str) -> bool:
    return len(text.encode()) <= 128 and text != "<<" and not re.search("[\r\n]", text)


def differing(tree: dict[str, object], folder: Path) -> list[tuple[str, str]]:
    """The lines (ours, that of sops) of a document all in clear that `sops set` of another key changes."""
    made = sops.encrypt(
        {"secret": "x", **tree},
        recipients=[RECIPIENT],
        rule=("encrypted_regex", "^secret$"),
        limits=sops.Limits(allow_unencrypted=("*",)),
    )
    path = folder / "d.yaml"
    path.write_bytes(made)
    done = run_sops("set", str(path), '["secret"]', '"y"', identity=IDENTITY)
    assert done.returncode == 0, done.stderr
    ours, theirs = (data[: data.index(b"\nsops:")].decode().split("\n") for data in (made, path.read_bytes()))
    assert len(ours) == len(theirs)
    return [(one, other) for one, other in zip(ours, theirs, strict=True) if one != other][1:]


@pytest.mark.parametrize("place", ["values", "items", "keys"])
def test_every_odd_text_is_written_as_sops_writes_it(place: str, tmp_path: Path) -> None:
    texts = all_texts()
    if place == "values":
        tree: dict[str, object] = {"map": {f"k{at}": text for at, text in enumerate(texts)}}
    elif place == "items":
        texts = [text for text in texts if not BROKEN_ITEM.search(text)]
        tree = {"list": [*texts, texts]}
    else:
        tree = {"map": {text: f"v{at}" for at, text in enumerate(texts) if fits_a_key(text)}}
    assert differing(tree, tmp_path) == []


def test_every_number_and_time_is_written_as_sops_writes_it(tmp_path: Path) -> None:
    rng = random.Random(20260102)
    numbers: list[object] = [
        0,
        1,
        -1,
        2**63 - 1,
        -(2**63),
        True,
        False,
        None,
        float("inf"),
        -float("inf"),
        float("nan"),
    ]
    numbers += [float(f"{sign}{digits}e{power}") for sign in ("", "-") for digits in ("1", "1.5", "9.999999")
                for power in range(-30, 30)]  # fmt: skip
    numbers += [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(1000)]
    numbers += [rng.randrange(-(2**63), 2**63) for _ in range(100)]
    numbers += [sops.Timestamp(text) for text in ("2024-01-02T00:00:00Z", "2024-01-02T03:04:05.12+02:00")]
    numbers = [number for number in numbers if repr(number) != "-0.0"]
    assert differing({"list": numbers}, tmp_path) == []


def test_what_sops_writes_brokenly_we_write_so_that_it_reads() -> None:
    """Sops makes `null` of these texts, and YAML that says something else."""
    texts = ["\tx\ny", "\t\n", " \tx\ny", "\n\tx\ny", "\n x", "  x\n y\n", "a\u2028\n b", "\x85\n", "\u2029x"]
    tree = {"map": {f"k{at}": text for at, text in enumerate(texts)}, "list": [*texts, texts]}
    made = sops.encrypt(
        tree,
        recipients=[RECIPIENT],
        rule=("encrypted_regex", "^never$"),
        limits=sops.Limits(allow_unencrypted=("*",)),
    )
    assert sops.load(made, identities=[IDENTITY], limits=sops.Limits(allow_unencrypted=("*",))).tree == tree
    assert json.loads(decrypt_to_json(made, IDENTITY).stdout) == tree
