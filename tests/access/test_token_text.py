"""The text of a token: what a scanner and the server recognise, and nothing else."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.access import digest, mint, shown, token_id

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN = mint().text.reveal()
# CRC-32 of the first 60 characters is 2852639005; in base62 373NiX.
KNOWN = "arc_" + "A" * 12 + "_" + "0" * 43 + "373NiX"
KNOWN_DIGEST = "sha256:d184a2bdc0055b8d631fb59fc369f376b6cc5401f29ad41cb0e7d6a1c2d79780"


def base62(number: int) -> str:
    text = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return text


def test_every_minted_token_parses_to_its_id_and_digest():
    for _ in range(200):
        minted = mint()
        text = minted.text.reveal()
        assert re.fullmatch(r"arc_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", text)
        assert token_id(text) == minted.id == text[4:16]
        assert digest(text) == minted.digest


def test_the_last_six_characters_are_the_crc_32_of_all_before_in_base62():
    text = mint().text.reveal()
    assert text[60:] == base62(zlib.crc32(text[:60].encode()))


def test_the_format_never_changes_for_tokens_that_are_out_there():
    assert token_id(KNOWN) == "A" * 12
    assert digest(KNOWN) == KNOWN_DIGEST


def test_no_two_tokens_are_alike():
    assert len({mint().id for _ in range(1000)}) == 1000


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_a_token_with_one_character_changed_is_no_token(position, character):
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    assert changed == TOKEN or token_id(changed) is None


@given(st.text())
def test_a_text_that_is_no_token_has_no_id(text):
    assert token_id(text) is None


@pytest.mark.parametrize(
    "wrong", [TOKEN + "\n", " " + TOKEN, TOKEN[:-1], TOKEN + "0", TOKEN.upper(), f'"{TOKEN}"', ""]
)
def test_a_token_with_something_around_it_is_no_token(wrong):
    assert token_id(wrong) is None


def test_a_minted_token_does_not_show_its_text():
    minted = mint()
    secret = minted.text.reveal()[17:60]
    assert secret not in f"{minted!r} {minted} {minted.text} {minted.text!r}"


@pytest.mark.parametrize("text", [TOKEN, TOKEN[:-3], f"name {TOKEN} tail", f"{TOKEN}{TOKEN}"])
def test_a_message_never_repeats_the_secret_of_a_token_that_was_typed_in_the_wrong_place(text):
    assert TOKEN[17:30] not in shown(text)
