"""Names are parsed once; a secret cannot be shown by accident."""

from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, SecretRef, did_you_mean
from arcan_gitops.secret import SecretValue
from tests.support.realm_files import CANARY


@pytest.mark.parametrize("text", ["a", "prod", "eu-west-1", "a" * 63, "0"])
def test_a_label_is_a_realm_and_an_environment_name(text: str) -> None:
    assert RealmName.parse(text) == EnvironmentName.parse(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "a\n", " a", "ü", "a/b"])
def test_anything_else_is_no_label(text: str) -> None:
    with pytest.raises(InvalidName, match="is not a valid realm name"):
        RealmName.parse(text)


@pytest.mark.parametrize("text", ["A", "DATABASE_URL", "tls.crt", "a-b", ".a", "a..b", "_", "k" * 253])
def test_what_kubernetes_takes_as_a_key_is_a_key_name(text: str) -> None:
    assert KeyName.parse(text) == text


@pytest.mark.parametrize(
    "text", ["", ".", "..", "..a", "a b", "a/b", "a+b", "ü", "k" * 254, "a\n", "a%2Fb", "a:b"]
)
def test_anything_else_is_no_key_name(text: str) -> None:
    with pytest.raises(InvalidName, match="is not a valid key name"):
        KeyName.parse(text)


@given(st.from_regex(r"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}\Z"))
def test_key_names_round_trip(text: str) -> None:
    assert KeyName.parse(str(KeyName.parse(text))) == text


def test_a_reference_reads_as_a_path() -> None:
    ref = SecretRef(RealmName("shop"), EnvironmentName("prod"), KeyName("A"))
    assert str(ref) == "shop/prod/A"
    assert str(SecretRef(ref.realm, ref.environment)) == "shop/prod"


def test_a_typo_gets_the_nearest_name_or_all_of_them() -> None:
    assert did_you_mean("prd", ["prod", "staging"]) == "did you mean 'prod'?"
    assert did_you_mean("x", ["prod", "staging"]) == "known: prod, staging"
    assert did_you_mean("x", []) == "there are none"
    assert did_you_mean("TOYAML", ["any", "toYaml"]) == "did you mean 'toYaml'?"


def test_a_secret_value_shows_itself_nowhere() -> None:
    secret = SecretValue(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        "%s" % secret,  # noqa: UP031 - the old way counts too
        repr([secret]),
    ]
    try:
        raise ValueError(secret)
    except ValueError:
        shown.append(traceback.format_exc())
    assert CANARY not in " ".join(shown)
    for leak in (pickle.dumps, json.dumps, copy.deepcopy, hash):
        with pytest.raises(TypeError):
            leak(secret)
    assert secret.reveal() == CANARY


def test_secret_values_compare_by_content() -> None:
    assert SecretValue("a") == SecretValue("a")
    assert SecretValue("a") != SecretValue("b")
    assert SecretValue("a") != "a"
