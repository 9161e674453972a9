"""`arcan realm bind`: documents come to say where they belong; a copy never becomes the real one by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.sops import Identities
from tests.support.realm_command import RealmCommand
from tests.support.realm_files import CANARY


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RealmCommand:
    arcan = RealmCommand(tmp_path, monkeypatch, capsys)
    arcan.rules(shop="alice", other="alice")
    return arcan


def place(arcan: RealmCommand, path: Path) -> str | None:
    return sops.load(path.read_bytes(), identities=Identities([arcan.people["alice"][0]])).place


def test_documents_of_a_realm_are_bound_and_keep_their_versions(arcan: RealmCommand) -> None:
    prod, staging = arcan.write("shop", to="alice"), arcan.write("shop", "staging", to="alice")
    before = sops.digests(prod.read_bytes())
    result = arcan("bind", "shop", held="alice")
    assert (result.status, result.out) == (
        0,
        "shop/prod: bound to its place\nshop/staging: bound to its place\n",
    )
    assert (place(arcan, prod), place(arcan, staging)) == ("shop/prod", "shop/staging")
    assert sops.digests(prod.read_bytes()) == before
    assert arcan.values(prod, "alice") == {"A": CANARY, "B": CANARY}
    again = arcan("bind", "--all", held="alice")
    assert "shop/prod: was bound already" in again.out
    assert arcan("verify", "--require-binding", held="alice").status == 0


def test_what_creates_a_document_binds_it(arcan: RealmCommand) -> None:
    assert (
        arcan("create", "shop", "--env", "prod", "--layout=document", "--key", "A", "--generate").status == 0
    )
    assert place(arcan, arcan.path("shop")) == "shop/prod"


def test_a_document_of_another_place_is_refused_by_every_command(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice")
    assert arcan("bind", "shop", held="alice").status == 0
    copy = arcan.path("other", "stolen")
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    before = arcan.state()
    for command in (("rotate", "other"), ("bind", "other"), ("verify", "other")):
        result = arcan(*command, held="alice")
        assert result.status == 1
        said = result.out + result.err
        assert "belongs at shop/prod, not at other/stolen" in said
        assert "arcan realm bind other --env stolen --from shop/prod" in said
    assert arcan.state() == before


def test_a_document_that_was_moved_is_bound_anew_where_that_is_said(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice")
    assert arcan("bind", "shop", held="alice").status == 0
    moved = path.rename(arcan.path("shop", "live"))
    wrong = arcan("bind", "shop", "--env", "live", "--from", "shop/staging", held="alice")
    assert wrong.status == 1
    result = arcan("bind", "shop", "--env", "live", "--from", "shop/prod", held="alice")
    assert (result.status, place(arcan, moved)) == (0, "shop/live")


def test_binding_all_makes_no_copy_the_real_one(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice")
    copy = arcan.path("other", "stolen")
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    result = arcan("bind", "--all", held="alice")
    assert result.status == 1
    assert "other/stolen: is bound to no place, and has the data key of shop/prod" in result.err
    assert place(arcan, copy) is None
    copy.unlink()
    assert arcan("bind", "shop", held="alice").status == 0
    copy.write_bytes(path.read_bytes().replace(b"shop", b"shop"))
    unbound = sops.load(path.read_bytes(), identities=Identities([arcan.people["alice"][0]]))
    assert unbound.place == "shop/prod"


def test_a_rule_that_would_leave_it_in_clear_is_refused_with_the_rule_to_write(arcan: RealmCommand) -> None:
    config = arcan.folder / ".sops.yaml"
    rules = config.read_text()
    config.write_text(rules.replace("    age: [*alice]", "    age: [*alice]\n    encrypted_regex: ^[A-Z]"))
    refused = arcan("create", "shop", "--env", "prod", "--layout=document", "--key", "A", "--generate")
    assert refused.status == 1
    assert "encrypted_regex: '(^[A-Z])|^arcan_place$'" in refused.err
    assert not arcan.path("shop").exists()
    arcan.write("shop", to="alice")
    config.write_text(rules)
    assert arcan("bind", "shop", held="alice").status == 0


def test_unbound_documents_are_told_and_can_be_required(arcan: RealmCommand) -> None:
    arcan.write("shop", to="alice")
    result = arcan("verify", held="alice")
    assert result.status == 0
    assert "1 bound to no place" in result.err
    required = arcan("verify", "--require-binding", held="alice")
    assert required.status == 1
    assert "arcan realm bind shop --env prod" in required.out + required.err


def test_a_realm_can_require_it_and_never_less(arcan: RealmCommand) -> None:
    path = arcan.write("shop", to="alice")
    settings = path.with_name("realm.yaml")
    settings.write_text("binding: required\n")
    checked = arcan("check")
    assert checked.status == 1
    assert "is not bound to its place" in checked.out + checked.err
    assert arcan("verify", held="alice").status == 1
    assert arcan("bind", "shop", held="alice").status == 0
    assert (arcan("check").status, arcan("verify", held="alice").status) == (0, 0)
    settings.write_text("binding: optional\n")
    assert arcan("check").status == 1


def test_an_identity_can_be_limited_to_a_realm(arcan: RealmCommand) -> None:
    arcan.write("shop", to="alice")
    arcan.write("other", to="alice")
    result = arcan("verify", "--identity-file", "alice.key=shop")
    assert "shop/prod   verified" in result.out
    assert "other/prod  not opened" in result.out
    one = arcan(
        "verify", "--identity-file", "alice.key=other/staging", "--identity-file", "alice.key=other/prod"
    )
    assert "other/prod  verified" in one.out
    bad = arcan("verify", "--identity-file", "alice.key=Not A Realm")
    assert bad.status == 1
    assert "FILE=REALM/ENVIRONMENT" in bad.err
    (arcan.folder / "alice.key").rename(arcan.folder / "alice.key=shop")
    named = arcan("verify", "--identity-file", "alice.key=shop")
    assert "other/prod  verified" in named.out
