"""Tokens reload apart from documents, bad documents are tried once, and what goes is told of."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from watchfiles import Change

from arcan_gitops.access import NotAuthenticated
from arcan_gitops.realms import RealmTree, Repository
from arcan_gitops.server import watch as watch_module
from arcan_gitops.server.board import Board
from arcan_gitops.server.watch import Watcher
from arcan_gitops.sops import Identities, load
from tests.server.test_metrics import samples
from tests.support.live_server import ARCAN, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\nB: two\n")
    files.write("other", "prod", "X: one\n")
    return files


class Opening:
    """Opens documents, counts that, and can be made to wait."""

    def __init__(self) -> None:
        self.calls = 0
        self.began = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, data: bytes, **options: Any) -> Any:
        self.calls += 1
        self.began.set()
        assert self.may_go_on.wait(30)
        return load(data, **options)


class World:
    def __init__(self, files: RealmFiles) -> None:
        self.opening = Opening()
        identities = Identities([files.identity])
        repository = Repository(RealmTree(files.root), identities, open_document=self.opening)
        self.board = Board(repository.load())
        self.watcher = Watcher(files.root, repository, self.board)

    def accepts(self, token: str) -> bool:
        try:
            self.board.held.policy.authenticate(token, time.time())
        except NotAuthenticated:
            return False
        return True


def revoke(files: RealmFiles, name: str) -> None:
    command = [*ARCAN, "token", "revoke", name, "--realms", str(files.root)]
    subprocess.run(command, check=True, capture_output=True)


def test_a_revocation_waits_for_no_document_and_none_brings_it_back(files: RealmFiles) -> None:
    """12 bad documents of 7 MB in another realm delayed it by 6.2 s."""
    token = create_token(files, "shop", "eso")
    world = World(files)
    assert world.accepts(token)
    files.write("other", "prod", "X: two\n")
    world.opening.began.clear()
    world.opening.may_go_on.clear()
    reload = threading.Thread(target=world.watcher.reload, kwargs={"asked": False})
    reload.start()
    try:
        assert world.opening.began.wait(30)  # it reads documents, for as long as it likes
        revoke(files, "eso")
        world.watcher.look_at_tokens()
        assert not world.accepts(token)
        (files.root / "shop" / "tokens.yaml").write_text("broken: [")
    finally:
        world.opening.may_go_on.set()
        reload.join()
    assert not world.accepts(token)
    world.watcher.reload(asked=True)
    assert not world.accepts(token)


def test_a_revocation_takes_effect_within_a_second_or_two(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server", "--workers", "2") as server:
        files.tamper(files.path("shop", "prod"), "B")
        assert server.get("/api/v1/eso/shop/A?env=prod", token).status == 200
        revoke(files, "eso")
        server.wait(lambda: server.get("/api/v1/eso/shop/A?env=prod", token).status == 401)


def test_a_bad_document_is_not_decrypted_again_until_it_changes(files: RealmFiles) -> None:
    world = World(files)
    files.tamper(files.path("shop", "prod"), "B")
    world.watcher.reload(asked=False)
    assert world.board.reload_failed()
    calls = world.opening.calls
    for _ in range(3):
        world.watcher.reload(asked=False)
    assert world.opening.calls == calls
    assert world.board.reload_failed()
    world.watcher.reload(asked=True)  # SIGHUP tries everything
    assert world.opening.calls == calls + 1
    files.write("shop", "prod", "A: mended\n")
    world.watcher.reload(asked=False)
    assert not world.board.reload_failed()


def test_what_goes_is_named_in_the_log_and_counted_in_the_metrics(files: RealmFiles, tmp_path: Path) -> None:
    """Of all this the log said a new revision, and /readyz that all is well."""
    create_token(files, "shop", "eso")
    create_token(files, "other", "eso")
    files.write("shop", "staging", "S: s\n")
    with LiveServer(files, tmp_path / "server", "--metrics-port", "0") as server:

        def gone(kind: str, realm: str, environment: str = "") -> float | None:
            labels = f'realm="{realm}",environment="{environment}",kind="{kind}"'
            return samples(server).get(f"arcan_gone{{{labels}}}")

        assert gone("key", "shop", "prod") == 0
        whole = files.path("shop", "prod").read_bytes()
        files.write("shop", "prod", "A: still\n")
        server.wait_for_log("WARNING shop/prod: keys are gone, and answered 404: B\n")
        server.wait(lambda: gone("key", "shop", "prod") == 1)
        files.replace(files.path("shop", "prod"), whole)
        server.wait(lambda: gone("key", "shop", "prod") == 0)

        files.path("shop", "staging").unlink()
        server.wait_for_log("WARNING shop/staging is gone")
        server.wait(lambda: gone("document", "shop", "staging") == 1)

        (files.root / "shop" / "tokens.yaml").unlink()
        server.wait_for_log("WARNING realm shop: its tokens.yaml is gone")
        server.wait(lambda: gone("tokens", "shop") == 1)

        (files.root / "other").rename(tmp_path / "elsewhere")
        server.wait_for_log("WARNING realm other is gone")
        server.wait(lambda: gone("realm", "other") == 1)
        assert server.ready().keys() == {"status", "revision", "reload"}
        assert CANARY not in server.log


def test_all_is_looked_at_every_minute_however_often_something_changes(
    files: RealmFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that went unseen must not wait until nothing else changes."""
    path = str(files.path("shop", "prod"))
    now, found = 1000.0, list[tuple[float, bool, list[Path] | None]]()
    watcher = World(files).watcher

    def watched(*_: object, **__: object) -> Iterator[set[tuple[Change, str]]]:
        nonlocal now
        for step in range(130):
            now = 1000.0 + step
            if step == 100:
                watcher.ask()
            yield {(Change.modified, path)} if step % 5 == 0 else set()

    monkeypatch.setattr(watch_module, "watch", watched)
    monkeypatch.setattr(watch_module, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(
        watcher, "reload", lambda *, asked, changed=None: found.append((now - 1000, asked, changed))
    )
    watcher._watch()
    assert [(at, asked) for at, asked, changed in found if changed is None] == [
        (0, False),
        (60, False),
        (100, True),
    ]
    assert [at for at, _, changed in found if changed == [Path(path)]] == [
        at for at in range(0, 130, 5) if at not in (0, 60, 100)
    ]
