"""`arcan secret import`: all the keys of a file, or none."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.support.realm_files import CANARY
from tests.support.secret_command import SecretCommand, assert_error

PATH = "realms/shop/prod.sops.yaml"
DOTENV = f"""\
# from the old host
export API_KEY={CANARY}-api
PEM="-----BEGIN X-----
{CANARY}
-----END X-----
"
ORDER_PREFIX=0071
"""


@pytest.fixture
def arcan(secret_command: SecretCommand) -> SecretCommand:
    return secret_command


def test_all_keys_of_a_file_are_set_and_named(arcan: SecretCommand) -> None:
    (arcan.folder / ".env").write_text(DOTENV)
    before = arcan.path.read_text().splitlines()
    result = arcan("import", "shop", ".env", "--env=prod")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"arcan: set 3 key(s) in {PATH}: API_KEY, PEM, ORDER_PREFIX\n"
    seen = arcan.seen_by_sops()
    assert seen["API_KEY"] == f"{CANARY}-api"
    assert seen["PEM"] == f"-----BEGIN X-----\n{CANARY}\n-----END X-----\n"
    assert seen["ORDER_PREFIX"] == "0071"
    assert list(seen) == ["DATABASE_URL", "PORT", "LIMITS", "API_KEY", "PEM", "ORDER_PREFIX"]
    gone = [line.split(":")[0].strip() for line in before if line not in arcan.path.read_text().splitlines()]
    assert [name for name in gone if name != "lastmodified"] == ["mac"]


@pytest.mark.parametrize(
    ("text", "format"),
    [
        (json.dumps({"A": "x", "N": 5432, "B": True}), None),
        ("A: x\nN: 5432\nB: true\n", None),
        ("A: x\nN: 5432\nB: true\n", "yaml"),
    ],
)
def test_standard_input_keeps_the_types_of_json_and_yaml(
    text: str, format: str | None, arcan: SecretCommand
) -> None:
    options = ["--format", format] if format else []
    assert arcan("import", "shop", "-", "--env=prod", *options, stdin=text.encode()).status == 0
    seen = arcan.seen_by_sops()
    assert [seen["A"], seen["N"], seen["B"]] == ["x", 5432, True]


def test_a_kubernetes_secret_is_imported_as_text(arcan: SecretCommand) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "data": {"tls.key": "eAo="}, "stringData": {"b": "y"}}
    assert arcan("import", "shop", "-", "--env=prod", stdin=json.dumps(manifest).encode()).status == 0
    seen = arcan.seen_by_sops()
    assert [seen["tls.key"], seen["b"]] == ["x\n", "y"]


def test_keys_that_are_there_are_replaced_only_when_asked_to(arcan: SecretCommand) -> None:
    text = b"NEW=x\nPORT=1\nDATABASE_URL=y\n"
    before = arcan.path.read_bytes()
    result = arcan("import", "shop", "-", "--env=prod", stdin=text)
    assert_error(result, f"{PATH}: PORT, DATABASE_URL: there already; nothing was changed", "--replace")
    assert arcan.path.read_bytes() == before
    assert arcan("import", "shop", "-", "--env=prod", "--replace", stdin=text).status == 0
    seen = arcan.seen_by_sops()
    assert [seen["NEW"], seen["PORT"], seen["DATABASE_URL"]] == ["x", "1", "y"]
    result = arcan("import", "shop", "-", "--env=prod", "--replace", stdin=text)
    assert result.err == f"arcan: unchanged: {PATH}\n"


def test_one_bad_key_stops_all_and_every_one_is_named(arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    values = {"GOOD": CANARY, "db/password": CANARY, "a b": CANARY}
    result = arcan("import", "shop", "-", "--env=prod", stdin=json.dumps(values).encode())
    assert_error(
        result, "standard input: 2 key(s) cannot be imported; nothing was changed",
        "'db/password' is not a valid key name", "--map 'db/password=db_password'", "--map 'a b=a_b'",
    )  # fmt: skip
    text = f"GOOD={CANARY}\nEMPTY=\nX_unencrypted={CANARY}\n".encode()
    result = arcan("import", "shop", "-", "--env=prod", stdin=text)
    assert_error(
        result, "2 key(s) cannot be imported", "'EMPTY': would be empty", "'X_unencrypted': would be written"
    )
    assert arcan.path.read_bytes() == before


def test_names_can_be_mapped(arcan: SecretCommand) -> None:
    text = json.dumps({"db/password": "x", "a=b": "y", "KEPT": "z"}).encode()
    result = arcan(
        "import", "shop", "-", "--env=prod", "--map=db/password=DB_PASSWORD", "--map", "a=b=AB", stdin=text
    )
    assert result.status == 0, result.err
    assert list(arcan.seen_by_sops())[3:] == ["DB_PASSWORD", "AB", "KEPT"]
    where = ("import", "shop", "-", "--env=prod")
    assert_error(arcan(*where, "--map=db/pass=X", stdin=text), "has no key 'db/pass'", "'db/password'?")
    assert_error(
        arcan(*where, "--map=db/password=KEPT", "--map=a=b=X", stdin=text), "two keys would be named 'KEPT'"
    )
    assert_error(
        arcan(*where, "--map=db/password=a/b", stdin=text), "'a/b' is not a valid key name", status=2
    )
    assert_error(arcan(*where, "--map=x", stdin=text), "'x' is not OLD=NEW", status=2)


def test_the_hint_for_a_name_is_one_word_of_a_shell_whatever_is_in_it(arcan: SecretCommand) -> None:
    name = "a'; touch pwned; '"
    result = arcan("import", "shop", "-", "--env=prod", stdin=json.dumps({name: CANARY}).encode())
    assert_error(result, "is not a valid key name")
    [hint] = [line for line in result.err.splitlines() if "--map" in line]
    assert shlex.split(hint.partition("give it a name: ")[2]) == ["--map", f"{name}=a_touch_pwned_"]


def test_a_dry_run_lists_the_names_and_changes_nothing(arcan: SecretCommand) -> None:
    before = arcan.path.read_bytes()
    text = f"NEW={CANARY}\nPORT={CANARY}\n".encode()
    result = arcan("import", "shop", "-", "--env=prod", "--dry-run", "--replace", stdin=text)
    assert (result.status, result.out) == (0, "NEW\nPORT\n")
    assert result.err == f"arcan: would set 2 key(s) in {PATH}, 1 of which are there already\n"
    assert arcan.path.read_bytes() == before
    assert_error(arcan("import", "shop", "-", "--env=prod", "--dry-run", stdin=text), "PORT: there already")


def test_a_file_that_is_too_large_or_unreadable_is_refused(arcan: SecretCommand) -> None:
    (arcan.folder / "large.env").write_bytes(b"A=" + b"x" * (8 * 1024 * 1024))
    assert_error(
        arcan("import", "shop", "large.env", "--env=prod"), "large.env: has more than the 8388608 bytes"
    )
    assert_error(arcan("import", "shop", "none.env", "--env=prod"), "none.env: cannot be read: No such file")


def test_the_values_are_in_no_output_and_no_file_but_the_one_that_was_imported(arcan: SecretCommand) -> None:
    (arcan.folder / ".env").write_text(DOTENV)
    shown = [
        arcan("import", "shop", ".env", "--env=prod", *more)
        for more in (["--dry-run"], [], ["--replace"], [])
    ]
    assert all(CANARY not in result.out + result.err for result in shown)
    assert arcan.files_with(CANARY) == [arcan.folder / ".env"]
