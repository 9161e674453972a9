"""A reload that knows which documents changed reads those alone, and comes to what one comes to that reads all."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree, Reload, Repository, Snapshot, file_state
from arcan_gitops.realms.layout import DocumentFile
from arcan_gitops.sops import Identities
from tests.support.key_files import put_key
from tests.support.live_server import create_token
from tests.support.realm_files import CANARY, RealmFiles

SHOP, PROD = RealmName("shop"), EnvironmentName("prod")


class World:
    """Realms, and a server that runs on them."""

    def __init__(self, folder: Path) -> None:
        self.files = RealmFiles(folder)
        self.files.write("shop", "prod", f"DATABASE_URL: {CANARY}\nGONE_LATER: g\n")
        self.files.write("shop", "staging", "DATABASE_URL: s\n")
        self.files.write("platform", "prod", "TOKEN: t\n")
        self.token = create_token(self.files, "shop", "eso")
        self.server = self.repository()
        self.running = self.server.load()

    def repository(self) -> Repository:
        return Repository(RealmTree(self.files.root), Identities([self.files.identity]))

    def reload(self, *changed: Path) -> Reload:
        found = self.server.reload(self.running, changed)
        self.running = found.snapshot
        return found

    @property
    def realm(self) -> Path:
        return self.files.root / "shop"


def values(snapshot: Snapshot) -> dict[str, str]:
    environment = snapshot.environment(SHOP, PROD)
    assert environment is not None
    return {key: value.reveal() for key, value in environment.values.items()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def opened(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that are read from here on."""
    read: list[str] = []
    real = DocumentFile.read

    def counted(self: DocumentFile) -> bytes:
        read.append(f"{self.realm}/{self.environment}")
        return real(self)

    monkeypatch.setattr(DocumentFile, "read", counted)
    return read


def test_only_what_is_named_is_read_and_the_revision_is_that_of_all(world: World, opened: list[str]) -> None:
    for at in range(3):
        opened.clear()
        path = world.files.write("shop", "prod", f"DATABASE_URL: {CANARY}{at}\nNEW: n\n")
        found = world.reload(path, path.with_name(".prod.sops.yaml.x1"))
        assert opened == ["shop/prod"]
        assert (found.problems, values(found.snapshot)["DATABASE_URL"]) == ((), f"{CANARY}{at}")
        assert set(values(found.snapshot)) == {"DATABASE_URL", "NEW"}
        whole = world.repository().load()
        assert found.snapshot.revision == whole.revision
        assert found.snapshot.names() == whole.names()
        assert found.snapshot.policy.authenticate(world.token, 0).realm == SHOP  # type: ignore[union-attr]


def test_two_environments_in_one_change_are_both_read(world: World, opened: list[str]) -> None:
    paths = [
        world.files.write(realm, "prod", f"{key}: new\n")
        for realm, key in (("shop", "DATABASE_URL"), ("platform", "TOKEN"))
    ]
    found = world.reload(*paths)
    assert sorted(opened) == ["platform/prod", "shop/prod"]
    assert found.snapshot.revision == world.repository().load().revision


def test_a_named_document_that_is_bad_stays_at_its_last_good_state_until_it_is_mended(world: World) -> None:
    path = world.files.write("shop", "prod", "DATABASE_URL: new\n")
    world.files.tamper(path, "DATABASE_URL")
    found = world.reload(path)
    assert (len(found.problems), found.kept) == (1, ("shop/prod",))
    assert values(found.snapshot)["DATABASE_URL"] == CANARY
    world.files.write("shop", "prod", "DATABASE_URL: mended\n")
    found = world.reload(path)
    assert (found.problems, found.kept) == ((), ())
    assert values(found.snapshot) == {"DATABASE_URL": "mended"}


def test_a_copy_of_another_environment_is_refused_though_only_the_copy_is_named(world: World) -> None:
    world.files.path("shop", "staging").write_bytes(world.files.path("shop", "prod").read_bytes())
    found = world.reload(world.files.path("shop", "staging"))
    told = [str(error) for error in (*found.problems, *found.findings)]
    whole = world.repository().start_sound()
    assert told == [str(error) for error in (*whole.problems, *whole.findings)]


def _a_new_document(world: World) -> Path:
    return world.files.write("shop", "dev", "DATABASE_URL: d\n")


def _no_document_any_more(world: World) -> Path:
    world.files.path("shop", "prod").unlink()
    return world.files.path("shop", "prod")


def _a_link_in_its_place(world: World) -> Path:
    path = _no_document_any_more(world)
    path.symlink_to("staging.sops.yaml")
    return path


def _a_folder_of_key_files_beside_it(world: World) -> Path:
    return put_key(world.files, "shop/prod", "DATABASE_URL", "in a file")


def _other_rules(world: World) -> Path:
    (world.realm / "realm.yaml").write_text("binding: required\n")
    return world.realm / "realm.yaml"


def _a_record_of_a_removed_key(world: World) -> Path:
    return world.realm / "removed" / "prod" / "GONE_LATER.yaml"


@pytest.mark.parametrize(
    "change",
    [
        _a_new_document,
        _no_document_any_more,
        _a_link_in_its_place,
        _a_folder_of_key_files_beside_it,
        _other_rules,
        _a_record_of_a_removed_key,
        lambda world: world.realm / "tokens.yaml",
        lambda world: world.realm / "prod",
        lambda world: world.realm,
        lambda world: world.files.root.parent / "elsewhere" / "prod.sops.yaml",
    ],
)
def test_whatever_else_is_named_all_is_looked_at(
    world: World, opened: list[str], change: Callable[[World], Path]
) -> None:
    changed = change(world)
    world.files.write("platform", "prod", "TOKEN: not named\n")
    found = world.reload(changed, world.files.path("shop", "staging"))
    assert "platform/prod" in opened
    platform = found.snapshot.environment(RealmName("platform"), PROD)
    assert platform is not None
    assert platform.values[KeyName("TOKEN")].reveal() == "not named"


def test_a_document_that_is_named_is_judged_by_the_rules_of_now(world: World) -> None:
    (world.realm / "realm.yaml").write_text("binding: required\n")
    path = world.files.write("shop", "prod", "DATABASE_URL: new\n")  # it is bound to no place
    found = world.reload(path)
    assert found.problems
    assert values(found.snapshot)["DATABASE_URL"] == CANARY


def test_what_was_wrong_before_is_looked_at_each_time(world: World, opened: list[str]) -> None:
    staging = world.files.path("shop", "staging")
    world.files.tamper(staging, "DATABASE_URL")
    assert world.reload(staging).problems
    path = world.files.write("shop", "prod", "DATABASE_URL: new\n")
    found = world.reload(path)
    assert found.problems  # that of staging is still told
    assert values(found.snapshot)["DATABASE_URL"] == "new"


# What must not be forgotten, or be seen too late


RECORD = "version: '0123456789ab'\ndate: '2026-01-31'\nreason: it is not used\n"


def test_a_tokens_file_that_is_bad_is_told_until_it_is_mended(world: World) -> None:
    """Its revocation is not in force, and an edit of a document elsewhere changes nothing in that."""
    tokens = world.realm / "tokens.yaml"
    good = tokens.read_text()
    tokens.write_text("tokens: [\n")
    assert world.reload(tokens).kept == ("shop",)
    for at in range(2):
        found = world.reload(world.files.write("platform", "prod", f"TOKEN: t{at}\n"))
        assert (len(found.problems), found.kept) == (1, ("shop",))
    tokens.write_text(good)
    assert world.reload(tokens).problems == ()


@pytest.mark.parametrize("key", ["API_KEY", ".dockerconfigjson"])
def test_a_record_that_goes_counts_at_once(world: World, key: str) -> None:
    (world.realm / "realm.yaml").write_text("deletions: recorded\n")
    record = world.realm / "removed" / "prod" / f"{key}.yaml"
    record.parent.mkdir(parents=True)
    record.write_text(RECORD)
    world.reload(record)
    for is_there in (True, False):
        environment = world.running.environment(SHOP, PROD)
        assert environment is not None
        assert environment.removed == ({key} if is_there else set())
        record.unlink(missing_ok=True)
        world.reload(record)


def test_a_bad_record_is_told_once_at_each_look(world: World) -> None:
    (world.realm / "realm.yaml").write_text("deletions: recorded\n")
    record = world.realm / "removed" / "prod" / "API_KEY.yaml"
    record.parent.mkdir(parents=True)
    record.write_text("nonsense\n")
    world.running = world.server.reload(world.running).snapshot
    for at in range(3):
        assert len(world.reload(world.files.write("shop", "prod", f"DATABASE_URL: v{at}\n")).findings) == 1
    for _ in range(2):
        with patch.object(file_state, "_SETTLED", 0):  # what was read may stand for the file
            looked = world.server.reload(world.running)
        assert len(looked.findings) == 1
        world.running = looked.snapshot


def _a_document_that_is_a_link(world: World) -> Path:
    (world.realm / "dev.sops.yaml").symlink_to("prod.sops.yaml")
    return world.realm / "dev.sops.yaml"


def _a_realm_that_is_a_link(world: World) -> Path:
    (world.files.root / "dev").symlink_to("shop")
    return world.files.root / "dev" / "prod.sops.yaml"


@pytest.mark.parametrize("link", [_a_document_that_is_a_link, _a_realm_that_is_a_link])
def test_what_is_a_link_changes_with_what_it_leads_to(world: World, link: Callable[[World], Path]) -> None:
    path = link(world)
    world.running = world.server.reload(world.running).snapshot
    world.reload(world.files.write("shop", "prod", "DATABASE_URL: changed\n"))
    realm, name = path.parent.name, path.name.removesuffix(".sops.yaml")
    environment = world.running.environment(RealmName(realm), EnvironmentName(name))
    assert environment is not None
    assert environment.values[KeyName("DATABASE_URL")].reveal() == "changed"


def test_a_mounted_config_map_that_is_swapped_is_seen(world: World) -> None:
    """Its files are links through `..data`, and the names that change are all hidden."""

    def put(version: str) -> None:
        (world.realm / version).mkdir()
        path = world.files.path("shop", "prod")
        path.unlink(missing_ok=True)
        document = world.files.write("shop", "prod", f"DATABASE_URL: {version}\n")
        document.rename(world.realm / version / path.name)
        path.symlink_to(f"..data/{path.name}")

    put("..v1")
    (world.realm / "..data").symlink_to("..v1")
    world.running = world.server.reload(world.running).snapshot
    assert values(world.running) == {"DATABASE_URL": "..v1"}
    put("..v2")
    (world.realm / "..data_tmp").symlink_to("..v2")
    (world.realm / "..data_tmp").rename(world.realm / "..data")
    world.reload(world.realm / "..data", world.realm / "..data_tmp", world.realm / "..v2")
    assert values(world.running) == {"DATABASE_URL": "..v2"}


@pytest.mark.parametrize("what", ["the realm is gone", "realm.yaml leads out"])
def test_a_realm_that_cannot_be_judged_any_more_keeps_no_other_change_back(world: World, what: str) -> None:
    changed = world.files.path("shop", "prod")
    if what == "the realm is gone":
        shutil.rmtree(world.realm)
    else:
        (world.realm / "realm.yaml").symlink_to("/etc/hostname")
    found = world.reload(changed, world.files.write("platform", "prod", "TOKEN: new\n"))
    platform = found.snapshot.environment(RealmName("platform"), PROD)
    assert platform is not None
    assert platform.values[KeyName("TOKEN")].reveal() == "new"


# Any sequence


class Walk:
    """Changes of files at random, each told by its names to one repository and not to the other."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.tokens = (world.realm / "tokens.yaml").read_text()
        self.other = world.repository()
        self.looked = self.other.start_sound().snapshot
        self.documents = {path: path.read_bytes() for path in world.files.root.rglob("*.sops.yaml")}
        self.named = 0

    def step(self) -> None:
        """One to three changes, then a reload of each."""
        changed = [self.random.choice(_CHANGES)(self) for _ in range(self.random.randint(1, 3))]
        real = self.world.server._reload_units

        def counted(*arguments: Any) -> Reload | None:
            found = real(*arguments)
            self.named += found is not None
            return found

        with (
            patch.object(self.world.server, "_reload_units", counted),
            patch.object(file_state, "_SETTLED", -(10**12)),
        ):
            named = self.world.reload(*changed)
            looked = self.other.reload(self.looked)
        self.looked = looked.snapshot
        assert _said(named) == _said(looked), changed

    def mend(self) -> None:
        """All is as it was, and nothing is wrong."""
        for path, data in self.documents.items():
            self.world.files.replace(path, data)
        (self.world.realm / "tokens.yaml").write_text(self.tokens)
        (self.world.realm / "realm.yaml").write_text("deletions: recorded\n")
        shutil.rmtree(self.world.realm / "removed", ignore_errors=True)
        self.world.running = self.world.server.reload(self.world.running).snapshot
        self.looked = self.other.reload(self.looked).snapshot

    def edit(self) -> Path:
        place = self.random.choice(["shop/prod", "shop/staging", "platform/prod"])
        return self.world.files.write(*place.split("/"), f"DATABASE_URL: v{self.random.random()}\n")

    def restore(self) -> Path:
        path = self.random.choice(sorted(self.documents))
        self.world.files.replace(path, self.documents[path])
        return path

    def spoil(self) -> Path:
        path = self.random.choice(sorted(self.documents))
        self.world.files.replace(
            path, self.documents[path].replace(b"ENC[AES256_GCM,data:", b"ENC[AES256_GCM,data:AAAA")
        )
        return path

    def copy(self) -> Path:
        path, other = self.random.sample(sorted(self.documents), 2)
        self.world.files.replace(path, self.documents[other])
        return path

    def remove(self) -> Path:
        path = self.random.choice(sorted(self.documents))
        path.unlink(missing_ok=True)
        return path

    def change_rules(self) -> Path:
        path = self.world.realm / "realm.yaml"
        path.write_text(
            self.random.choice(["deletions: recorded\n", "deletions: unrecorded\n", "binding: [\n"])
        )
        return path

    def change_tokens(self) -> Path:
        path = self.world.realm / "tokens.yaml"
        path.write_text(self.random.choice([self.tokens, "tokens: [\n"]))
        return path

    def change_record(self) -> Path:
        path = (
            self.world.realm / "removed" / "prod" / self.random.choice(["A.yaml", ".dockerconfigjson.yaml"])
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.unlink()
        else:
            path.write_text(self.random.choice([RECORD, "nonsense\n"]))
        return path

    def leave_a_temporary_file(self) -> Path:
        path = self.world.realm / ".prod.sops.yaml.swp"
        path.write_text("")
        return path


_CHANGES = (Walk.edit, Walk.edit, Walk.restore, Walk.restore, Walk.spoil, Walk.copy, Walk.remove,
            Walk.change_rules, Walk.change_tokens, Walk.change_record, Walk.leave_a_temporary_file)  # fmt: skip


def _said(found: Reload) -> object:
    loaded = {
        place: (environment.digest, environment.removed, environment.since is None)
        for place, environment in found.snapshot.all()
    }
    told = [sorted(error.message for error in errors) for errors in (found.problems, found.findings)]
    return found.snapshot.revision, loaded, found.snapshot.failed, sorted(found.kept), told


@pytest.mark.parametrize("seed", range(3))
def test_whatever_changes_a_named_reload_comes_to_what_a_look_at_all_does(world: World, seed: int) -> None:
    walk = Walk(world, seed)
    for _ in range(20):
        walk.mend()  # what is bad has all looked at
        for _ in range(3):
            walk.step()
    assert walk.named > 10
