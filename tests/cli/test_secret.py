"""`arcan secret` on one key: what changes in the file, what is printed where, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY
from tests.support.secret_command import SecretCommand, assert_error
from tests.test_canary import BROKEN

PATH = "realms/shop/prod.sops.yaml"


@pytest.fixture
def arcan(secret_command: SecretCommand) -> SecretCommand:
    return secret_command


def changed_lines(before: str, after: str) -> list[str]:
    """The keys of the lines that differ, but for that of the time."""
    old, new = before.splitlines(), after.splitlines()
    assert len(old) == len(new)
    names = [line.split(":")[0].strip() for line, other in zip(new, old, strict=True) if line != other]
    return [name for name in names if name != "lastmodified"]


def test_set_changes_the_value_the_time_and_the_mac_and_no_other_line(arcan: SecretCommand) -> None:
    before = arcan.path.read_text()
    result = arcan("set", "shop", "DATABASE_URL", "--env=prod", "--stdin", stdin=b"postgres://new")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"arcan: changed DATABASE_URL in {PATH}\n"
    assert changed_lines(before, arcan.path.read_text()) == ["DATABASE_URL", "mac"]
    assert arcan.seen_by_sops()["DATABASE_URL"] == "postgres://new"


def test_set_makes_a_new_key_and_says_when_nothing_changed(arcan: SecretCommand) -> None:
    assert (
        arcan("set", "shop", "NEW", "--env=prod", "--stdin", stdin=b"0071").err
        == f"arcan: added NEW to {PATH}\n"
    )
    assert arcan.seen_by_sops()["NEW"] == "0071"
    before = arcan.path.read_bytes()
    result = arcan("set", "shop", "NEW", "--env=prod", "--stdin", stdin=b"0071")
    assert (result.status, result.err) == (0, f"arcan: unchanged: NEW in {PATH}\n")
    assert arcan.path.read_bytes() == before


@pytest.mark.parametrize(
    ("given", "options", "kept"),
    [
        (b"one line", [], "one line"),
        (b"one line\n", [], "one line"),
        (b"one line\r\n", [], "one line"),
        (b"one line\n", ["--keep-newline"], "one line\n"),
        (b"one line\r", [], "one line\r"),
        (b"two\nlines\n", [], "two\nlines\n"),
        (b"one and a blank one\n\n", [], "one and a blank one\n\n"),
        (b"  blanks stay \t", [], "  blanks stay \t"),
        ("grüß ☂".encode(), [], "grüß ☂"),
    ],
)
def test_a_value_is_taken_as_it_is_but_for_the_end_of_a_single_line(
    given: bytes, options: list[str], kept: str, arcan: SecretCommand
) -> None:
    (arcan.folder / "value").write_bytes(given)
    for number, source in enumerate((["--stdin"], ["--from-file", "value"])):
        result = arcan("set", "shop", f"KEY_{number}", "--env=prod", *source, *options, stdin=given)
        assert ("left out the line break" in result.err) == (len(kept) < len(given.decode()))
        assert arcan.seen_by_sops()[f"KEY_{number}"] == kept
        assert arcan("get", "shop", f"KEY_{number}", "--env=prod").out == kept


@pytest.mark.parametrize(
    "extra",
    [
        [CANARY],
        ["--", f"-{CANARY}"],
        [f"-{CANARY[:6]}"],  # an "h" among unknown letters would be -h
        [f"--{CANARY}"],
        [f"-----BEGIN PRIVATE KEY-----\n{CANARY}"],
        ["--stdin", CANARY, "x"],
    ],
)
def test_a_value_as_an_argument_is_refused_and_not_repeated(extra: list[str], arcan: SecretCommand) -> None:
    result = arcan("set", "shop", "KEY", "--env=prod", *extra)
    assert_error(result, "a value is never an argument", "list of processes", "--from-file", status=2)


def test_a_key_with_its_value_is_refused_and_not_repeated(arcan: SecretCommand) -> None:
    for command in ("set", "get", "unset", "generate"):
        assert_error(arcan(command, "shop", f"KEY={CANARY}", "--env=prod"), "'KEY", "not repeated", status=2)


def test_a_misspelt_option_is_told_from_a_value(arcan: SecretCommand) -> None:
    result = arcan("set", "shop", "KEY", "--env=prod", "--form-file=x")
    assert_error(result, "did you mean --from-file?", status=2)


def test_a_value_that_cannot_be_stored_is_refused(arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    where = ("set", "shop", "KEY", "--env=prod")
    assert_error(arcan(*where), "no value", "--stdin or --from-file FILE", status=2)
    assert_error(arcan(*where, "--stdin", "--from-file=x"), "exclude each other", status=2)
    assert_error(arcan(*where, "--from-file=missing"), "missing: cannot be read: No such file")
    assert_error(arcan(*where, "--from-file=."), ".: cannot be read: Is a directory")
    assert_error(arcan(*where, "--stdin", stdin=b"\xff\xfe"), "not UTF-8 text", "decodingStrategy: Base64")
    assert_error(arcan(*where, "--stdin", stdin=b"x" * (1024 * 1024 + 1)), "more than the 1048576 bytes")
    assert_error(arcan(*where, "--stdin", stdin=b""), f"{PATH}: key 'KEY': would be empty", "allowEmpty")
    assert_error(
        arcan("set", "shop", "X_unencrypted", "--env=prod", "--stdin", stdin=CANARY.encode()),
        f"{PATH}: key 'X_unencrypted': would be written in clear",
    )
    assert arcan.path.read_bytes() == before


def test_closed_standard_streams_are_told_of(arcan: SecretCommand) -> None:
    for end, arguments, said in (
        ("<&-", "set shop KEY --env=prod --stdin", "standard input is closed"),
        ("<&-", "set shop KEY --env=prod", "no value"),
        (">&-", "get shop PORT --env=prod", "standard output is closed"),
    ):
        shell = ["/bin/sh", "-c", f'exec "$@" {end}', "sh", *ARCAN, "secret", *arguments.split()]
        done = subprocess.run(
            shell, capture_output=True, text=True, check=False, cwd=arcan.folder, env=arcan.environment
        )
        assert done.returncode in (1, 2)
        assert said in done.stderr


def test_get_prints_the_value_and_nothing_else(arcan: SecretCommand) -> None:
    result = arcan("get", "shop", "DATABASE_URL", "--env=prod")
    assert (result.status, result.out, result.err) == (0, f"{CANARY}-old", "")
    assert arcan("get", "shop", "PORT", "--env=prod").out == "5432"
    assert arcan("get", "shop", "LIMITS", "--env=prod").out == '{"per_day":10,"tiers":["free","pro"]}'


@pytest.mark.parametrize("output", ["full", "gone"])
def test_a_value_that_cannot_be_printed_is_an_error(output: str, arcan: SecretCommand) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    target = os.open("/dev/full", os.O_WRONLY) if output == "full" else writer
    done = subprocess.run(
        [*ARCAN, "secret", "get", "shop", "DATABASE_URL", "--env=prod"],
        stdout=target, stderr=subprocess.PIPE, text=True, check=False, cwd=arcan.folder, env=arcan.environment,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr.startswith("arcan: error: the value could not be written: ")
    assert done.stderr.count("\n") == 1
    assert CANARY not in done.stderr


def test_list_shows_names_and_needs_no_identity(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/nonexistent")
    result = arcan("list", "shop", "--env=prod")
    assert (result.status, result.out, result.err) == (0, "DATABASE_URL\nPORT\nLIMITS\n", "")
    assert_error(arcan("get", "shop", "PORT", "--env=prod"), "/nonexistent: cannot be read")


def test_unset_removes_keys_all_or_none(arcan: SecretCommand) -> None:
    assert_error(
        arcan("unset", "shop", "PORT", "LIMIT", "--env=prod"), f"{PATH}: there is no key 'LIMIT'", "'LIMITS'?"
    )
    assert "PORT" in arcan.seen_by_sops()
    result = arcan("unset", "shop", "PORT", "LIMITS", "--env=prod")
    assert (result.status, result.err) == (0, f"arcan: removed PORT, LIMITS from {PATH}\n")
    assert arcan.seen_by_sops() == {"DATABASE_URL": f"{CANARY}-old"}
    assert "# the database" in arcan.path.read_text() or "#ENC[" in arcan.path.read_text()
    assert_error(arcan("unset", "shop", "DATABASE_URL", "--env=prod"), PATH, "only key", "delete the file")


def test_rename_keeps_the_value_and_the_place(arcan: SecretCommand) -> None:
    result = arcan("rename", "shop", "DATABASE_URL", "DB_URL", "--env=prod")
    assert (result.status, result.err) == (0, f"arcan: renamed DATABASE_URL to DB_URL in {PATH}\n")
    seen = arcan.seen_by_sops()
    assert list(seen) == ["DB_URL", "PORT", "LIMITS"]
    assert seen["DB_URL"] == f"{CANARY}-old"
    assert_error(arcan("rename", "shop", "DB_URL", "PORT", "--env=prod"), PATH, "'PORT': is there already")
    assert_error(arcan("rename", "shop", "DB_UR", "X", "--env=prod"), "did you mean 'DB_URL'?")
    assert arcan("rename", "shop", "PORT", "PORT", "--env=prod").err == f"arcan: unchanged: {PATH}\n"


def test_generate_sets_a_random_value_and_does_not_show_it(arcan: SecretCommand) -> None:
    result = arcan("generate", "shop", "TOKEN", "--env=prod")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"arcan: set TOKEN in {PATH}: password, 32 characters, 193 bits of entropy\n"
    first = arcan.seen_by_sops()["TOKEN"]
    assert re.fullmatch(r"[A-Za-z0-9._~-]{32}", first)
    before = arcan.path.read_bytes()
    assert_error(arcan("generate", "shop", "TOKEN", "--env=prod"), "TOKEN: there already", "--replace")
    assert arcan.path.read_bytes() == before
    result = arcan("generate", "shop", "TOKEN", "--env=prod", "--replace", "--kind=hex", "--length=40")
    assert result.err == f"arcan: set TOKEN in {PATH}: hex, 40 characters, 160 bits of entropy\n"
    second = arcan.seen_by_sops()["TOKEN"]
    assert re.fullmatch(r"[0-9a-f]{40}", second)
    assert not arcan.files_with(first)
    assert not arcan.files_with(second)
    assert_error(arcan("generate", "shop", "X", "--env=prod", "--length=4"), "--length", status=2)


@pytest.mark.parametrize(
    "arguments",
    [["set", "KEY", "--stdin"], ["get", "KEY"], ["unset", "KEY"], ["rename", "A", "B"], ["generate", "KEY"], ["list"],
     ["edit"], ["import", "identity.txt"]],
)  # fmt: skip
def test_a_realm_or_environment_that_is_not_there_is_named_with_the_nearest(
    arguments: list[str], arcan: SecretCommand
) -> None:
    command, *rest = arguments
    if command == "import":
        (arcan.folder / "identity.txt").write_text("A=1")
    assert_error(
        arcan(command, "shop", *rest, "--env=prd"),
        "realm 'shop' has no environment 'prd'", "did you mean 'prod'?", "arcan realm create shop --env prd",
    )  # fmt: skip
    assert_error(arcan(command, "shp", *rest, "--env=prod"), "no realm 'shp'", "did you mean 'shop'?")
    assert_error(arcan(command, "shop", *rest), "Missing option '--env'", status=2)
    assert_error(arcan(command, "Shop", *rest, "--env=prod"), "'Shop' is not a valid realm name", status=2)


@pytest.mark.parametrize(
    "arguments", [["set", "shop", "API_TOKEN", "--stdin"], ["generate", "shop", "API_TOKEN"]]
)
def test_the_hint_for_an_environment_that_is_new_has_the_key_that_was_given(
    arguments: list[str], arcan: SecretCommand
) -> None:
    hint = "'arcan realm create shop --env prd --key API_TOKEN'"
    assert_error(arcan(*arguments, "--env=prd", stdin=b"x"), hint)


def test_a_document_that_was_tampered_with_is_not_edited(arcan: SecretCommand) -> None:
    arcan.files.tamper(arcan.path, "PORT")
    before = arcan.path.read_bytes()
    for arguments in (["set", "shop", "A", "--stdin"], ["get", "shop", "DATABASE_URL"], ["unset", "shop", "LIMITS"],
                      ["rename", "shop", "LIMITS", "L"], ["generate", "shop", "A"], ["edit", "shop"]):  # fmt: skip
        assert_error(arcan(*arguments, "--env=prod", stdin=b"x"), PATH, "the MAC does not match")
    assert arcan.path.read_bytes() == before


@pytest.mark.parametrize("name", sorted(set(BROKEN) - {"a value as a key"}))  # the name of a key is no secret
def test_nothing_of_a_broken_document_is_shown(name: str, arcan: SecretCommand) -> None:
    arcan.path.write_text(BROKEN[name])
    for arguments in (["list", "shop"], ["get", "shop", "A"], ["set", "shop", "A", "--stdin"], ["edit", "shop"],
                      ["unset", "shop", "A"], ["rename", "shop", "A", "B"], ["generate", "shop", "C"]):  # fmt: skip
        assert_error(arcan(*arguments, "--env=prod", stdin=b"x"), PATH)
    assert arcan.path.read_text() == BROKEN[name]


def test_without_an_identity_it_says_where_one_was_looked_for(
    arcan: SecretCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    assert_error(arcan("get", "shop", "PORT", "--env=prod"), "no age identity", "--identity-file")
    file = str(arcan.files.identity_file)
    assert arcan("get", "shop", "PORT", "--env=prod", "--identity-file", file).out == "5432"


def test_the_value_is_in_no_file_but_as_ciphertext(arcan: SecretCommand) -> None:
    value = f"{CANARY}-new"
    arcan("set", "shop", "KEY", "--env=prod", "--stdin", stdin=value.encode())
    arcan("rename", "shop", "KEY", "OTHER", "--env=prod")
    assert arcan.seen_by_sops()["OTHER"] == value
    assert arcan.files_with(CANARY) == []
