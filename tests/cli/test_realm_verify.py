"""`arcan realm verify`: what is said of each document, and the exit status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from arcan_gitops.realms import DocumentFile, RealmTree
from arcan_gitops.realms.verifying import Verified
from arcan_gitops.sops import Identities
from tests.cases import CASES
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import sops_binary


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    command = RealmCommand(tmp_path, monkeypatch, capsys)
    command.write("shop", to="alice bob")
    command.write("shop", "staging", to="bob")
    return command


def tamper(path: Path) -> None:
    """Delete a key, which takes no key."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(b"B:")))


def test_all_that_can_be_opened_is_verified(arcan: RealmCommand) -> None:
    result = arcan("verify", held="bob")
    assert (result.status, result.out) == (0, "shop/prod     verified\nshop/staging  verified\n")
    assert result.err.startswith("arcan: 2 verified, 0 not opened, 0 failed\narcan: 2 bound to no place")


def test_what_is_not_opened_is_said_with_the_reason(arcan: RealmCommand) -> None:
    result = arcan("verify", held="alice")
    assert result.status == 0
    assert "shop/staging  not opened\n  realms/shop/staging.sops.yaml: no identity opens it" in result.out
    assert "1 verified, 1 not opened, 0 failed" in result.err
    assert "the MAC of what was not opened was not checked" in result.err
    assert arcan("verify", "--require-mac", held="alice").status == 1
    assert arcan("verify", "shop", "--env", "prod", "--require-mac", held="alice").status == 0


def test_without_an_identity_it_says_that_no_mac_was_checked(arcan: RealmCommand) -> None:
    result = arcan("verify")
    assert (result.status, result.out) == (0, "shop/prod     not opened\nshop/staging  not opened\n")
    assert "no MAC was checked, so that tampering would not show: no age identity" in result.err
    assert "hint: " in result.err
    assert arcan("verify", "--require-mac").status == 1


def test_a_document_that_was_tampered_with_fails(arcan: RealmCommand) -> None:
    tamper(arcan.path("shop"))
    assert arcan("verify").status == 0
    result = arcan("verify", held="bob")
    assert result.status == 1
    assert "shop/prod     failed\n  realms/shop/prod.sops.yaml: the MAC does not match" in result.out
    assert "  hint: restore the file from Git" in result.out
    assert "shop/staging  verified" in result.out
    assert arcan("verify", "shop", "--env", "staging", held="bob").status == 0


def test_structure_fails_without_an_identity(arcan: RealmCommand) -> None:
    arcan.path("shop").write_text("A: in clear\n")
    (arcan.folder / "realms" / "shop" / "notes.txt").touch()
    result = arcan("verify")
    assert result.status == 1
    assert "shop/prod     failed\n  realms/shop/prod.sops.yaml: not encrypted" in result.out
    assert "notes.txt: not a document" in result.out
    assert "0 verified, 1 not opened, 2 failed" in result.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("shpo",), "there is no realm 'shpo'\narcan: hint: did you mean 'shop'?"),
        (("shop", "--env", "prd"), "did you mean 'prod'?"),
        (("--env", "prd"), "no realm has an environment 'prd'\narcan: hint: did you mean 'prod'?"),
        (("--identity-file", "nobody.key"), "nobody.key: cannot be read"),
        (("--realms", "nowhere"), "nowhere: cannot be read"),
    ],
)
def test_what_is_not_there_is_an_error(arguments: tuple[str, ...], says: str, arcan: RealmCommand) -> None:
    result = arcan("verify", *arguments)
    assert result.status == 1
    assert says in result.err


def test_keys_that_are_not_native_are_named_and_what_would_open_them(arcan: RealmCommand) -> None:
    path = arcan.path("shop")
    key = f"created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: {'A' * 40}"
    pgp = f"    pgp:\n        - {key}\n".encode()
    path.write_bytes(path.read_bytes().replace(b"sops:\n", b"sops:\n" + pgp))
    result = arcan("verify", "shop", "--env", "prod", held="ci")
    assert result.status == 0
    assert "shop/prod  not opened\n" in result.out
    assert "--sops-binary" in result.out
    assert arcan("verify", "shop", "--env", "prod", held="alice").out == "shop/prod  verified\n"


def test_identities_that_only_the_binary_can_use_are_handed_to_it(
    arcan: RealmCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held alone, they are no reason to go without: a post-quantum document was never opened so."""
    (arcan.folder / "pq.key").touch(0o600)
    (arcan.folder / "pq.key").write_bytes((CASES / "sops" / "pq" / "identity.txt").read_bytes())
    handed: list[Identities | None] = []

    def verify(
        tree: RealmTree,
        documents: Sequence[DocumentFile],
        identities: Identities | None,
        *others: object,
        **more: object,
    ) -> Iterator[Verified]:
        handed.append(identities)
        return iter(())

    monkeypatch.setattr("arcan_gitops.cli.realm_verify.verify_documents", verify)
    arcan("verify", "--sops-binary", sops_binary(), "--allow-key-type", "age-pq", held="pq")
    [identities] = handed
    assert identities is not None
    assert len(identities.others) == 1
