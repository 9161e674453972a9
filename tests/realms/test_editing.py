"""One document changed on disk: what sops reads of it, what stays as it was, and who wins."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from arcan_gitops.atomic import CannotWrite
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, InvalidName, RealmName
from arcan_gitops.realms import BadLayout, NoText, RealmTree
from arcan_gitops.realms.editing import ChangedMeanwhile, edit_document, open_document, write_document
from arcan_gitops.sops import ClearLeaf, Document, EmptyLeaf, Identities, NoMatchingIdentity, Tampered
from tests.support.realm_files import CANARY, RealmFiles, decrypt_to_json, new_identity

PLAIN = f"""\
# the database
DATABASE_URL: {CANARY}-old
PORT: 5432
LIMITS:
    per_day: 10 # a day
    tiers: [free, pro]
"""
REALM, PROD = RealmName("shop"), EnvironmentName("prod")


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", PLAIN)
    return files


def edit(files: RealmFiles, change: Callable[[Document], None]) -> bool:
    return edit_document(RealmTree(files.root), REALM, PROD, Identities([files.identity]), change)


def set_to(value: object, key: str = "DATABASE_URL") -> Callable[[Document], None]:
    return lambda document: document.set(key, value)


def seen_by_sops(files: RealmFiles) -> dict[str, object]:
    done = decrypt_to_json(files.path("shop", "prod").read_bytes(), files.identity)
    assert done.returncode == 0, done.stderr.decode()
    tree: dict[str, object] = json.loads(done.stdout)
    return tree


def test_sops_reads_the_edited_file_and_three_lines_differ(files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    before = path.read_text().splitlines()
    assert edit(files, set_to("new"))
    after = path.read_text().splitlines()
    assert len(before) == len(after)
    differing = [new.split(":")[0].strip() for old, new in zip(before, after, strict=True) if old != new]
    assert differing in (
        ["DATABASE_URL", "lastmodified", "mac"],
        ["DATABASE_URL", "mac"],
    )  # within one second
    assert seen_by_sops(files) == {
        "DATABASE_URL": "new",
        "PORT": 5432,
        "LIMITS": {"per_day": 10, "tiers": ["free", "pro"]},
    }


def test_an_edit_that_changes_nothing_does_not_write(files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    before = path.stat()
    assert not edit(files, set_to(f"{CANARY}-old"))
    assert not edit(files, lambda document: None)
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_permissions_stay_and_nothing_is_left_beside_the_file(files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    path.chmod(0o640)
    edit(files, set_to("new"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == ["prod.sops.yaml"]


def test_a_link_inside_the_realm_goes_on_to_lead_to_the_file(files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    path.rename(path.with_name("shared.sops.yaml"))
    path.symlink_to("shared.sops.yaml")
    edit(files, set_to("new"))
    assert path.is_symlink()
    assert seen_by_sops(files)["DATABASE_URL"] == "new"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (set_to("x", "no name"), InvalidName),
        (set_to({}), EmptyLeaf),
        (set_to([]), EmptyLeaf),
        (set_to(""), EmptyLeaf),
        (set_to(None), EmptyLeaf),
        (set_to(float("nan")), NoText),
        (set_to({"a": [float("inf")]}), NoText),
        (set_to("x", "DATABASE_URL_unencrypted"), ClearLeaf),
        (lambda document: document.rename("PORT", "a/b"), InvalidName),
    ],
)
def test_what_the_server_would_not_load_is_not_written(
    files: RealmFiles, change: Callable[[Document], None], error: type[ArcanError]
) -> None:
    before = files.path("shop", "prod").read_bytes()
    with pytest.raises(error):
        edit(files, change)
    assert files.path("shop", "prod").read_bytes() == before


def test_what_realm_yaml_allows_is_written(files: RealmFiles) -> None:
    (files.root / "shop" / "realm.yaml").write_text(
        "allowEmpty: ['OPTIONAL_*']\nallowUnencrypted: ['*_unencrypted']\n"
    )

    def change(document: Document) -> None:
        document.set("OPTIONAL_MAP", {})
        document.set("OPTIONAL_TEXT", "")
        document.set("NOTE_unencrypted", "seen by all")

    assert edit(files, change)
    assert b"seen by all" in files.path("shop", "prod").read_bytes()
    assert seen_by_sops(files)["OPTIONAL_MAP"] == {}


def test_every_error_names_the_file_and_no_value(files: RealmFiles, tmp_path: Path) -> None:
    tree, path = RealmTree(files.root), files.path("shop", "prod")
    with pytest.raises(NoMatchingIdentity, match=str(path)):
        edit_document(tree, REALM, PROD, Identities([new_identity()[0]]), set_to("new"))
    with pytest.raises(ArcanError, match=str(path)) as caught:
        edit(files, set_to({"x": float("nan"), "y": CANARY}))
    assert CANARY not in str(caught.value)
    files.tamper(path, "PORT")
    with pytest.raises(Tampered, match=str(path)):
        edit(files, set_to("new"))
    with pytest.raises(BadLayout, match="no environment 'prd'") as missing:
        open_document(tree, REALM, EnvironmentName("prd"), Identities())
    assert "did you mean 'prod'?" in str(missing.value.hint)
    assert "arcan realm create shop --env prd" in str(missing.value.hint)
    with pytest.raises(BadLayout, match="no realm 'shp'") as missing:
        open_document(tree, RealmName("shp"), PROD, Identities())
    assert "did you mean 'shop'?" in str(missing.value.hint)


def test_an_edit_of_a_file_that_was_changed_meanwhile_is_refused(files: RealmFiles) -> None:
    path = files.path("shop", "prod")

    def with_another_one(document: Document) -> None:
        document.set("DATABASE_URL", "mine")
        edit(files, set_to("theirs"))

    with pytest.raises(ChangedMeanwhile, match=r"was changed meanwhile; nothing was written") as caught:
        edit(files, with_another_one)
    assert caught.value.hint == "run the command again"
    assert seen_by_sops(files)["DATABASE_URL"] == "theirs"

    def with_a_removal(document: Document) -> None:
        document.set("DATABASE_URL", "mine")
        path.unlink()

    with pytest.raises(ChangedMeanwhile, match="was removed meanwhile"):
        edit(files, with_a_removal)
    assert not path.exists()


def edit_with_others(root: Path, identity: str, value: str, all_have_read: Barrier) -> None:
    def change(document: Document) -> None:
        document.set("DATABASE_URL", value)
        all_have_read.wait(60)

    try:
        edit_document(RealmTree(root), REALM, PROD, Identities([identity]), change)
    except ChangedMeanwhile:
        sys.exit(3)


def test_of_edits_at_the_same_time_exactly_one_wins(files: RealmFiles) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [
        context.Process(target=edit_with_others, args=(files.root, files.identity, f"edit {number}", barrier))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert sorted(process.exitcode or 0 for process in processes) == [0, 3]
    winner = [process.exitcode for process in processes].index(0)
    assert seen_by_sops(files)["DATABASE_URL"] == f"edit {winner}"
    assert os.listdir(files.root / "shop") == ["prod.sops.yaml"]


def test_a_disk_without_space_leaves_the_old_file_and_no_other(files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(CannotWrite, match="cannot be written"):
            edit(files, set_to("new"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["prod.sops.yaml"]


KILLED = """
import os, signal, sys
from pathlib import Path
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.editing import edit_document
from arcan_gitops.sops import Identities
step = sys.argv[1]
setattr(os, step, lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))
identities = Identities([Path(sys.argv[3]).read_text()])
edit_document(RealmTree(Path(sys.argv[2])), RealmName("shop"), EnvironmentName("prod"), identities,
              lambda document: document.set("DATABASE_URL", sys.stdin.read()))
"""


@pytest.mark.parametrize("step", ["fchmod", "fsync", "replace"])
def test_a_kill_on_the_way_leaves_the_old_file_and_at_most_ciphertext_beside_it(
    step: str, files: RealmFiles
) -> None:
    path = files.path("shop", "prod")
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, step, str(files.root), str(files.identity_file)],
        input=CANARY.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert path.read_bytes() == before
    assert all(CANARY.encode() not in beside.read_bytes() for beside in path.parent.iterdir())
    assert edit(files, set_to("new"))  # nothing that is left is in the way


def test_a_new_file_is_made_only_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "prod.sops.yaml"
    write_document(path, b"one", replacing=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with pytest.raises(ChangedMeanwhile, match="is there already"):
        write_document(path, b"two", replacing=None)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(ChangedMeanwhile, match="is there already"):
        write_document(path, b"two", replacing=None)
    with pytest.raises(CannotWrite, match="cannot be opened"):
        write_document(tmp_path / "missing" / "prod.sops.yaml", b"one", replacing=None)
