"""Each document is loaded, stands at its last good state, or is not loaded; no other one feels it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import Demands, RealmTree, Repository, Selection, Snapshot
from arcan_gitops.realms.transfer import dump, restore
from arcan_gitops.realms.tree import CannotRead, read_file
from arcan_gitops.sops import Identities
from tests.support.live_server import ARCAN, create_token
from tests.support.realm_files import CANARY, RealmFiles, encrypt, new_identity


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"DATABASE_URL: {CANARY}\nCOUNT: 007\n")
    files.write("shop", "staging", "DATABASE_URL: s\n")
    files.write("platform", "prod", "TOKEN: t\n")
    return files


def repository(files: RealmFiles, *select: str) -> Repository:
    return Repository(RealmTree(files.root), Identities([files.identity]), Selection.parse(select))


def value(snapshot: Snapshot, realm: str, environment: str, key: str) -> str | None:
    loaded = snapshot.environment(RealmName(realm), EnvironmentName(environment))
    assert loaded is not None
    found = loaded.values.get(KeyName(key))
    return None if found is None else found.reveal()


def failing(files: RealmFiles, *select: str) -> str:
    with pytest.raises(SeveralErrors) as caught:
        repository(files, *select).load()
    assert CANARY not in caught.value.message
    return caught.value.message


def test_a_start_loads_every_realm_and_environment(files: RealmFiles) -> None:
    snapshot = repository(files).load()
    assert value(snapshot, "shop", "prod", "DATABASE_URL") == CANARY
    assert (
        value(snapshot, "shop", "prod", "COUNT") == "7"
    )  # to YAML an octal number: that is what sops stored
    assert {f"{realm}/{name}" for realm, name in snapshot.names()} == {
        "shop/prod",
        "shop/staging",
        "platform/prod",
    }
    assert CANARY not in repr(snapshot)


def test_a_start_reports_every_bad_document_at_once(files: RealmFiles) -> None:
    files.replace(files.path("shop", "staging"), b"DATABASE_URL: clear\n")
    files.tamper(files.path("shop", "prod"), "COUNT")
    _, stranger = new_identity()
    files.write("platform", "prod", "TOKEN: t\n", recipient=stranger)
    message = failing(files)
    assert "shop/staging.sops.yaml: not encrypted" in message
    assert "shop/prod.sops.yaml: the MAC does not match" in message
    assert f"platform/prod.sops.yaml: no identity opens it: its age recipients are {stranger}" in message


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("prod.yaml", "prod.yaml: not a document"),
        ("prod.sops.yml", "prod.sops.yml: not a document"),
        ("Prod.sops.yaml", "'Prod' is not a valid environment name"),
        ("-x.sops.yaml", "'-x' is not a valid environment name"),
        ("notes.txt", "notes.txt: not a document"),
    ],
)
def test_a_file_that_is_no_document_is_named_and_stops_nothing(
    files: RealmFiles, name: str, problem: str
) -> None:
    (files.root / "shop" / name).write_text("x: y\n")
    (files.root / "shop" / "a-folder").mkdir()
    (files.root / "lost.sops.yaml").write_text("x: y\n")
    (files.root / "Not-A-Realm").mkdir()
    started = repository(files).start()
    assert value(started.snapshot, "shop", "prod", "DATABASE_URL") == CANARY
    assert started.problems == ()
    said = " ".join(finding.message for finding in started.findings)
    for each in (problem, "a-folder: not a document", "lost.sops.yaml", "Not-A-Realm"):
        assert each in said


def test_what_is_no_regular_file_is_an_error_and_never_waited_for(files: RealmFiles) -> None:
    os.mkfifo(files.root / "shop" / "fifo.sops.yaml")
    (files.root / "platform" / "device.sops.yaml").symlink_to("/dev/zero")
    (files.root / "platform" / "nowhere.sops.yaml").symlink_to("nowhere")
    message = failing(files)
    assert "fifo.sops.yaml: cannot be read: not a regular file" in message
    assert "device.sops.yaml: is a link out of the folder 'platform'" in message
    assert "nowhere.sops.yaml: cannot be read: No such file or directory" in message


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_cannot_be_read_leaves_no_descriptor_open(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "tokens.yaml")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(CannotRead):
            read_file(tmp_path / "tokens.yaml")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_link_to_another_realms_document_is_refused(files: RealmFiles) -> None:
    (files.root / "platform" / "stolen.sops.yaml").symlink_to("../shop/prod.sops.yaml")
    (files.root / "platform" / "tokens.yaml").symlink_to("x" * 300)
    message = failing(files)
    assert "stolen.sops.yaml: is a link out of the folder 'platform'" in message
    assert "platform/tokens.yaml: cannot be read" in message


def test_a_realm_that_becomes_a_link_out_of_the_tree_stays_as_it_was(files: RealmFiles) -> None:
    loader = repository(files)
    last = loader.load()
    outside = files.root.parent / "outside"
    (files.root / "platform").rename(outside)
    (files.root / "platform").symlink_to(outside)
    started = repository(files).start()
    assert "platform: is a link out of the folder 'realms'" in started.findings[0].message
    assert RealmName("platform") not in started.snapshot.environments
    reload = loader.reload(last)
    assert "platform: is a link out of the folder 'realms'" in reload.problems[0].message
    assert set(reload.kept) == {"platform/prod", "platform"}
    assert value(reload.snapshot, "platform", "prod", "TOKEN") == value(last, "platform", "prod", "TOKEN")


def test_files_beside_the_documents_have_their_place(files: RealmFiles) -> None:
    for name in ("kustomization.yaml", "inventory.yaml", ".gitignore", "README.md"):
        (files.root / "shop" / name).write_text("x: y\n")
    repository(files).load()


def test_a_realm_without_documents_and_a_folder_without_realms_are_errors(
    files: RealmFiles, tmp_path: Path
) -> None:
    (files.root / "empty").mkdir()
    assert "empty: the realm has no document" in failing(files)
    with pytest.raises(ArcanError, match="holds no realm"):
        Repository(RealmTree(tmp_path / "realms" / "empty"), Identities([files.identity])).load()
    with pytest.raises(ArcanError, match="cannot be read"):
        Repository(RealmTree(tmp_path / "nowhere"), Identities([files.identity])).load()


@pytest.mark.parametrize(
    ("plain", "problem"),
    [
        ("a b: x\n", "'a b' is not a valid key name"),
        ("..a: x\n", "'..a' is not a valid key name"),
        ("n: .nan\n", "key 'n': is NaN or an infinity"),
        ("n: {a: [.inf]}\n", "key 'n': is NaN or an infinity"),
        ("n: null\nx: y\n", "key 'n': is empty"),
        ('n: ""\nx: y\n', "key 'n': is empty"),
        ("n_unencrypted: 5\nx: y\n", "key 'n_unencrypted': is in clear"),
        ("x: y\n---\nz: y\n", "2 YAML documents"),
        ("b: !!binary /v8=\n", "key 'b': is not UTF-8 text"),
    ],
)
def test_what_has_no_text_for_eso_is_an_error_at_load(files: RealmFiles, plain: str, problem: str) -> None:
    files.write("shop", "prod", plain)
    assert problem in failing(files)


def test_a_realm_may_allow_what_a_document_cannot(files: RealmFiles) -> None:
    files.write("shop", "prod", "a_unencrypted: clear\nb: ''\nc: x\n")
    realm_file = files.root / "shop" / "realm.yaml"
    realm_file.write_text("allowUnencrypted: ['a_*']\nallowEmpty: [b]\n")
    snapshot = repository(files).load()
    assert value(snapshot, "shop", "prod", "a_unencrypted") == "clear"
    assert value(snapshot, "shop", "prod", "b") == ""
    realm_file.write_text("allowUnencrypted: ['a_*']\nallowEmtpy: [b]\n")
    message = failing(files)
    assert "realm.yaml:2: unknown field 'allowEmtpy'" in message
    assert "did you mean 'allowEmpty'?" in message


def test_null_stays_an_error_where_empty_values_are_allowed(files: RealmFiles) -> None:
    files.write("shop", "prod", "a: null\nb: x\n")
    (files.root / "shop" / "realm.yaml").write_text("allowEmpty: ['*']\n")
    assert "key 'a': is null" in failing(files)


def test_a_selection_needs_neither_the_other_realms_identity_nor_their_soundness(files: RealmFiles) -> None:
    _, stranger = new_identity()
    files.write("shop", "prod", "A: b\n", recipient=stranger)
    (files.root / "platform" / "nonsense.yaml").write_text("x")
    snapshot = repository(files, "shop/staging").load()
    assert snapshot.names() == ((RealmName("shop"), EnvironmentName("staging")),)
    snapshot = repository(files, "sh*/sta*").load()
    assert len(snapshot.names()) == 1


@pytest.mark.parametrize(
    ("select", "meant"),
    [
        (["shop/stagin"], "did you mean 'shop/staging'? "),
        (["stop"], "did you mean 'shop'? "),
        (["stop/*"], "did you mean 'shop'? "),
        (["shop", "platform/*", "x?z/prod"], ""),
        (["stop", "platfrom/prod"], "did you mean 'shop', 'platform/prod'? "),
    ],
)
def test_a_selection_of_nothing_lists_what_there_is(files: RealmFiles, select: list[str], meant: str) -> None:
    message = failing(files, *select)
    assert ": selects nothing\n" in message
    assert f"    hint: {meant}there are platform/prod, shop/prod, shop/staging" in message.splitlines()


def test_a_selection_of_nothing_is_told_beside_other_problems(files: RealmFiles) -> None:
    files.replace(files.path("shop", "prod"), b"URL: clear\n")
    message = failing(files, "shop/prod", "shop/dev")
    assert "realms/shop/prod.sops.yaml" in message
    assert "--select 'shop/dev': selects nothing" in message


def test_all_patterns_that_select_nothing_are_one_problem(files: RealmFiles) -> None:
    assert "--select 'stop', 'shop/dev': selects nothing" in failing(files, "stop", "shop/dev", "shop/prod")


@pytest.mark.parametrize("pattern", ["a/b/c", "", "/prod", "shop/"])
def test_a_pattern_is_a_realm_or_a_realm_and_an_environment(pattern: str) -> None:
    with pytest.raises(ArcanError, match="not REALM"):
        Selection.parse([pattern])


def test_a_reload_moves_good_documents_on_and_keeps_a_bad_one(files: RealmFiles) -> None:
    loader = repository(files)
    before = loader.load()
    files.tamper(files.path("shop", "prod"), "COUNT")
    files.write("shop", "staging", "DATABASE_URL: newer\n")
    files.write("platform", "prod", "TOKEN: newer\n")
    after = loader.reload(before)
    assert [problem.message.split(":")[0] for problem in after.problems] == [str(files.path("shop", "prod"))]
    assert after.kept == ("shop/prod",)
    assert value(after.snapshot, "shop", "prod", "COUNT") == "7"
    assert value(after.snapshot, "shop", "staging", "DATABASE_URL") == "newer"
    assert value(after.snapshot, "platform", "prod", "TOKEN") == "newer"
    assert after.snapshot.revision != before.revision


def test_a_bad_document_never_delays_a_revocation(files: RealmFiles) -> None:
    token = create_token(files, "shop", "eso")
    loader = repository(files)
    before = loader.load()
    assert before.policy.authenticate(token, 0).token_name == "eso"
    files.replace(files.path("shop", "prod"), b"plain: text\n")
    (files.root / "stray.sops.yaml").write_text("x: y\n")
    (files.root / "Not-A-Realm").mkdir()
    (files.root / "shop" / "tokens.yaml").write_text("version: 1\ntokens: []\n")
    after = loader.reload(before)
    assert (len(after.problems), len(after.findings)) == (1, 2)
    with pytest.raises(ArcanError):
        after.snapshot.policy.authenticate(token, 0)


def test_a_bad_tokens_file_keeps_the_last_good_tokens_and_not_the_documents(files: RealmFiles) -> None:
    token = create_token(files, "shop", "eso")
    loader = repository(files)
    before = loader.load()
    (files.root / "shop" / "tokens.yaml").write_text("tokens: {nonsense\n")
    files.write("shop", "prod", "NEW: x\n")
    after = loader.reload(before)
    assert after.snapshot.policy.authenticate(token, 0).token_name == "eso"
    assert value(after.snapshot, "shop", "prod", "NEW") == "x"
    assert len(after.problems) == 1
    assert "tokens.yaml" in after.problems[0].message


def test_a_copied_token_entry_is_the_copiers_fault(files: RealmFiles) -> None:
    token = create_token(files, "shop", "eso")
    loader = repository(files)
    before = loader.load()
    copied = (files.root / "shop" / "tokens.yaml").read_text()
    (files.root / "platform" / "tokens.yaml").write_text(copied)
    after = loader.reload(before)
    assert after.snapshot.policy.authenticate(token, 0).realm == "shop"
    assert after.problems == ()
    assert "in realm 'shop' and in realm 'platform'" in after.findings[0].message
    assert "--realm platform" in (after.findings[0].hint or "")


def test_a_copied_token_entry_shuts_nobody_out_at_a_start_either(files: RealmFiles) -> None:
    token = create_token(files, "shop", "eso")
    own = files.root / "shop" / "tokens.yaml"
    copied = files.root / "platform" / "tokens.yaml"
    created = re.search(r"created: '?([^'\n]*)", own.read_text())
    assert created is not None
    copied.write_text(own.read_text().replace(created[1], "2999-01-01T00:00:00Z"))
    started = repository(files).start()
    assert started.snapshot.policy.authenticate(token, 0).realm == "shop"
    assert "--realm platform" in (started.findings[0].hint or "")
    other = create_token(files, "platform", "other")  # the rest of the copier's file counts
    loader = repository(files)
    last = loader.load()
    assert last.policy.authenticate(other, 0).realm == "platform"
    copied.write_text("version: 1\ntokens: []\n")
    assert loader.reload(last).findings == ()


def test_a_copied_token_id_never_blocks_its_owners_next_revocation(files: RealmFiles) -> None:
    create_token(files, "shop", "kept")
    leaked = create_token(files, "shop", "leaked")
    loader = repository(files)
    before = loader.load()
    tokens = files.root / "shop" / "tokens.yaml"
    (files.root / "a-thief").mkdir()
    files.write("a-thief", "prod", "A: x\n")
    (files.root / "a-thief" / "tokens.yaml").write_text(tokens.read_text())
    subprocess.run(
        [*ARCAN, "token", "revoke", "leaked", "--realm", "shop", "--realms", str(files.root)], check=True
    )
    after = loader.reload(before)
    assert len(after.findings) == 2
    with pytest.raises(ArcanError):
        after.snapshot.policy.authenticate(leaked, 0)
    with pytest.raises(ArcanError):
        loader.reload_tokens(before).policy.authenticate(leaked, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unencrypted_suffix: _unencrypted", "encrypted_regex: '" + "a|" * 1000 + "b'"),
        ("            -----BEGIN AGE", "            " + "A" * 5000 + "\n            -----BEGIN AGE"),
        ("TOKEN:", "T" * 5000 + ":"),
    ],
)
def test_a_document_that_would_take_long_to_read_is_refused_at_once(
    files: RealmFiles, old: str, new: str
) -> None:
    path = files.path("platform", "prod")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    began = time.monotonic()
    assert "platform/prod.sops.yaml" in failing(files)
    assert time.monotonic() - began < 3


def test_an_empty_map_that_anybody_could_have_added_is_refused(files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    path.write_text("ADDED: {}\n" + path.read_text())
    assert "key 'ADDED': is an empty map or list" in failing(files)


def test_the_revision_is_that_of_the_bytes_and_of_nothing_else(files: RealmFiles) -> None:
    loader = repository(files)
    first = loader.load()
    files.path("shop", "prod").touch()
    again = loader.reload(first)
    assert again.snapshot.revision == first.revision == repository(files).load().revision
    files.replace(files.path("shop", "prod"), files.path("shop", "prod").read_bytes() + b"# end\n")
    assert loader.reload(first).snapshot.revision != first.revision


def test_a_reload_that_finds_nothing_of_the_selection_keeps_all_and_says_so(files: RealmFiles) -> None:
    """The realm may have been renamed by mistake: its tokens would get 401 for ever, were it let go."""
    chosen = repository(files, "shop")
    snapshot = chosen.load()
    (files.root / "shop").rename(files.root / "shp")
    reload = chosen.reload(snapshot)
    assert reload.snapshot is snapshot
    assert any("nothing is selected" in problem.message for problem in reload.problems)


def test_a_folder_that_vanishes_takes_nothing_with_it(files: RealmFiles) -> None:
    loader = repository(files)
    before = loader.load()
    files.root.rename(files.root.with_name("gone"))
    after = loader.reload(before)
    assert after.snapshot is before
    assert len(after.problems) == 1


def test_a_snapshot_survives_the_way_to_the_workers(files: RealmFiles) -> None:
    token = create_token(files, "shop", "eso", "--key", "DATABASE_*", "--expires", "1d")
    snapshot = repository(files).load()
    restored = restore(dump(snapshot))
    assert restored.revision == snapshot.revision
    assert value(restored, "shop", "prod", "DATABASE_URL") == CANARY
    held, sent = (one.policy.authenticate(token, 0) for one in (snapshot, restored))
    assert repr(held) == repr(sent)


ODD = {
    "a version of many digits": ("version: 3.11.0", "version: " + "9" * 5000 + ".0.0"),
    "a lastmodified of another world": ("lastmodified: ", "lastmodified: 9999-99-99T99:99:99Z #"),
    "a wrapped key that is none": (
        "-----BEGIN AGE ENCRYPTED FILE-----",
        "-----BEGIN AGE ENCRYPTED FILE-----\n            AAAA",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_document_in_one_realm_never_delays_a_revocation_in_another(
    files: RealmFiles, name: str
) -> None:
    token = create_token(files, "shop", "eso")
    loader = repository(files)
    before = loader.load()
    path = files.path("platform", "prod")
    path.write_text(path.read_text().replace(*ODD[name]))
    (files.root / "shop" / "tokens.yaml").unlink()
    after = loader.reload(before)
    assert after.kept == ("platform/prod",)
    with pytest.raises(ArcanError):
        after.snapshot.policy.authenticate(token, 0)


def test_a_bug_that_one_file_brings_out_is_that_realms_problem_alone(
    files: RealmFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_token(files, "shop", "eso")
    loader = repository(files)
    before = loader.load()

    def broken(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr("arcan_gitops.realms.loading.load_environment", broken)
    files.write("platform", "prod", "TOKEN: newer\n")
    (files.root / "shop" / "tokens.yaml").unlink()
    after = loader.reload(before)
    assert [problem.message.partition(": ")[2] for problem in after.problems] == [
        f"unexpected RuntimeError at test_loading.py:{broken.__code__.co_firstlineno + 1}"
    ]
    with pytest.raises(ArcanError):
        after.snapshot.policy.authenticate(token, 0)


def test_a_document_for_a_public_identity_is_refused_at_a_reload_too(files: RealmFiles) -> None:
    _, public = new_identity()
    tree, identities = RealmTree(files.root), Identities([files.identity])
    loader = Repository(tree, identities, demands=Demands(forbidden_recipients=frozenset({public})))
    before = loader.load()
    files.replace(files.path("shop", "prod"), encrypt("A: x\n", files.recipient, public))
    after = loader.reload(before)
    assert "is encrypted to the demo identity too" in after.problems[0].message
    assert value(after.snapshot, "shop", "prod", "DATABASE_URL") == CANARY
