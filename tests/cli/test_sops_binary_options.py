"""The options of the getsops binary: what cannot be meant is told of at once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from arcan_gitops.cli.serve import serve
from arcan_gitops.cli.sops_binary import document_opener
from arcan_gitops.errors import ArcanError
from tests.support.crafting import as_yaml, craft
from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY, RealmFiles
from tests.support.vault import TOKEN, FakeVault

ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("binary", "types", "addresses", "said"),
    [
        ("/nonexistent/sops", [], [], "--sops-binary: /nonexistent/sops: there is no such program"),
        ("no-such-program", [], [], "no-such-program: there is no such program"),
        ("/", [], [], "no such program"),
        ("sops", ["kms"], [], "'kms' is allowed without an address"),
        ("sops", [], [ARN], "not an address of an allowed key type"),
    ],
)
def test_what_allows_nothing_is_an_error(
    binary: str, types: list[str], addresses: list[str], said: str
) -> None:
    with pytest.raises(ArcanError, match=said) as caught:
        document_opener(binary, tuple(types), tuple(addresses))
    assert caught.value.hint


def test_allowing_something_takes_the_binary() -> None:
    for given in ((("pgp",), ()), (("kms",), (ARN,))):
        with pytest.raises(click.UsageError, match="need --sops-binary"):
            document_opener(None, *given)


def test_an_unknown_key_type_is_wrong_usage() -> None:
    done = CliRunner().invoke(serve, ["--sops-binary", "sops", "--allow-key-type", "gpg"])
    assert done.exit_code == 2
    assert "'gpg' is not one of 'kms'" in done.output


def test_without_options_nothing_is_handed_over() -> None:
    opener = document_opener(None, (), ())
    assert opener.binary is None
    assert not opener.allowed.types


def test_confidential_variables_go_to_the_binary_and_leave_our_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("VAULT_TOKEN", "untouched")
    opener = document_opener("sops", ("kms", "pgp"), (ARN,))
    assert opener.binary is not None
    assert opener.binary.path.is_absolute()
    assert opener.binary.environment["AWS_SECRET_ACCESS_KEY"] == CANARY
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ
    assert os.environ["VAULT_TOKEN"] == "untouched"
    assert os.environ["PATH"] == opener.binary.environment["PATH"]
    assert CANARY not in repr(opener)


def test_get_and_verify_read_what_the_binary_opens_and_edits_are_refused(tmp_path: Path) -> None:
    files = RealmFiles(tmp_path / "git")
    path = files.path("shop", "prod")
    path.parent.mkdir()
    with FakeVault() as vault:
        key = bytes(32)
        tree = craft({"A": (CANARY.encode(), "str")}, [], key=key, age=None, hc_vault=[vault.wrap(key)])
        files.replace(path, as_yaml(tree))
        options = [
            "--sops-binary",
            "sops",
            "--allow-key-type",
            "hc_vault",
            "--allow-key-address",
            vault.address,
        ]
        target = ["shop", "A", "--env", "prod", "--realms", str(files.root)]

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            environment = {**os.environ, "HOME": str(tmp_path), "VAULT_TOKEN": TOKEN}
            return subprocess.run(
                [*ARCAN, *arguments], env=environment, input="x", capture_output=True, text=True, check=False
            )

        assert run("secret", "get", *target, *options).stdout == CANARY
        assert run("realm", "verify", "--realms", str(files.root), *options).stdout == "shop/prod  verified\n"
        calls = len(vault.calls)
        identity = ["--identity-file", str(files.identity_file)]
        refused = run("secret", "get", *target, *identity)
        assert f"give {' '.join(['--sops-binary PATH', *options[2:]])}" in refused.stderr
        refused = run("secret", "set", *target, "--stdin", *identity)
        assert "it could be opened by hc_vault, which is not done natively" in refused.stderr
        assert f"'sops edit {files.path('shop', 'prod')}' changes it" in refused.stderr
        assert len(vault.calls) == calls
