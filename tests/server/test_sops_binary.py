"""A server with the getsops binary behind it: what it opens, whom it never contacts, what it says at its start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.crafting import as_yaml, craft
from tests.support.live_server import ARCAN, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles
from tests.support.vault import TOKEN, FakeVault

KEY = bytes(range(32))
ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    return RealmFiles(tmp_path / "git")


def in_vault(files: RealmFiles, vault: FakeVault, value: str) -> None:
    tree = craft({"A": (value.encode(), "str")}, [], key=KEY, age=None, hc_vault=[vault.wrap(KEY)])
    put(files, "prod", as_yaml(tree))


def put(files: RealmFiles, environment: str, document: bytes) -> None:
    path = files.path("shop", environment)
    path.parent.mkdir(exist_ok=True)
    files.replace(path, document)


def start(
    files: RealmFiles, tmp_path: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A start that is refused."""
    command = [
        *ARCAN,
        "serve",
        "--realms",
        str(files.root),
        "--data-dir",
        str(tmp_path / "data"),
        "--port",
        "0",
        *options,
    ]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_it_serves_what_the_binary_opens_and_contacts_nobody_that_is_not_allowed(
    files: RealmFiles, tmp_path: Path
) -> None:
    with FakeVault() as vault, FakeVault() as foreign:
        files.write("shop", "staging", "B: native\n")
        in_vault(files, vault, CANARY)
        token = create_token(files, "shop", "eso")
        options = (
            "--sops-binary",
            "sops",
            "--allow-key-type",
            "hc_vault",
            "--allow-key-address",
            vault.address,
        )
        with LiveServer(files, tmp_path / "server", *options, VAULT_TOKEN=TOKEN) as server:
            assert server.get("/api/v1/eso/shop/A?env=prod", token).json == {"value": CANARY}
            assert server.get("/api/v1/eso/shop/B?env=staging", token).json == {"value": "native"}
            assert "sops is sops 3.11.0, and may be used for hc_vault" in server.log
            assert vault.calls == [("/v1/transit/decrypt/shop", TOKEN)]
            in_vault(files, vault, "changed")
            server.wait(lambda: server.get("/api/v1/eso/shop/A?env=prod", token).json == {"value": "changed"})
            in_vault(files, foreign, "stolen")
            server.wait_for_log("needs Vault transit")
            assert server.ready()["reload"] == "failed"
            assert server.get("/api/v1/eso/shop/A?env=prod", token).json == {"value": "changed"}
            assert foreign.connections == 0
            pid = server.process.pid
            for each in [pid, *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]:
                assert TOKEN.encode() not in Path(f"/proc/{each}/environ").read_bytes()
        assert f"--allow-key-address {foreign.address}" in server.log
        for secret in (TOKEN, CANARY, "stolen"):
            assert secret not in server.log


def test_a_start_without_it_names_the_key_type_and_all_options_of_every_document(
    files: RealmFiles, tmp_path: Path
) -> None:
    entry = {"arn": ARN, "enc": "x", "created_at": "2026-01-02T03:04:05Z"}
    put(files, "prod", as_yaml(craft({"A": (b"x", "str")}, [], key=KEY, age=None, kms=[entry])))
    put(files, "staging", as_yaml(craft({"A": (b"x", "str")}, [], unencrypted_suffix=None,
        key=KEY, age=None, pgp=[{"fp": "AB" * 20, "enc": "x", "created_at": "2026-01-02T03:04:05Z"}])))  # fmt: skip
    done = start(files, tmp_path, "--identity-file", str(files.identity_file))
    assert "prod.sops.yaml: needs AWS KMS (kms), which takes the getsops binary" in done.stderr
    assert f"give --sops-binary PATH --allow-key-type kms --allow-key-address {ARN}" in done.stderr
    assert "staging.sops.yaml: needs PGP (pgp)" in done.stderr
    assert "give --sops-binary PATH --allow-key-type pgp\n" in done.stderr


def test_a_program_that_is_no_sops_stops_the_start(files: RealmFiles, tmp_path: Path) -> None:
    files.write("shop", "prod", "A: x\n")
    done = start(files, tmp_path, "--identity-file", str(files.identity_file), "--sops-binary", "true")
    assert done.returncode == 1
    assert "not the getsops binary: it does not tell a version" in done.stderr


def test_it_needs_no_age_identity_where_other_key_types_are_allowed_by_variables(
    files: RealmFiles, tmp_path: Path
) -> None:
    with FakeVault() as vault:
        in_vault(files, vault, "x")
        variables = {
            "ARCAN_SOPS_BINARY": "sops",
            "ARCAN_ALLOW_KEY_TYPE": "pgp hc_vault",
            "ARCAN_ALLOW_KEY_ADDRESS": f"https://elsewhere.example {vault.address}",
            "VAULT_TOKEN": TOKEN,
        }
        done = start(files, tmp_path, "--port", str(vault.port), **variables)
        assert "may be used for hc_vault, pgp" in done.stderr
        assert "1 problem(s)" in done.stderr  # a port that is taken, which keeps this test short
        assert "cannot be listened on" in done.stderr
        assert len(vault.calls) == 1
