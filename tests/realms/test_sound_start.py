"""A start beside a bad document: what is sound is served, and the last good documents stand in for the bad."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import (
    Demands,
    Keeping,
    KeptDocuments,
    RealmTree,
    Repository,
    Selection,
    Snapshot,
)
from arcan_gitops.realms.editing import edit_document
from arcan_gitops.sops import Identities
from tests.support.live_server import create_token
from tests.support.realm_files import CANARY, RealmFiles

NOW = 1_800_000_000.0
DAY = 24 * 3600.0
PROD = (RealmName("shop"), EnvironmentName("prod"))


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\nB: b\n")
    files.write("shop", "staging", "A: s\n")
    files.write("platform", "prod", "A: p\n")
    return files


class Machine:
    """A server's view of the realms, with a data directory that outlives it and a clock of its own."""

    def __init__(self, files: RealmFiles) -> None:
        self.files = files
        self.now = NOW
        self.folder = files.root.parent / "last-good"

    def server(self, *select: str, binding: bool = False) -> Repository:
        clock = lambda: self.now  # noqa: E731
        return Repository(
            RealmTree(self.files.root),
            Identities([self.files.identity]),
            Selection.parse(select),
            Demands(binding),
            keeping=Keeping(KeptDocuments(self.folder, clock), 7 * DAY, clock),
        )

    def kept(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.sops.yaml"))


@pytest.fixture
def machine(files: RealmFiles) -> Machine:
    return Machine(files)


def value(snapshot: Snapshot, realm: str, environment: str, key: str = "A") -> str | None:
    found = snapshot.environment(RealmName(realm), EnvironmentName(environment))
    return None if found is None else found.values[KeyName(key)].reveal()


def break_document(files: RealmFiles) -> None:
    files.tamper(files.path("shop", "prod"), "B")


def test_a_bad_document_is_not_loaded_and_all_else_is(files: RealmFiles) -> None:
    break_document(files)
    started = Repository(RealmTree(files.root), Identities([files.identity])).start_sound()
    assert started.snapshot.failed == {PROD}
    assert value(started.snapshot, "shop", "prod") is None
    assert value(started.snapshot, "shop", "staging") == "s"
    assert value(started.snapshot, "platform", "prod") == "p"
    assert "shop/prod.sops.yaml: the MAC does not match" in started.problems[0].message


def test_where_nothing_is_sound_it_does_not_start(files: RealmFiles) -> None:
    with pytest.raises(SeveralErrors, match="no identity opens it"):
        Repository(RealmTree(files.root), Identities()).start_sound()
    with pytest.raises(SeveralErrors, match="selects nothing"):
        Repository(
            RealmTree(files.root), Identities([files.identity]), Selection.parse(["nothing"])
        ).start_sound()


def test_a_bad_realm_file_makes_its_own_environments_bad_and_is_told_once(files: RealmFiles) -> None:
    (files.root / "shop" / "realm.yaml").write_text("allowEmpty: {")
    started = Repository(RealmTree(files.root), Identities([files.identity])).start_sound()
    assert {str(name) for _, name in started.snapshot.failed} == {"prod", "staging"}
    assert len(started.problems) == 1
    assert value(started.snapshot, "platform", "prod") == "p"


def test_the_last_good_document_is_served_at_the_next_start_with_its_age(machine: Machine) -> None:
    machine.server().start_sound()
    break_document(machine.files)
    machine.now += 3600
    started = machine.server().start_sound()
    assert value(started.snapshot, "shop", "prod") == CANARY
    assert started.snapshot.failed == frozenset()
    found = started.snapshot.environment(*PROD)
    assert found is not None
    assert found.since == NOW
    assert started.kept == ("shop/prod",)
    assert "the MAC does not match" in started.problems[0].message
    machine.files.write("shop", "prod", "A: mended\n")
    mended = machine.server().start_sound()
    assert (value(mended.snapshot, "shop", "prod"), mended.problems) == ("mended", ())


def test_it_has_an_end_at_a_start_and_while_the_server_runs(machine: Machine) -> None:
    server = machine.server()
    running = server.start_sound().snapshot
    break_document(machine.files)
    running = server.reload(running).snapshot
    machine.now += 7 * DAY
    running = server.reload(running).snapshot
    assert value(running, "shop", "prod") == CANARY
    machine.now += 1
    assert server.reload(running).snapshot.failed == {PROD}
    assert machine.server().start_sound().snapshot.failed == {PROD}


def test_its_age_is_counted_from_when_it_was_last_what_the_files_hold(machine: Machine) -> None:
    server = machine.server()
    running = server.start_sound().snapshot
    machine.now += 6 * DAY
    running = server.reload(running).snapshot
    break_document(machine.files)
    machine.now += 6 * DAY
    assert value(machine.server().start_sound().snapshot, "shop", "prod") == CANARY


@pytest.mark.parametrize("gone", ["document", "realm", "selection"])
def test_what_was_removed_or_is_not_selected_never_comes_back(machine: Machine, gone: str) -> None:
    machine.server().start_sound()
    path = machine.files.path("shop", "prod")
    data = path.read_bytes()
    if gone == "selection":
        assert value(machine.server("*/staging").start_sound().snapshot, "shop", "prod") is None
    else:
        path.unlink()
        if gone == "realm":
            machine.files.path("shop", "staging").unlink()
            path.parent.rmdir()
        started = machine.server().start_sound()
        assert started.snapshot.environment(*PROD) is None
        assert PROD not in started.snapshot.failed
    assert "shop/prod.sops.yaml" not in machine.kept()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    break_document(machine.files)
    assert PROD in machine.server().start_sound().snapshot.failed


def test_a_revoked_token_never_comes_back(machine: Machine) -> None:
    token = create_token(machine.files, "shop", "eso")
    machine.server().start_sound()
    break_document(machine.files)
    (machine.files.root / "shop" / "tokens.yaml").write_text("version: 1\ntokens: []\n")
    with pytest.raises(ArcanError):
        machine.server().start_sound().snapshot.policy.authenticate(token, NOW)


def test_nothing_is_kept_in_clear_and_no_token(machine: Machine) -> None:
    token = create_token(machine.files, "shop", "eso")
    machine.server().start_sound()
    kept = [path for path in machine.folder.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        data = path.read_bytes()
        assert CANARY.encode() not in data
        assert token.encode() not in data
        assert b"tokens" not in data
        assert path.stat().st_mode & 0o077 == 0
    assert machine.folder.stat().st_mode & 0o077 == 0


def test_a_kept_document_is_judged_by_the_rules_that_hold_now(machine: Machine) -> None:
    machine.server().start_sound()
    break_document(machine.files)
    assert PROD in machine.server("shop/prod", "*", binding=False).start_sound().snapshot.names()
    with pytest.raises(SeveralErrors, match="not bound"):
        machine.server(binding=True).start_sound()


def test_beside_a_realm_file_that_cannot_be_read_the_kept_one_counts(machine: Machine) -> None:
    rules = machine.files.root / "shop" / "realm.yaml"
    rules.write_text("allowEmpty: [C]\n")
    machine.files.write("shop", "prod", f"A: {CANARY}\nC: ''\n")
    machine.server().start_sound()
    rules.write_text("allowEmpty: {")
    started = machine.server().start_sound()
    assert value(started.snapshot, "shop", "prod") == CANARY
    assert value(started.snapshot, "shop", "prod", "C") == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b""),
        lambda path: os.replace(path, path.with_name("elsewhere")),
        lambda path: path.write_bytes(path.read_bytes().replace(b"A: ENC", b"X: ENC")),
    ],
)
def test_a_kept_document_that_was_damaged_is_not_served(
    machine: Machine, damage: Callable[[Path], None]
) -> None:
    machine.server().start_sound()
    break_document(machine.files)
    damage(machine.folder / "shop" / "prod.sops.yaml")
    assert machine.server().start_sound().snapshot.failed == {PROD}


def test_a_data_directory_that_takes_nothing_costs_nothing_else(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.folder.write_text("no folder")
    assert len(machine.server().start_sound().snapshot.names()) == 3
    assert caplog.text.count("are not kept for the next start") == 1


def bind(files: RealmFiles, realm: str, environment: str) -> None:
    names = (RealmName(realm), EnvironmentName(environment))
    held = Identities([files.identity])
    edit_document(
        RealmTree(files.root), *names, held, lambda document: document.bind(f"{realm}/{environment}")
    )


def copy(files: RealmFiles) -> Path:
    path = files.path("evil", "stolen")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(files.path("shop", "prod").read_bytes())
    return path


def test_a_copy_never_takes_its_victim_down(machine: Machine) -> None:
    unbound = machine.files.path("shop", "prod").read_bytes()
    bind(machine.files, "shop", "prod")
    copy(machine.files).write_bytes(unbound)
    server = machine.server()
    started = server.start_sound()
    assert value(started.snapshot, "shop", "prod") == CANARY
    assert value(started.snapshot, "evil", "stolen") is None
    assert (
        "evil/stolen: is bound to no place, and has the data key of shop/prod" in started.problems[0].message
    )
    assert server.reload(started.snapshot).snapshot.failed == {(RealmName("evil"), EnvironmentName("stolen"))}


def test_a_copy_that_was_served_is_not_kept_once_its_original_is_bound(machine: Machine) -> None:
    unbound = machine.files.path("shop", "prod").read_bytes()
    copy(machine.files)
    server = machine.server()
    started = server.start_sound()
    assert value(started.snapshot, "evil", "stolen") == CANARY
    told = started.findings[0].message
    assert "evil/stolen" in told
    assert "shop/prod" in told
    bind(machine.files, "shop", "prod")
    after = server.reload(started.snapshot).snapshot
    assert value(after, "evil", "stolen") is None
    assert value(after, "shop", "prod") == CANARY
    machine.files.path("evil", "stolen").write_bytes(unbound)
    assert value(machine.server().start_sound().snapshot, "evil", "stolen") is None


def test_a_copy_over_a_good_document_leaves_what_stood_there(machine: Machine) -> None:
    unbound = machine.files.path("shop", "prod").read_bytes()
    bind(machine.files, "shop", "prod")
    server = machine.server()
    started = server.start_sound()
    machine.files.replace(machine.files.path("shop", "staging"), unbound)
    reload = server.reload(started.snapshot)
    assert value(reload.snapshot, "shop", "staging") == "s"
    assert reload.kept == ("shop/staging",)


def test_where_binding_is_required_no_unbound_document_is_served(machine: Machine) -> None:
    bind(machine.files, "shop", "prod")
    started = machine.server(binding=True).start_sound()
    assert started.snapshot.names() == (PROD,)
    assert len(started.snapshot.failed) == 2
    assert all("is not bound to its place" in each.message for each in started.problems)
