"""The secret sharing of key groups, against its laws; against sops by the vectors of cases 46 to 50."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcan_gitops.sops.shamir import combine, split


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.integers(2, 6), st.data())
def test_any_parts_that_are_enough_give_the_secret(secret: bytes, parts: int, data: st.DataObject) -> None:
    threshold = data.draw(st.integers(2, parts))
    shares = split(secret, parts, threshold)
    assert len(shares) == parts
    for chosen in itertools.combinations(shares, threshold):
        assert combine(chosen) == secret
    assert combine(data.draw(st.permutations(shares))) == secret


def test_too_few_parts_give_something_else() -> None:
    secret = bytes(range(32))
    assert all(combine(chosen) != secret for chosen in itertools.combinations(split(secret, 5, 4), 3))


def test_each_split_is_another_one() -> None:
    assert split(b"secret", 3, 2) != split(b"secret", 3, 2)


def test_a_part_is_the_secret_long_and_ends_with_its_number() -> None:
    shares = split(bytes(32), 255, 2)
    assert [share[-1] for share in shares] == list(range(1, 256))
    assert {len(share) for share in shares} == {33}


@pytest.mark.parametrize(
    ("secret", "parts", "threshold"), [(b"", 2, 2), (b"x", 1, 1), (b"x", 2, 1), (b"x", 2, 3), (b"x", 256, 2)]
)
def test_what_cannot_be_split_is_an_error(secret: bytes, parts: int, threshold: int) -> None:
    with pytest.raises(ValueError):
        split(secret, parts, threshold)


@pytest.mark.parametrize(
    "parts", [[], [b"xy"], [b"x\1", b"y\1"], [b"x\1", b"xy\2"], [b"\1", b"\2"], [b"", b""]]
)
def test_what_cannot_be_combined_is_an_error(parts: list[bytes]) -> None:
    with pytest.raises(ValueError):
        combine(parts)
