"""Generated secrets: of what they are made, and how many there could be."""

from __future__ import annotations

import itertools
import math
import re

import pytest

from arcan_gitops.realms.generating import KINDS, MIN_LENGTH, Kind


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("password", r"[A-Za-z0-9._~-]{%d}"), ("hex", r"[0-9a-f]{%d}"), ("alphanumeric", r"[A-Za-z0-9]{%d}")],
)
def test_each_kind_has_its_characters_and_the_length_asked_for(kind: str, pattern: str) -> None:
    for length in (MIN_LENGTH, KINDS[kind].length, 200):
        texts = {KINDS[kind].generate(length) for _ in range(50)}
        assert len(texts) == 50
        assert all(re.fullmatch(pattern % length, text) for text in texts)
        assert all(any(char in of for char in text) for text in texts for of in KINDS[kind].classes)


def test_the_bits_count_the_texts_that_can_come() -> None:
    small = Kind(("ab", "12", "-"), 4)
    possible = [
        text
        for text in itertools.product("ab12-", repeat=4)
        if all(any(char in of for char in text) for of in small.classes)
    ]
    assert small.bits(4) == int(math.log2(len(possible)))
    assert {small.generate(4) for _ in range(5000)} == {"".join(text) for text in possible}
    assert KINDS["hex"].bits(64) == 256
    assert KINDS["alphanumeric"].bits(32) == 190
    assert KINDS["password"].bits(32) == 193
