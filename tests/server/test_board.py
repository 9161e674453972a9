"""What the main process publishes, its workers serve: all of it, at once, and also after a failure."""

from __future__ import annotations

import os
import threading
from itertools import pairwise

import pytest

from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import Environment, Snapshot
from arcan_gitops.realms.files import digest
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


KEYS = 2000


def many(changes: dict[str, str], *, without: str = "", removed: bool = False) -> Snapshot:
    """An environment of key files, sorted, and one that nothing changes in."""
    texts = {f"K{at:04}": "x" * 50 for at in range(KEYS)} | changes
    keys = [KeyName(key) for key in sorted(texts) if key != without]
    environment = Environment(
        {key: SecretValue(texts[key]) for key in keys},
        digest(repr((sorted(texts.items()), without)).encode()),
        Digests({key: texts[key][:12] for key in keys}, "all"),
        frozenset({KeyName(without)}) if removed else None,
        failed=frozenset({KeyName("FAILED")}),
        stale=frozenset({KeyName("K0000")}),
    )
    return Snapshot.build(
        {RealmName("r"): {EnvironmentName("e"): environment, EnvironmentName("still"): STILL}}, {}
    )


STILL = Environment({KeyName("S"): SecretValue("still")}, "still", Digests({"S": "1"}, "1"))


def a_worker_of(board: Board, start: Snapshot) -> Board:
    """A worker's side of the same memory."""
    reader = Board(start)
    reader._shared, reader._payload = board._shared, board._payload
    return reader


def assert_same(one: Snapshot, other: Snapshot) -> None:
    assert one.revision == other.revision
    assert one.environments == other.environments


def test_a_worker_is_sent_what_changed_and_has_all_of_it() -> None:
    start = many({})
    board = Board(start)
    late = a_worker_of(board, start)
    reader = a_worker_of(board, start)
    steps = [
        many({"K0007": "seven"}),
        many({"K0007": "seven", "A": "first of all"}),
        many({"K0007": "seven", "A": "first of all"}, without="K0100"),
        many({"A": "first of all"}, without="K0100", removed=True),
        Snapshot.build({RealmName("r"): {EnvironmentName("still"): STILL}}, {}),
        many({}),
    ]
    sizes = [0]
    for step in steps[:4]:
        board.publish(step, reload_failed=False)
        assert_same(reader.snapshot(), step)
        sizes.append(os.fstat(board._payload).st_size)
    assert all(0 < now - before < 1000 for before, now in pairwise(sizes))
    for step in steps[4:]:
        board.publish(step, reload_failed=False)
    assert_same(reader.snapshot(), steps[-1])
    assert_same(late.snapshot(), steps[-1])
    environment = late.snapshot().environment(RealmName("r"), EnvironmentName("e"))
    assert environment is not None
    assert list(environment.values) == sorted(environment.values)


def test_what_is_written_begins_anew_when_it_has_become_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcan_gitops.server.board._SHORT", 10_000)
    start = many({})
    board = Board(start)
    readers = [a_worker_of(board, start) for _ in range(3)]
    sizes = set()
    for at in range(200):
        step = many({"K0007": f"{at}" * 500})
        board.publish(step, reload_failed=False)
        sizes.add(os.fstat(board._payload).st_size)
        for number, reader in enumerate(readers, 1):
            if at % number == 0:
                assert_same(reader.snapshot(), step)
    assert max(sizes) < 500_000
    for reader in readers:
        assert_same(reader.snapshot(), step)
