"""`arcan import vault`: every field of every secret below a path becomes a key, and a second run finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.import_command import ImportCommand
from tests.support.key_value_vault import TOKEN, KeyValueVault
from tests.support.realm_files import CANARY
from tests.support.secret_command import assert_error

SECRETS = {
    "myapp": {"api-key": f"{CANARY}-api"},
    "myapp/db": {"username": "shop", "password": f"{CANARY}-db", "port": 5432, "tls": True},
    "myapp/a b/c": {"x y": f"{CANARY}-odd"},
    "other": {"key": f"{CANARY}-other"},
}
WHOLE = {
    "myapp.api-key": f"{CANARY}-api",
    "myapp.a_b.c.x_y": f"{CANARY}-odd",
    "myapp.db.password": f"{CANARY}-db",
    "myapp.db.port": "5432",
    "myapp.db.tls": "true",
    "myapp.db.username": "shop",
    "other.key": f"{CANARY}-other",
}


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


@pytest.fixture(params=[1, 2])
def vault(
    request: pytest.FixtureRequest, arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KeyValueVault]:
    with KeyValueVault(secrets=dict(SECRETS), version=request.param) as vault:
        monkeypatch.setenv("VAULT_ADDR", vault.address)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        yield vault


def test_everything_below_a_mount_lands_in_a_new_document(arcan: ImportCommand, vault: KeyValueVault) -> None:
    result = arcan("vault")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == WHOLE
    assert "imported  myapp/a b/c#x y -> myapp.a_b.c.x_y (renamed)\n" in result.out
    assert "imported  myapp/db#port -> myapp.db.port (is now a text)\n" in result.out
    assert "7 imported, 1 renamed" in result.err
    assert f"reading Vault {vault.address}, secret" in result.err


def test_a_path_is_no_part_of_the_names(arcan: ImportCommand, vault: KeyValueVault) -> None:
    result = arcan("vault", "--path=/myapp/", "--map", "myapp/db#password=DATABASE_PASSWORD")
    assert result.status == 0, result.err
    assert set(arcan.seen_by_sops()) == {
        "api-key", "a_b.c.x_y", "db.port", "db.tls", "db.username", "DATABASE_PASSWORD",
    }  # fmt: skip


def test_a_second_run_changes_nothing_and_a_third_takes_what_is_new(
    arcan: ImportCommand, vault: KeyValueVault
) -> None:
    assert arcan("vault").status == 0
    before = arcan.path.read_bytes()
    again = arcan("vault", VAULT_TOKEN=TOKEN)
    assert (again.status, arcan.path.read_bytes()) == (0, before)
    assert "7 unchanged" in again.err
    vault.secrets["new"] = {"key": f"{CANARY}-new"}
    third = arcan("vault", VAULT_TOKEN=TOKEN)
    assert (third.status, arcan.seen_by_sops()) == (0, {**WHOLE, "new.key": f"{CANARY}-new"})
    assert "1 imported, 7 unchanged" in third.err
    kept = [line for line in before.splitlines() if b"ENC[" in line and b"mac" not in line]
    assert set(kept) <= set(arcan.path.read_bytes().splitlines())


def test_another_value_is_kept_unless_it_is_to_be_replaced(
    arcan: ImportCommand, vault: KeyValueVault
) -> None:
    assert arcan("vault").status == 0
    before = arcan.path.read_bytes()
    vault.secrets["other"] = {"key": f"{CANARY}-changed"}
    kept = arcan("vault", VAULT_TOKEN=TOKEN)
    assert (kept.status, arcan.path.read_bytes()) == (1, before)
    assert (
        "failed    other#key -> other.key (the document has another value (--replace replaces it))"
        in kept.out
    )
    replaced = arcan("vault", "--replace", VAULT_TOKEN=TOKEN)
    assert replaced.status == 0
    assert arcan.seen_by_sops()["other.key"] == f"{CANARY}-changed"


def test_a_dry_run_writes_nothing_and_needs_no_identity(
    arcan: ImportCommand, vault: KeyValueVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    result = arcan("vault", "--dry-run", "--format=json")
    assert (result.status, arcan.files.root.exists()) == (0, False)
    report = json.loads(result.out)
    assert report["dryRun"]
    assert report["complete"]
    assert report["counts"] == {"imported": 7, "unchanged": 0, "skipped": 0, "failed": 0}
    assert {one["key"] for one in report["values"]} == set(WHOLE)
    renamed = [one for one in report["values"] if one["renamed"]]
    assert [(one["path"], one["field"]) for one in renamed] == [("myapp/a b/c", "x y")]


def test_what_the_token_may_not_read_is_told_of_and_the_rest_lands(
    arcan: ImportCommand, vault: KeyValueVault
) -> None:
    vault.forbidden = {"myapp/db", "myapp/a b"}
    result = arcan("vault")
    assert result.status == 1
    assert "failed    myapp/db (cannot be read: permission denied (403))" in result.out
    assert "failed    myapp/a b/ (cannot be listed: permission denied (403))" in result.out
    assert set(arcan.seen_by_sops()) == {"myapp.api-key", "other.key"}


def test_what_was_read_before_vault_broke_is_kept_and_the_next_run_goes_on(
    arcan: ImportCommand, vault: KeyValueVault
) -> None:
    vault.broken = {"other"}
    result = arcan("vault")
    assert result.status == 1
    assert "other: cannot be read: InternalServerError" in result.err
    assert "run the command again" in result.err
    assert set(arcan.seen_by_sops()) == set(WHOLE) - {"other.key"}
    vault.broken = set()
    assert arcan("vault", VAULT_TOKEN=TOKEN).status == 0
    assert arcan.seen_by_sops() == WHOLE


def test_values_that_no_realm_can_have_are_skipped(arcan: ImportCommand, vault: KeyValueVault) -> None:
    vault.secrets = {"a": {"null": None, "empty": "", "huge": "x" * (1024 * 1024 + 1), "list": [CANARY, 1]}}
    result = arcan("vault")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == {"a.list": f'["{CANARY}",1]'}
    assert "skipped   a#null (is null, which has no text)" in result.out
    assert "skipped   a#empty -> a.empty (is empty" in result.out
    assert "skipped   a#huge -> a.huge (has more than" in result.out


def test_two_values_never_share_a_key(arcan: ImportCommand, vault: KeyValueVault) -> None:
    vault.secrets = {"a": {"b.c": f"{CANARY}-1"}, "a/b": {"c": f"{CANARY}-2"}, "x": {"y": "z"}}
    result = arcan("vault")
    assert (result.status, arcan.seen_by_sops()) == (1, {"x.y": "z"})
    assert "would be named like a/b#c: name one of them, --map 'a#b.c=KEY'" in result.out
    assert arcan("vault", "--map", "a#b.c=A", VAULT_TOKEN=TOKEN).status == 0
    assert arcan.seen_by_sops() == {"x.y": "z", "A": f"{CANARY}-1", "a.b.c": f"{CANARY}-2"}


def test_a_deleted_secret_is_skipped(arcan: ImportCommand, vault: KeyValueVault) -> None:
    vault.version, vault.secrets["other"] = 2, None
    result = arcan("vault")
    assert result.status == 0, result.err
    assert "skipped   other (its newest version is deleted)" in result.out


@pytest.mark.parametrize("options", [["--mount=none"], ["--path=nowhere"]])
def test_a_place_where_nothing_is_is_an_error(
    options: list[str], arcan: ImportCommand, vault: KeyValueVault
) -> None:
    result = arcan("vault", *options)
    assert_error(result, "arcan: error: Vault http://127.0.0.1", "--mount")
    assert not arcan.files.root.exists()


def test_the_token_of_vault_login_is_taken(
    arcan: ImportCommand, vault: KeyValueVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    assert_error(arcan("vault"), "no token for Vault", "vault login")
    (arcan.folder / ".vault-token").write_text(f"{TOKEN}\n")
    assert arcan("vault").status == 0


def test_plain_http_over_a_network_is_refused(arcan: ImportCommand) -> None:
    result = arcan("vault", VAULT_ADDR="http://vault.example.com:8200", VAULT_TOKEN=TOKEN)
    assert_error(result, "VAULT_ADDR: vault.example.com is asked over plain http")


def test_a_server_that_is_not_there_is_an_error_without_its_text(arcan: ImportCommand) -> None:
    result = arcan("vault", VAULT_ADDR="http://127.0.0.1:9", VAULT_TOKEN=TOKEN)
    assert_error(result, "the mount cannot be read: ConnectionError", "check VAULT_ADDR")


def test_a_document_without_a_rule_is_refused_before_vault_is_asked(
    arcan: ImportCommand, vault: KeyValueVault
) -> None:
    (arcan.folder / ".sops.yaml").write_text("creation_rules:\n  - path_regex: ^elsewhere/\n    age: x\n")
    result = arcan("vault")
    assert result.status == 1
    assert vault.requests == []


def test_a_secret_that_apps_read_as_json_stays_in_one_piece(
    arcan: ImportCommand, vault: KeyValueVault
) -> None:
    Path("es.yaml").write_text("""\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: shop, namespace: shop}
spec:
  data: [{secretKey: db.json, remoteRef: {key: secret/myapp/db}}]
""")
    split = arcan("vault", "--external-secrets=es.yaml", "--dry-run")
    assert (split.status, "which is several keys now: import it in one piece, --whole" in split.out) == (
        1,
        True,
    )
    result = arcan("vault", "--whole=myapp/db", "--external-secrets=es.yaml", VAULT_TOKEN=TOKEN)
    assert result.status == 0, result.err
    assert json.loads(arcan.seen_by_sops()["myapp.db"]) == SECRETS["myapp/db"]
    assert "- key: myapp.db\n    as: db.json\n" in Path("kustomize/apps/shop.yaml").read_text()
    assert "next: 'arcan generate overlays'" in result.err
