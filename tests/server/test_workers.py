"""The main process and its workers: one is replaced over the other, and nothing is replaced in haste."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from arcan_gitops.server import workers
from arcan_gitops.server.gauges import Field, Gauges, Row
from arcan_gitops.server.tls import Certificate
from arcan_gitops.server.workers import Workers

CERTIFICATE = Certificate(b"", b"", datetime.now(UTC) + timedelta(days=100))


@dataclass
class Sleeper:
    """A worker that does what it is told and then waits for its end."""

    does: Callable[[Row], None]

    def run(self, _certificate: Certificate, row: Row, _parent: int) -> None:
        self.does(row)
        signal.pause()


def serves(row: Row) -> None:
    row[Field.SERVING] = 1


def serves_without_a_descriptor_left(row: Row) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
    serves(row)


@pytest.fixture
def started() -> Iterator[Callable[[Callable[[Row], None]], Workers]]:
    made: list[Workers] = []

    def start(does: Callable[[Row], None]) -> Workers:
        worker: Any = Sleeper(does)
        made.append(Workers(1, worker, CERTIFICATE, Gauges(3)))
        made[-1].look()
        return made[-1]

    yield start
    for each in made:
        each.stop()


def pid(found: Workers) -> int | None:
    process = found._slots[0].process
    return None if process is None else process.pid


def look_until(found: Workers, condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        found.look()
        time.sleep(0.01)


def test_a_worker_without_descriptors_is_replaced_once_and_then_seldom(
    started: Callable[[Callable[[Row], None]], Workers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_LOOK_SECONDS", 0)
    found = started(serves_without_a_descriptor_left)
    first = pid(found)
    look_until(found, lambda: pid(found) != first)
    second = pid(found)
    assert second is not None
    for _ in range(3 * workers._SHORT_LOOKS):
        found.look()
    assert pid(found) == second  # it is as short as the first one, and the next replacement is a minute off


def test_a_worker_that_was_asleep_with_the_machine_is_not_replaced(
    started: Callable[[Callable[[Row], None]], Workers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks are counted, not the time between them."""
    found = started(serves_without_a_descriptor_left)
    first = pid(found)
    found.look()
    clock = time.monotonic() + 3600
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    found.look()
    found.look()
    assert pid(found) == first


def test_a_successor_that_never_serves_leaves_the_old_worker_where_it_is(
    started: Callable[[Callable[[Row], None]], Workers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_START_SECONDS", 0.1)
    found = started(serves)
    first = pid(found)
    look_until(found, lambda: found.serving)
    worker: Any = Sleeper(lambda _row: None)
    found._worker = worker
    found.serve_with(CERTIFICATE)
    slot = found._slots[0]
    look_until(found, lambda: slot.successor is not None)
    look_until(found, lambda: slot.successor is None)  # it was killed
    assert (pid(found), found.serving) == (first, 1)
    assert slot.outdated  # it is tried again


def test_a_successor_takes_over_at_once_when_the_old_worker_dies(
    started: Callable[[Callable[[Row], None]], Workers],
) -> None:
    found = started(serves)
    look_until(found, lambda: found.serving)
    worker: Any = Sleeper(lambda _row: None)
    found._worker = worker
    found.serve_with(CERTIFICATE)
    look_until(found, lambda: found._slots[0].successor is not None)
    successor = found._slots[0].successor
    first = pid(found)
    assert first is not None
    assert successor is not None
    os.kill(first, signal.SIGKILL)
    look_until(found, lambda: pid(found) == successor.pid)


def test_nobody_is_missed_before_that_long(started: Callable[[Callable[[Row], None]], Workers]) -> None:
    found = started(lambda _row: None)
    assert found.serving == 0
    assert not found.none_for(60)
    assert found.none_for(0)
