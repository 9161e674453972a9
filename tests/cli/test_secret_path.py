"""`arcan secret` with `--path`: a part of a map or list, and no key beside it that nobody wanted."""

from __future__ import annotations

import pytest

from tests.support.realm_files import CANARY
from tests.support.secret_command import SecretCommand, assert_error

LIMITS = {"per_day": 10, "tiers": ["free", "pro"]}


@pytest.fixture
def arcan(secret_command: SecretCommand) -> SecretCommand:
    return secret_command


@pytest.mark.parametrize(
    ("command", "does"),
    [(["set", "--stdin"], "sets"), (["get"], "reads"), (["unset"], "removes"), (["generate"], "sets")],
)
def test_a_name_with_dots_beside_a_map_is_asked_about(
    command: list[str], does: str, arcan: SecretCommand
) -> None:
    before = arcan.path.read_bytes()
    result = arcan(command[0], "shop", "LIMITS.per_day", "--env=prod", *command[1:], stdin=CANARY.encode())
    assert_error(
        result, "there is no key 'LIMITS.per_day', and there is a map or list 'LIMITS'",
        f"--path {does} 'per_day' in it; --no-path means a key that is named 'LIMITS.per_day'",
    )  # fmt: skip
    assert arcan.path.read_bytes() == before


def test_a_part_of_a_map_is_set_read_and_removed(arcan: SecretCommand) -> None:
    def run(*arguments: str, stdin: bytes = b"") -> str:
        result = arcan(
            arguments[0], "shop", arguments[1], "--env=prod", "--path", *arguments[2:], stdin=stdin
        )
        assert result.status == 0, result.err
        return result.out

    run("set", "LIMITS.per_day", "--stdin", stdin=b"20")
    run("set", "LIMITS.owner.name", "--stdin", stdin=CANARY.encode())
    run("set", "LIMITS.tiers.2", "--stdin", stdin=b"team")
    assert run("get", "LIMITS.tiers.2") == "team"
    assert run("get", "LIMITS.owner") == f'{{"name":"{CANARY}"}}'
    run("unset", "LIMITS.tiers.0")
    run("generate", "LIMITS.key", "--length=20")
    limits = arcan.seen_by_sops()["LIMITS"]
    assert len(limits.pop("key")) == 20
    assert limits == {"per_day": "20", "tiers": ["pro", "team"], "owner": {"name": CANARY}}


def test_several_items_of_a_list_are_those_that_were_named(arcan: SecretCommand) -> None:
    result = arcan("unset", "shop", "LIMITS.tiers.0", "LIMITS.per_day", "PORT", "--env=prod", "--path")
    assert result.status == 0, result.err
    arcan("set", "shop", "LIMITS.tiers.1", "--env=prod", "--path", "--stdin", stdin=b"team")
    arcan("set", "shop", "LIMITS.tiers.2", "--env=prod", "--path", "--stdin", stdin=b"all")
    assert arcan("unset", "shop", "LIMITS.tiers.0", "LIMITS.tiers.2", "--env=prod", "--path").status == 0
    assert arcan.seen_by_sops()["LIMITS"] == {"tiers": ["team"]}


def test_a_name_with_dots_is_a_key_where_somebody_says_so_or_no_map_is_there(arcan: SecretCommand) -> None:
    assert arcan("set", "shop", "db.host", "--env=prod", "--stdin", stdin=b"x").status == 0
    for more in (["--no-path"], []):  # the second time it is there, and no other is meant
        result = arcan("set", "shop", "LIMITS.x", "--env=prod", "--stdin", *more, stdin=b"y")
        assert result.status == 0, result.err
    seen = arcan.seen_by_sops()
    assert (seen["db.host"], seen["LIMITS.x"], seen["LIMITS"]) == ("x", "y", LIMITS)


@pytest.mark.parametrize(
    ("command", "path", "said"),
    [
        ("get", "LIMITS.per_dy", "there is no key 'per_dy' in 'LIMITS'"),
        ("get", "LIMIT.per_day", "there is no key 'LIMIT'"),
        ("unset", "LIMITS.tiers.7", "there is no key '7' in 'LIMITS.tiers'"),
        ("unset", "LIMITS.tiers.first", "'LIMITS.tiers' is followed by 'first'"),
        ("get", "LIMITS.", "'LIMITS' is followed by ''"),
        ("get", "PORT.x", "there is no key 'x' in 'PORT'"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_of(
    command: str, path: str, said: str, arcan: SecretCommand
) -> None:
    before = arcan.path.read_bytes()
    assert_error(arcan(command, "shop", path, "--env=prod", "--path"), said)
    assert arcan.path.read_bytes() == before


@pytest.mark.parametrize("path", ["PORT.x", "LIMITS.tiers.7", "DATABASE_URL.0"])
def test_a_path_through_a_value_or_far_behind_a_list_is_not_set(path: str, arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    assert_error(arcan("set", "shop", path, "--env=prod", "--path", "--stdin", stdin=b"x"), "shop/prod")
    assert arcan.path.read_bytes() == before
