"""A short run of `make faults`: no fault gives a 404, a shrunken bulk answer or a mix of two snapshots."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import RealmTree
from tests.support import faults
from tests.support.faults import FAULTS, KEYS, NEVER, Broken, World, run
from tests.support.live_server import LiveServer

FEW = 120


@pytest.mark.parametrize("seed", [1, 2], ids=["asked by the server", "asked by the realm"])
def test_no_fault_breaks_the_law(tmp_path: Path, seed: int) -> None:
    world = run(tmp_path, FEW, seed)
    assert world.told.total() == FEW
    assert world.answers["200"] > FEW  # it is not held by answering nothing
    assert world.answers["409 not_recorded"] > FEW / 2


def test_the_same_seed_draws_the_same_faults(tmp_path: Path) -> None:
    assert run(tmp_path / "a", 15, 5).told == run(tmp_path / "b", 15, 5).told


def everything_recorded(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName
) -> tuple[dict[KeyName, tuple[None, bytes]], tuple[()]]:
    del tree, realm, environment
    return {KeyName(key): (None, b"") for key in (*KEYS, NEVER)}, ()


def test_a_server_that_took_torn_records_for_records_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcan_gitops.realms.removals.removals_of", everything_recorded)
    with pytest.raises(Broken, match="was answered 404"):
        run(tmp_path, FEW, 1)


def test_a_server_that_took_documents_of_other_places_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcan_gitops.realms.binding.require_place", lambda *_: None)
    monkeypatch.setattr(faults, "FAULTS", {"x": FAULTS["another realm's document"]})
    with pytest.raises(Broken, match="of another place"):
        run(tmp_path, FEW, 1)


class Live:
    """A server with two workers over the same realms, and a client that reads all the time."""

    def __init__(self, world: World, server: LiveServer) -> None:
        self.world, self.server = world, server
        self.broken: list[str] = []
        self.answered = 0
        self.ended = threading.Event()

    def read(self) -> None:
        versions = sorted(self.world.versions)
        while not self.ended.is_set():
            for key in (KEYS[0], KEYS[-1], NEVER):
                self._look(f"/{key}", "")
            for version in ("", versions[0], versions[-1]):
                self._look("", version)

    def _look(self, path: str, version: str) -> None:
        target = f"/api/v1/eso/shop{path}?env=prod&version={version}"
        try:
            answer = self.server.get(target, self.world.token)
        except OSError:
            return  # a worker was killed under it
        self.answered += 1
        if answer.status == 404:
            self.broken.append(f"{target}: 404")
        if answer.status == 200 and not path:
            values = json.loads(answer.body)["data"]
            if values != {key: f"g{self.world.versions[version]}:{key}" for key in KEYS}:
                self.broken.append(f"{target}: not all keys of one version")
        if answer.status == 200 and path and not json.loads(answer.body)["value"].startswith("g"):
            self.broken.append(f"{target}: a value of another place")

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
            for number in range(30):
                if number % 6 == 0:
                    world.restore()
                world.change()
                if number % 3:
                    world.fault()
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
