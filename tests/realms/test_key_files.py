"""An environment of key files is loaded key by key: each is good, or stands at its last good state, or is not
loaded; and nothing that somebody does to one file is served as another key's value, or takes another key away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import (
    Demands,
    Environment,
    Keeping,
    KeptDocuments,
    RealmTree,
    Reload,
    Repository,
    Selection,
    Snapshot,
)
from arcan_gitops.realms import loaded_keys as key_files_module
from arcan_gitops.realms.loading import Loader
from arcan_gitops.sops import Identities
from arcan_gitops.sops.digests import digest_of_all
from tests.support.key_files import key_path, one_data_key, put_key, put_keys
from tests.support.realm_files import CANARY, RealmFiles, new_identity

SHOP = RealmName("shop")
PROD = EnvironmentName("prod")
NOW = 1_800_000_000.0
DAY = 24 * 3600.0


class Realm:
    """Realm `shop`, whose `prod` is key files, and a server's view of it with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.files = RealmFiles(folder)
        self.now = NOW
        self.kept = folder / "last-good"
        put_keys(self.files, "shop/prod", {"A": CANARY, "B": "b", "C": "c"})
        put_key(self.files, "other/prod", "A", "another realm's")
        self.repository = self.server()

    def server(self, *select: str, binding: bool = False, recorded: bool = False) -> Repository:
        clock = lambda: self.now  # noqa: E731
        return Repository(
            RealmTree(self.files.root),
            Identities([self.files.identity]),
            Selection.parse(select),
            Demands(binding, recorded),
            keeping=Keeping(KeptDocuments(self.kept, clock), 7 * DAY, clock),
        )

    def path(self, key: str) -> Path:
        return key_path(self.files, "shop", "prod", key)

    def spoil(self, key: str) -> None:
        self.files.replace(self.path(key), self.path(key).read_bytes().replace(b"data:", b"data:AAAA", 1))

    def reload(self, last: Snapshot, changed: Iterable[Path] | None = None) -> Reload:
        return self.repository.reload(last, None if changed is None else tuple(changed))


@pytest.fixture
def realm(tmp_path: Path) -> Realm:
    return Realm(tmp_path)


def shop(snapshot: Snapshot) -> Environment:
    found = snapshot.environment(SHOP, PROD)
    assert found is not None
    return found


def values(snapshot: Snapshot) -> dict[str, str]:
    return {str(key): value.reveal() for key, value in shop(snapshot).values.items()}


def test_the_keys_are_served_in_order_each_with_the_version_of_its_ciphertext(realm: Realm):
    put_key(realm.files, "shop/prod", ".dockerconfigjson", "{}")
    found = shop(realm.repository.load())
    assert list(found.values) == [".dockerconfigjson", "A", "B", "C"]
    assert found.versions.keys["A"] == sops.digests(realm.path("A").read_bytes()).keys["A"]
    assert found.version(None) == digest_of_all(found.versions.keys)
    assert found.failed == found.stale == frozenset()


def test_the_version_of_the_environment_is_that_of_a_document_with_the_same_ciphertexts(realm: Realm):
    document = sops.encrypt({"B": "b", "A": "a"}, recipients=[realm.files.recipient], place="shop/prod")
    whole = sops.digests(document)
    assert whole.document == digest_of_all(dict(sorted(whole.keys.items())))


def test_a_bad_file_takes_its_own_key_away_and_nothing_else(realm: Realm):
    realm.spoil("B")
    started = realm.repository.start_sound()
    assert values(started.snapshot) == {"A": CANARY, "C": "c"}
    assert shop(started.snapshot).failed == {"B"}
    assert started.snapshot.failed == frozenset()
    [problem] = started.problems
    assert problem.message.startswith(f"{realm.path('B')}: ")
    with pytest.raises(SeveralErrors, match=r"B\.sops\.yaml"):
        realm.server().start()


def test_a_bad_file_leaves_its_key_at_the_last_good_state_and_the_others_fresh(realm: Realm):
    running = realm.repository.load()
    before = shop(running)
    realm.spoil("B")
    put_key(realm.files, "shop/prod", "C", "new")
    put_key(realm.files, "shop/prod", "D", "d")
    reload = realm.reload(running)
    found = shop(reload.snapshot)
    assert values(reload.snapshot) == {"A": CANARY, "B": "b", "C": "new", "D": "d"}
    assert (found.stale, found.failed, found.since) == ({"B"}, frozenset(), NOW)
    assert found.versions.keys["B"] == before.versions.keys["B"]
    assert reload.kept == ("shop/prod/B",)
    put_key(realm.files, "shop/prod", "B", "mended")
    mended = realm.reload(reload.snapshot)
    assert values(mended.snapshot)["B"] == "mended"
    assert (shop(mended.snapshot).stale, mended.problems, mended.kept) == (frozenset(), (), ())


def test_a_file_that_is_as_it_was_again_is_good_again(realm: Realm):
    running = realm.repository.load()
    data = realm.path("B").read_bytes()
    realm.spoil("B")
    running = realm.reload(running).snapshot
    realm.files.replace(realm.path("B"), data)
    assert shop(realm.reload(running).snapshot).stale == frozenset()


def test_the_last_good_state_of_a_key_has_an_end(realm: Realm):
    running = realm.repository.load()
    realm.spoil("B")
    running = realm.reload(running).snapshot
    realm.now += 7 * DAY
    running = realm.reload(running, [realm.path("A")]).snapshot
    assert values(running)["B"] == "b"
    realm.now += 1
    running = realm.reload(running).snapshot
    assert shop(running).failed == {"B"}
    assert values(running) == {"A": CANARY, "C": "c"}


def test_the_last_good_state_of_a_key_is_served_after_a_restart(realm: Realm):
    realm.repository.start_sound()
    realm.spoil("B")
    realm.now += 3600
    started = realm.server().start_sound()
    assert values(started.snapshot) == {"A": CANARY, "B": "b", "C": "c"}
    assert (shop(started.snapshot).stale, shop(started.snapshot).since) == ({"B"}, NOW)
    kept = [path for path in realm.kept.rglob("*") if path.is_file()]
    assert all(CANARY.encode() not in path.read_bytes() for path in kept)


def test_what_was_removed_is_forgotten_and_never_comes_back(realm: Realm):
    realm.repository.start_sound()
    realm.path("B").unlink()
    realm.server().start_sound()
    assert not (realm.kept / "shop" / "prod" / "B.sops.yaml").exists()
    put_key(realm.files, "shop/prod", "B", "new")
    realm.spoil("B")
    assert shop(realm.server().start_sound().snapshot).failed == {"B"}


def test_a_bug_that_one_file_brings_out_is_that_keys_problem(realm: Realm, monkeypatch: pytest.MonkeyPatch):
    real = Loader.load

    def broken(self: Loader, file: object, *rest: object) -> object:
        if getattr(file, "key", None) == "B":
            raise RuntimeError(CANARY)
        return real(self, file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Loader, "load", broken)
    started = realm.repository.start_sound()
    assert values(started.snapshot) == {"A": CANARY, "C": "c"}
    assert CANARY not in started.problems[0].message


def test_where_no_key_is_loaded_the_environment_is_not(realm: Realm):
    for key in "ABC":
        realm.spoil(key)
    assert realm.repository.start_sound().snapshot.failed == {(SHOP, PROD)}


def test_of_many_bad_files_the_first_ones_are_told(realm: Realm):
    for at in range(40):
        path = put_key(realm.files, "shop/prod", f"K{at:02}", "x")
        path.write_bytes(b"no document")
    problems = realm.repository.start_sound().problems
    assert len(problems) == 21
    assert problems[-1].message.endswith("20 more keys cannot be loaded")


# What goes


def test_a_file_that_goes_is_a_key_that_goes(realm: Realm):
    running = realm.repository.load()
    realm.path("B").unlink()
    found = shop(realm.reload(running).snapshot)
    assert set(found.values) == {"A", "C"}
    assert (found.failed, found.removed) == (frozenset(), None)


def test_where_removals_are_recorded_a_file_that_is_lost_is_no_removal(realm: Realm):
    (realm.files.root / "shop" / "realm.yaml").write_text("deletions: recorded\n")
    running = realm.repository.load()
    realm.path("B").unlink()
    realm.path("C").unlink()
    record = realm.files.root / "shop" / "removed" / "prod" / "C.yaml"
    record.parent.mkdir(parents=True)
    record.write_text("version: 0123456789ab\ndate: '2026-01-31'\nreason: not needed\n")
    found = shop(realm.reload(running).snapshot)
    assert (set(found.values), found.removed) == ({"A"}, {"C"})


@pytest.mark.parametrize("left", [(), ("README.md",), (".gitkeep",)])
def test_a_folder_that_has_lost_all_its_key_files_stays_at_its_last_good_state(
    realm: Realm, left: tuple[str, ...]
):
    running = realm.repository.load()
    for key in "ABC":
        realm.path(key).unlink()
    for name in left:
        (realm.path("A").parent / name).touch()
    reload = realm.reload(running)
    assert values(reload.snapshot) == {"A": CANARY, "B": "b", "C": "c"}
    assert reload.kept == ("shop/prod",)
    assert values(realm.server().start_sound().snapshot) == {"A": CANARY, "B": "b", "C": "c"}


def test_a_folder_that_is_gone_is_an_environment_that_is_gone(realm: Realm):
    put_key(realm.files, "shop/dev", "A", "a")
    running = realm.repository.load()
    shutil.rmtree(realm.path("A").parent)
    after = realm.reload(running).snapshot
    assert after.environment(SHOP, PROD) is None
    assert (SHOP, PROD) not in after.failed


def test_the_only_folder_of_a_realm_that_is_gone_changes_nothing(realm: Realm):
    running = realm.repository.load()
    shutil.rmtree(realm.path("A").parent)
    assert values(realm.reload(running).snapshot) == {"A": CANARY, "B": "b", "C": "c"}


def test_a_file_that_is_missing_for_a_moment_is_looked_for_again(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
):
    running = realm.repository.load()
    data = realm.path("B").read_bytes()
    realm.path("B").unlink()
    monkeypatch.setattr(key_files_module.time, "sleep", lambda _: realm.path("B").write_bytes(data))
    assert values(realm.reload(running).snapshot) == {"A": CANARY, "B": "b", "C": "c"}


def test_both_layouts_at_once_leave_all_as_it_was(realm: Realm):
    running = realm.repository.load()
    document = sops.encrypt({"A": "x"}, recipients=[realm.files.recipient], place="shop/prod")
    realm.files.path("shop", "prod").write_bytes(document)
    reload = realm.reload(running)
    assert values(reload.snapshot) == {"A": CANARY, "B": "b", "C": "c"}
    assert "arcan realm join shop --env prod" in str(reload.problems[0].hint)
    assert realm.server("shop").start_sound().snapshot.failed == frozenset()
    shutil.rmtree(realm.kept)
    with pytest.raises(SeveralErrors, match="there twice"):
        realm.server("shop").start_sound()


def test_an_environment_may_take_the_other_layout_while_it_is_served(realm: Realm):
    running = realm.repository.load()
    shutil.rmtree(realm.path("A").parent)
    document = sops.encrypt({"A": "as a document"}, recipients=[realm.files.recipient], place="shop/prod")
    realm.files.path("shop", "prod").write_bytes(document)
    running = realm.reload(running).snapshot
    assert values(running) == {"A": "as a document"}
    realm.files.path("shop", "prod").unlink()
    put_key(realm.files, "shop/prod", "A", "as a file")
    realm.spoil("A")
    put_key(realm.files, "shop/prod", "B", "b")
    running = realm.reload(running).snapshot
    assert values(running) == {"A": "as a document", "B": "b"}
    assert shop(running).stale == {"A"}


# What somebody may do who can write files, and holds no key


def copied(realm: Realm, source: Path) -> None:
    realm.path("B").write_bytes(source.read_bytes())


def from_another_key(realm: Realm) -> None:
    copied(realm, realm.path("A"))


def from_another_key_renamed(realm: Realm) -> None:
    realm.path("B").write_bytes(realm.path("A").read_bytes().replace(b"\nA:", b"\nB:"))


def from_another_environment(realm: Realm) -> None:
    copied(realm, put_key(realm.files, "shop/dev", "B", "dev's"))


def from_another_realm(realm: Realm) -> None:
    copied(realm, put_key(realm.files, "other/prod", "B", "another realm's"))


def without_binding(realm: Realm) -> None:
    lines = realm.path("B").read_bytes().splitlines(keepends=True)
    realm.path("B").write_bytes(b"".join(line for line in lines if not line.startswith(b"arcan_place")))


def with_another_binding(realm: Realm) -> None:
    other = put_key(realm.files, "other/prod", "B", "x").read_bytes().splitlines(keepends=True)
    lines = realm.path("B").read_bytes().splitlines(keepends=True)
    realm.path("B").write_bytes(b"".join([other[0], *lines[1:]]))


def with_two_keys(realm: Realm) -> None:
    put_key(realm.files, "shop/prod", "B", "b", beside={"A": "not the owner's"})


def with_another_key(realm: Realm) -> None:
    put_key(realm.files, "shop/prod", "A", "not the owner's", name="B")


def of_two_documents(realm: Realm) -> None:
    realm.path("B").write_bytes(realm.path("B").read_bytes() + b"---\n" + realm.path("B").read_bytes())


def for_nobody_here(realm: Realm) -> None:
    put_key(realm.files, "shop/prod", "B", "x", recipients=(new_identity()[1],))


def in_clear(realm: Realm) -> None:
    realm.path("B").write_text("B: clear\n")


def a_link_elsewhere(realm: Realm) -> None:
    realm.path("B").unlink()
    realm.path("B").symlink_to("../../other/prod/A.sops.yaml")


def a_folder(realm: Realm) -> None:
    realm.path("B").unlink()
    realm.path("B").mkdir()


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (from_another_key, "holds 'A', where 'B' is wanted"),
        (from_another_key_renamed, "does not authenticate"),
        (from_another_environment, "belongs at shop/dev, not at shop/prod"),
        (from_another_realm, "belongs at other/prod, not at shop/prod"),
        (without_binding, "the MAC does not match"),
        (with_another_binding, "does not authenticate"),
        (with_two_keys, "holds 'A' beside 'B'"),
        (with_another_key, "holds 'A', where 'B' is wanted"),
        (of_two_documents, "B.sops.yaml: "),
        (for_nobody_here, "no identity opens it"),
        (in_clear, "not encrypted"),
        (a_link_elsewhere, "is a link out of the folder 'prod'"),
        (a_folder, "not the file of a key"),
    ],
)
def test_a_file_that_is_not_what_it_stands_for_is_refused_and_its_key_alone_feels_it(
    realm: Realm, attack: Callable[[Realm], None], said: str
):
    running = realm.repository.load()
    attack(realm)
    reload = realm.reload(running)
    assert values(reload.snapshot) == {"A": CANARY, "B": "b", "C": "c"}
    assert shop(reload.snapshot).stale == {"B"}
    assert said in reload.problems[0].message
    shutil.rmtree(realm.kept)
    fresh = realm.server().start_sound()
    assert values(fresh.snapshot) == {"A": CANARY, "C": "c"}
    assert shop(fresh.snapshot).failed == {"B"}


def test_an_older_file_is_served_for_nothing_in_it_is_wrong(realm: Realm):
    older = realm.path("B").read_bytes()
    put_key(realm.files, "shop/prod", "B", "newer")
    running = realm.repository.load()
    realm.files.replace(realm.path("B"), older)
    reload = realm.reload(running)
    assert (values(reload.snapshot)["B"], reload.problems) == ("b", ())
    assert shop(reload.snapshot).version(None) != shop(running).version(None)


def test_an_unbound_file_is_refused_where_binding_is_required(realm: Realm):
    put_key(realm.files, "shop/prod", "B", "b", bound=None)
    assert values(realm.server().load())["B"] == "b"
    shutil.rmtree(realm.kept)
    assert shop(realm.server(binding=True).start_sound().snapshot).failed == {"B"}


def test_an_unbound_copy_of_another_places_file_is_refused_and_never_takes_its_victim_down(realm: Realm):
    with one_data_key():
        put_key(realm.files, "other/prod", "B", "another realm's")
        put_key(realm.files, "shop/prod", "B", "a copy's", bound=None)
    started = realm.server().start_sound()
    assert shop(started.snapshot).failed == {"B"}
    assert "is bound to no place, and has the data key of other/prod" in started.problems[0].message
    victim = started.snapshot.environment(RealmName("other"), PROD)
    assert victim is not None
    assert victim.values[KeyName("B")].reveal() == "another realm's"


# One data key for several files


def test_files_of_one_environment_with_the_same_recipients_share_a_data_key_that_is_unwrapped_once(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
):
    with one_data_key():
        put_keys(realm.files, "shop/prod", {"A": CANARY, "B": "b", "C": "c", "D": "d"})
    unwrapped: list[object] = []
    real = Identities.unwrap

    def counted(self: Identities, key: sops.identities.AgeKey) -> bytes | None:  # type: ignore[name-defined]
        unwrapped.append(key)
        return real(self, key)

    monkeypatch.setattr(Identities, "unwrap", counted)
    started = realm.server("shop").start()
    assert (len(shop(started.snapshot).values), started.findings) == (4, ())
    assert len(unwrapped) == 1


@pytest.mark.parametrize("first", ["A", "D"])
def test_a_file_with_the_data_key_of_others_and_more_recipients_is_refused(realm: Realm, first: str):
    other = new_identity()[1]
    with one_data_key():
        put_keys(realm.files, "shop/prod", {key: "x" for key in "ABCD" if key != first})
        put_key(realm.files, "shop/prod", first, "wider", recipients=(realm.files.recipient, other))
    started = realm.server("shop").start_sound()
    assert shop(started.snapshot).failed == {first}
    assert "has the data key of shop/prod/" in started.problems[0].message
    assert "arcan realm rotate shop --env prod" in str(started.problems[0].hint)


def test_of_two_files_with_one_data_key_the_narrower_one_is_served(realm: Realm):
    with one_data_key():
        put_key(realm.files, "shop/prod", "A", "wider", recipients=(realm.files.recipient, new_identity()[1]))
        put_key(realm.files, "shop/prod", "B", "b")
    assert shop(realm.server("shop").start_sound().snapshot).failed == {"A"}


def test_a_widened_file_leaves_its_key_at_the_last_good_state(realm: Realm):
    with one_data_key():
        put_keys(realm.files, "shop/prod", {"A": "a", "B": "b", "C": "c"})
        running = realm.repository.load()
        put_key(realm.files, "shop/prod", "A", "wider", recipients=(realm.files.recipient, new_identity()[1]))
    for changed in ([realm.path("A")], None):
        found = realm.reload(running, changed).snapshot
        assert values(found)["A"] == "a"
        assert shop(found).stale == {"A"}


# A reload that knows what changed


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    read: list[str] = []
    real = key_files_module.DocumentFile.read

    def counted(self: key_files_module.DocumentFile) -> bytes:
        read.append(self.path.name.removesuffix(".sops.yaml"))
        return real(self)

    monkeypatch.setattr(key_files_module.DocumentFile, "read", counted)
    return read


def test_a_reload_that_knows_the_file_reads_that_file_and_comes_to_the_same(realm: Realm, opened: list[str]):
    put_key(realm.files, "shop/dev", "A", "dev")
    running = realm.repository.load()
    opened.clear()
    path = put_key(realm.files, "shop/prod", "B", "new")
    reload = realm.reload(running, [path, path.with_name(".B.sops.yaml.x.tmp")])
    assert opened == ["B"]
    assert values(reload.snapshot) == {"A": CANARY, "B": "new", "C": "c"}
    whole = realm.server().load()
    assert reload.snapshot.revision == whole.revision
    assert shop(reload.snapshot).versions == shop(whole).versions
    assert shop(reload.snapshot).seal is None


def test_it_goes_on_knowing_over_many_reloads(realm: Realm, opened: list[str]):
    running = realm.repository.load()
    for at in range(3):
        opened.clear()
        path = put_key(realm.files, "shop/prod", "B", f"value {at}")
        running = realm.reload(running, [path]).snapshot
        assert opened == ["B"]
        assert values(running)["B"] == f"value {at}"


def test_a_named_file_that_is_bad_leaves_its_key_at_the_last_good_state(realm: Realm):
    running = realm.repository.load()
    realm.spoil("B")
    reload = realm.reload(running, [realm.path("B")])
    assert shop(reload.snapshot).stale == {"B"}
    assert reload.kept == ("shop/prod/B",)
    put_key(realm.files, "shop/prod", "B", "mended")
    mended = realm.reload(reload.snapshot, [realm.path("B")])
    assert (values(mended.snapshot)["B"], mended.problems) == ("mended", ())


@pytest.mark.parametrize("what", ["new", "gone", "link", "realm.yaml", "tokens.yaml", "record", "elsewhere"])
def test_whatever_else_is_named_all_is_read(realm: Realm, opened: list[str], what: str):
    running = realm.repository.load()
    opened.clear()
    folder = realm.files.root / "shop"
    changed = {"elsewhere": folder.parent.parent, "record": folder / "removed" / "prod" / "B.yaml"}.get(
        what, folder / what
    )
    if what == "new":
        changed = put_key(realm.files, "shop/prod", "D", "d")
    elif what in ("gone", "link"):
        changed = realm.path("C")
        changed.unlink()
        if what == "link":
            changed.symlink_to("A.sops.yaml")
    elif what == "realm.yaml":
        changed.write_text("allowEmpty: [X]\n")
    reload = realm.reload(running, [changed])
    assert len(set(opened)) > 1
    assert reload.snapshot.revision == realm.server().start_sound().snapshot.revision


def test_what_was_not_named_is_not_taken_for_unchanged_where_the_rules_changed(realm: Realm):
    running = realm.repository.load()
    put_key(realm.files, "shop/prod", "B", "b", bound=None)
    (realm.files.root / "shop" / "realm.yaml").write_text("binding: required\n")
    put_key(realm.files, "shop/prod", "C", "new")
    reload = realm.reload(running, [realm.path("C")])
    assert shop(reload.snapshot).stale == {"B"}
