"""A short run of `make faults`: no fault gives a 404, a shrunken bulk answer or a mix of two snapshots."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree, binding
from tests.support.faults.key_files import KEY_FILE_FAULTS
from tests.support.faults.kinds import FAULTS, draw
from tests.support.faults.law import Broken, Law, target
from tests.support.faults.run import run
from tests.support.faults.world import LAYOUTS, Layout, World
from tests.support.faults.written import KEYS, NEVER
from tests.support.live_server import LiveServer

FEW = 60


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", [1, 2], ids=["asked by the server", "asked by the realm"])
def test_no_fault_breaks_the_law(tmp_path: Path, seed: int, layout: Layout) -> None:
    world = run(tmp_path, FEW, seed, layout)
    assert world.told.total() == FEW
    assert world.answers["200"] > FEW  # it is not held by answering nothing
    assert world.answers["409 not_recorded"] > FEW / 2


def test_each_fault_of_key_files_changes_files_and_leaves_the_law_whole(tmp_path: Path) -> None:
    world = World(tmp_path, random.Random(4), demanded=True, layout="files")
    for name, fault in KEY_FILE_FAULTS.items():
        world.restore()
        world.reload()
        before, world.answers = everything_under(world.root), Counter()
        fault(world)
        assert everything_under(world.root) != before, name
        world.reload()
        Law(world).hold(name)
        assert world.answers["200"], name


def everything_under(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_seed_draws_the_same_faults(tmp_path: Path, layout: Layout) -> None:
    assert run(tmp_path / "a", 15, 5, layout).told == run(tmp_path / "b", 15, 5, layout).told


def everything_recorded(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName
) -> tuple[dict[KeyName, tuple[None, bytes]], tuple[()]]:
    del tree, realm, environment
    return {KeyName(key): (None, b"") for key in (*KEYS, NEVER)}, ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_server_that_took_torn_records_for_records_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    monkeypatch.setattr("arcan_gitops.realms.removals.removals_of", everything_recorded)
    with pytest.raises(Broken, match="was answered 404"):
        run(tmp_path, FEW, 1, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_server_that_took_documents_of_other_places_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    monkeypatch.setattr("arcan_gitops.realms.binding.require_place", lambda *_: None)
    only(monkeypatch, layout, "another realm's document")
    with pytest.raises(Broken, match="of another place"):
        run(tmp_path, FEW, 1, layout)


def only(monkeypatch: pytest.MonkeyPatch, layout: Layout, fault: str) -> None:
    """No other fault is drawn."""
    monkeypatch.setitem(FAULTS, layout, {fault: FAULTS[layout][fault]})


class EveryVersion:
    """It is equal to whatever is asked for."""

    def __ne__(self, other: object) -> bool:
        return False


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_server_that_answered_any_version_with_what_it_has_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    monkeypatch.setattr("arcan_gitops.realms.Environment.version", lambda *_: EveryVersion())
    with pytest.raises(Broken, match=r"of another version|not those of it|a mix that has another one"):
        run(tmp_path, FEW, 1, layout)


def test_a_server_whose_bulk_read_leaves_out_the_keys_that_failed_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "arcan_gitops.realms.loaded_keys.digest_of_all"
    world = World(tmp_path, random.Random(4), demanded=True, layout="files")
    version = world.snapshot.environment(RealmName("shop"), EnvironmentName("prod")).versions.document
    monkeypatch.setattr(whole, lambda _: version)  # the environment keeps its version, whatever is in it
    world.key_path(KEYS[0]).unlink()
    world.touch(KEYS[0])
    world.reload()
    with pytest.raises(Broken, match="were not those of it"):
        Law(world).hold("a lost file")


def test_a_server_that_takes_a_widened_file_for_the_right_one_and_refuses_the_others_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        binding, "audience_that_counts", lambda audiences: max(audiences, key=lambda each: each.recipients)
    )
    world = World(tmp_path, random.Random(4), demanded=True, layout="files")
    for key in KEYS:
        world.write_key(key, next(iter(world.written.widened)))
    world.reload()
    Law(world).hold("a rotation")
    KEY_FILE_FAULTS["a recipient is added to one key file"](world)
    world.reload()
    with pytest.raises(Broken, match="whose file nothing touched, was not fresh"):
        Law(world).hold("a recipient more")


def test_a_server_that_does_not_see_a_file_that_changed_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcan_gitops.realms.documents.states_of", lambda *_: ())
    monkeypatch.setattr("arcan_gitops.realms.loaded_keys.states_of", lambda *_: ("as before",))
    with pytest.raises(Broken, match="was not fresh"):
        run(tmp_path, FEW, 1, "files")


class Live:
    """A server with two workers over the same realms, and a client that reads all the time."""

    def __init__(self, world: World, server: LiveServer) -> None:
        self.world, self.server, self.law = world, server, Law(world)
        self.broken: list[str] = []
        self.answered = 0
        self.ended = threading.Event()

    def read(self) -> None:
        while not self.ended.is_set():
            for key in (KEYS[0], KEYS[-1], NEVER):
                self._look(key, "")
            for version in ("", *list(self.world.written.meant)[-2:]):
                self._look(None, version)

    def _look(self, key: str | None, version: str) -> None:
        try:
            answer = self.server.get(f"{target(key)}?env=prod&version={version}", self.world.token)
        except OSError:
            return  # a worker was killed under it
        self.answered += 1
        try:
            self.law.judge(key, version, answer.status, answer.body)
        except Broken as error:
            self.broken.append(str(error))

    def kill_a_worker(self) -> None:
        os.kill(self._worker(), signal.SIGKILL)

    def pause_a_worker(self) -> None:
        pid = self._worker()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(pid, signal.SIGCONT)

    def ask_for_a_reload(self) -> None:
        self.server.process.send_signal(signal.SIGHUP)

    def _worker(self) -> int:
        main = self.server.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return int(self.world.random.choice(children))


def test_no_fault_breaks_the_law_on_a_live_server(tmp_path: Path) -> None:
    world = World(tmp_path, random.Random(3), demanded=True)
    world.files.root = world.link
    options = ("--select", "shop", "--workers", "2", "--binding", "required", "--deletions", "recorded")
    with LiveServer(world.files, tmp_path / "server", *options) as server:
        live = Live(world, server)
        reader = threading.Thread(target=live.read)
        reader.start()
        own: list[Callable[[], None]] = [live.kill_a_worker, live.pause_a_worker, live.ask_for_a_reload]
        try:
            for number in range(36):
                world.layout = LAYOUTS[number // 18]  # people split the environment
                if number % 6 == 0:
                    world.restore()
                world.change()
                if number % 3:
                    draw(world)
                else:
                    world.random.choice(own)()
                time.sleep(0.15)
            world.restore()
            server.wait(
                lambda: server.get(f"/api/v1/eso/shop/{KEYS[0]}?env=prod", world.token).status == 200, 60
            )
        finally:
            live.ended.set()
            reader.join()
        assert live.broken == []
        assert live.answered > 30
