"""What the main process publishes, its workers serve: all of it, at once, and also after a failure."""

from __future__ import annotations

import os
import threading

import pytest

from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import Environment, Snapshot
from arcan_gitops.secret import SecretValue
from arcan_gitops.server.board import Board
from arcan_gitops.sops import Digests


def snapshot(text: str, keys: int = 1) -> Snapshot:
    values = {KeyName(f"K{number}"): SecretValue(text) for number in range(keys)}
    environment = Environment(values, text, Digests({}, ""))
    return Snapshot.build({RealmName("r"): {EnvironmentName("e"): environment}}, {})


def texts(board: Board) -> set[str]:
    environment = board.snapshot().environment(RealmName("r"), EnvironmentName("e"))
    assert environment is not None
    return {value.reveal() for value in environment.values.values()}


def test_a_forked_worker_sees_each_publication_whole() -> None:
    board = Board(snapshot("0"))
    ask, answer = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ask[1])
        board.enter_worker()
        while os.read(ask[0], 1):
            os.write(answer[1], ",".join(texts(board)).encode().ljust(8))
        os._exit(0)
    os.close(ask[0])
    for number in range(1, 6):
        board.publish(snapshot(str(number), keys=1000 * number), reload_failed=False)
        os.write(ask[1], b"?")
        assert os.read(answer[0], 8).decode().strip() == str(number)
    os.close(ask[1])
    os.waitpid(child, 0)


def test_readers_never_see_half_of_a_publication() -> None:
    board = Board(snapshot("0"))
    reader = Board(snapshot("0"))
    reader._shared, reader._payload = board._shared, board._payload  # a worker's side of the same memory
    stop = threading.Event()
    seen: list[set[str]] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(texts(reader))

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(1, 60):
        board.publish(snapshot(str(number), keys=300), reload_failed=False)
    stop.set()
    thread.join()
    assert all(len(one) == 1 for one in seen)
    assert texts(reader) == {"59"}


def test_a_publication_that_failed_does_not_stop_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(snapshot("0"))
    reader = Board(snapshot("0"))
    reader._shared, reader._payload = board._shared, board._payload
    with monkeypatch.context() as patched:
        patched.setattr(
            os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        )
        with pytest.raises(OSError, match="No space"):
            board.publish(snapshot("lost"), reload_failed=False)
    assert texts(reader) == {"0"}
    assert board.held.revision == snapshot("0").revision
    board.publish(snapshot("1"), reload_failed=False)
    assert texts(reader) == {"1"}
