"""A reload reads the files that changed, all of them, and no others."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree, Repository, Snapshot
from arcan_gitops.realms.file_state import states_of
from arcan_gitops.sops import Identities
from tests.support.realm_files import RealmFiles, encrypt

OPENED: list[str] = []
sys.addaudithook(lambda event, arguments: OPENED.append(str(arguments[0])) if event == "open" else None)


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", "A: x\nC_unencrypted: clear\n")
    (files.root / "shop" / "realm.yaml").write_text('allowUnencrypted: ["C_*"]\n')
    files.write("platform", "prod", "A: y\n")
    return files


def settle() -> None:
    """Until what was written last is past the coarsest of clocks."""
    time.sleep(2.1)


def values(snapshot: Snapshot, realm: str) -> dict[str, str]:
    loaded = snapshot.environment(RealmName(realm), EnvironmentName("prod"))
    assert loaded is not None
    return {key: value.reveal() for key, value in loaded.values.items()}


def documents_read() -> list[str]:
    names = [Path(name).parent.name for name in OPENED if name.endswith(".sops.yaml")]
    OPENED.clear()
    return names


def test_a_reload_reads_what_changed_and_nothing_else(files: RealmFiles) -> None:
    settle()
    repository = Repository(RealmTree(files.root), Identities([files.identity]))
    snapshot = repository.load()
    documents_read()
    again = repository.reload(snapshot).snapshot
    assert documents_read() == []
    assert again.revision == snapshot.revision
    files.write("shop", "prod", "A: z\n")
    changed = repository.reload(again).snapshot
    assert documents_read() == ["shop"]
    assert values(changed, "shop") == {"A": "z"}
    repository.reload(changed)
    assert documents_read() == ["shop"]  # written a moment ago: the next write might not show
    settle()
    settled = repository.reload(changed).snapshot
    assert documents_read() == ["shop"]
    repository.reload(settled)
    assert documents_read() == []
    # other rules of a realm are other rules for all of its documents
    (files.root / "shop" / "realm.yaml").unlink()
    repository.reload(settled)
    assert documents_read() == ["shop"]


def test_a_document_put_in_anothers_place_is_read_whatever_its_size_and_times(files: RealmFiles) -> None:
    """In its file, with its length, and with the time of the old one put back: nothing hides a write."""
    path = files.path("platform", "prod")
    one, other = (encrypt(f"A: {letter}\n", files.recipient) for letter in "yz")
    assert len(one) == len(other)
    path.write_bytes(one)
    settle()
    repository = Repository(RealmTree(files.root), Identities([files.identity]))
    snapshot = repository.load()
    status = path.stat()
    with path.open("r+b") as file:
        file.write(other)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_ino == status.st_ino
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert values(repository.reload(snapshot).snapshot, "platform") == {"A": "z"}


def test_a_file_written_a_moment_ago_has_no_state_yet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    assert states_of(path) is None
    assert states_of(tmp_path / "nowhere") is None
    assert states_of(None) == ()
    assert states_of(Path(__file__)) == states_of(Path(__file__), None) != states_of(Path(os.__file__))
