"""Documents are verified as the server would load them: structure without keys, the MAC with keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.verifying import Verdict, Verified, verify
from arcan_gitops.sops import ANY_VALUES, Identities, Limits, NoMatchingIdentity, Tampered, encrypt
from tests.support.realm_files import CANARY, RealmFiles, new_identity


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"DATABASE_URL: {CANARY}\nOTHER: x\n")
    return files


def verified(files: RealmFiles, *identities: str) -> list[Verified]:
    tree = RealmTree(files.root)
    held = Identities(identities) if identities else None
    found = list(verify(tree, tree.documents(), held))
    assert CANARY not in repr([(each, each.reason and each.reason.message) for each in found])
    return found


def verdict(files: RealmFiles, *identities: str) -> Verified:
    [found] = verified(files, *identities)
    return found


def test_with_the_key_the_mac_is_checked(files: RealmFiles) -> None:
    assert verdict(files, files.identity).verdict is Verdict.VERIFIED
    files.tamper(files.path("shop", "prod"), "OTHER")
    found = verdict(files, files.identity)
    assert found.verdict is Verdict.FAILED
    assert isinstance(found.reason, Tampered)


def test_without_any_key_nothing_is_called_verified(files: RealmFiles) -> None:
    files.tamper(files.path("shop", "prod"), "OTHER")
    found = verdict(files)
    assert (found.verdict, found.reason) == (Verdict.UNOPENED, None)


def test_with_another_key_the_reason_is_said(files: RealmFiles) -> None:
    found = verdict(files, new_identity()[0])
    assert found.verdict is Verdict.UNOPENED
    assert isinstance(found.reason, NoMatchingIdentity)
    assert files.recipient in found.reason.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"A: {CANARY}\n".encode(), "not encrypted"),
        (b"<<<<<<< HEAD\n", "line 1"),
        (b"", "line 1: is empty"),
    ],
)
def test_structure_is_checked_without_any_key(files: RealmFiles, data: bytes, said: str) -> None:
    files.replace(files.path("shop", "prod"), data)
    found = verdict(files)
    assert found.verdict is Verdict.FAILED
    assert found.reason is not None
    assert found.reason.message.startswith(f"{files.path('shop', 'prod')}: ")
    assert said in found.reason.message


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ({"a b": CANARY}, "'a b' is not a valid key name"),
        ({"A": CANARY, "b_unencrypted": "x"}, "is in clear"),
        ({"A": CANARY, "B": ""}, "is empty"),
    ],
)
def test_what_the_server_would_refuse_fails_with_and_without_a_key(
    files: RealmFiles, plain: dict[str, str], said: str
) -> None:
    data = encrypt(plain, recipients=[files.recipient], limits=ANY_VALUES)
    files.replace(files.path("shop", "prod"), data)
    for identities in ((), (files.identity,)):
        found = verdict(files, *identities)
        assert found.verdict is Verdict.FAILED
        assert found.reason is not None
        assert said in found.reason.message


def test_an_encrypted_kubernetes_secret_is_told_as_what_it_is(files: RealmFiles) -> None:
    plain = {"apiVersion": "v1", "kind": "Secret", "stringData": {"URL": CANARY}}
    data = encrypt(
        plain, recipients=[files.recipient], rule=("encrypted_regex", "^stringData$"), limits=ANY_VALUES
    )
    files.replace(files.path("shop", "prod"), data)
    for identities in ((), (files.identity,)):
        reason = verdict(files, *identities).reason
        assert reason is not None
        assert "is an encrypted Kubernetes Secret" in reason.message
        assert "arcan import sops shop " in str(reason.hint)


def test_what_only_the_key_shows_fails_with_it(files: RealmFiles) -> None:
    """An infinity has no text that could be served."""
    data = encrypt({"A": float("inf")}, recipients=[files.recipient])
    files.replace(files.path("shop", "prod"), data)
    assert verdict(files).verdict is Verdict.UNOPENED
    assert verdict(files, files.identity).verdict is Verdict.FAILED


def test_realm_yaml_allows_what_it_allows(files: RealmFiles) -> None:
    data = encrypt({"A": "x", "B": ""}, recipients=[files.recipient], limits=Limits(allow_empty=("B",)))
    files.replace(files.path("shop", "prod"), data)
    (files.root / "shop" / "realm.yaml").write_text("allowEmpty: [B]\n")
    assert verdict(files, files.identity).verdict is Verdict.VERIFIED
    (files.root / "shop" / "realm.yaml").write_text("allowEmpty: nonsense\n")
    assert verdict(files, files.identity).verdict is Verdict.FAILED


def test_one_bad_document_does_not_hide_the_others(files: RealmFiles) -> None:
    files.write("shop", "staging", "A: x\n", recipient=new_identity()[1])
    files.write("platform", "prod", "A: x\n")
    files.replace(files.path("shop", "prod"), b"nonsense")
    found = {
        f"{each.document.realm}/{each.document.environment}": each.verdict
        for each in verified(files, files.identity)
    }
    assert found == {
        "platform/prod": Verdict.VERIFIED,
        "shop/prod": Verdict.FAILED,
        "shop/staging": Verdict.UNOPENED,
    }
